package balancers_test

import (
	"net/netip"
	"testing"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// What Terraform's aws_lb_target_group does.
func TestTargetGroupLivesAsTerraformAsks(t *testing.T) {
	h := open(t)
	in := &elb.CreateTargetGroupInput{
		Name: new("blue"), Protocol: types.ProtocolEnumHttp, Port: new(int32(8080)), VpcId: &h.vpc, TargetType: types.TargetTypeEnumIp,
		HealthCheckPath: new("/health"), Matcher: &types.Matcher{HttpCode: new("200-299")}, Tags: []types.Tag{{Key: new("team"), Value: new("a")}},
	}
	g := done[*elb.CreateTargetGroupOutput](t)(h.CreateTargetGroup(background, in)).TargetGroups[0]
	name := g.TargetGroupArn
	want := types.TargetGroup{
		TargetGroupArn: name, TargetGroupName: new("blue"), Protocol: types.ProtocolEnumHttp, ProtocolVersion: new("HTTP1"), Port: new(int32(8080)), VpcId: &h.vpc,
		TargetType: types.TargetTypeEnumIp, IpAddressType: types.TargetGroupIpAddressTypeEnumIpv4, LoadBalancerArns: []string{},
		HealthCheckEnabled: new(true), HealthCheckProtocol: types.ProtocolEnumHttp, HealthCheckPort: new("traffic-port"), HealthCheckPath: new("/health"),
		HealthCheckIntervalSeconds: new(int32(30)), HealthCheckTimeoutSeconds: new(int32(5)), HealthyThresholdCount: new(int32(5)), UnhealthyThresholdCount: new(int32(2)),
		Matcher: &types.Matcher{HttpCode: new("200-299")},
	}
	equal(t, "made", g, want)
	equal(t, "made again", *done[*elb.CreateTargetGroupOutput](t)(h.CreateTargetGroup(background, in)).TargetGroups[0].TargetGroupArn, *name)
	in.Port = new(int32(81))
	_, err := h.CreateTargetGroup(background, in)
	refused(t, err, "DuplicateTargetGroupName", "A target group with the same name 'blue' exists, but with different settings")

	changed := done[*elb.ModifyTargetGroupOutput](t)(h.ModifyTargetGroup(background, &elb.ModifyTargetGroupInput{
		TargetGroupArn: name, HealthCheckIntervalSeconds: new(int32(10)), HealthyThresholdCount: new(int32(3)),
	})).TargetGroups[0]
	want.HealthCheckIntervalSeconds, want.HealthyThresholdCount = new(int32(10)), new(int32(3))
	equal(t, "changed", changed, want)
	read := done[*elb.DescribeTargetGroupsOutput](t)(h.DescribeTargetGroups(background, &elb.DescribeTargetGroupsInput{Names: []string{"blue"}})).TargetGroups
	equal(t, "read back", read, []types.TargetGroup{want})

	attributes := done[*elb.ModifyTargetGroupAttributesOutput](t)(h.ModifyTargetGroupAttributes(background, &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: name, Attributes: []types.TargetGroupAttribute{{Key: new("deregistration_delay.timeout_seconds"), Value: new("5")}},
	})).Attributes
	all := done[*elb.DescribeTargetGroupAttributesOutput](t)(h.DescribeTargetGroupAttributes(background, &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: name})).Attributes
	equal(t, "attributes read back", all, attributes)
	equal(t, "the first attribute", all[0], types.TargetGroupAttribute{Key: new("deregistration_delay.timeout_seconds"), Value: new("5")})

	b := h.alb("web")
	listener := h.listener(b, types.ProtocolEnumHttp, 80, *name)
	of := done[*elb.DescribeTargetGroupsOutput](t)(h.DescribeTargetGroups(background, &elb.DescribeTargetGroupsInput{LoadBalancerArn: b.LoadBalancerArn})).TargetGroups
	equal(t, "its balancers", of[0].LoadBalancerArns, []string{*b.LoadBalancerArn})
	_, err = h.DeleteTargetGroup(background, &elb.DeleteTargetGroupInput{TargetGroupArn: name})
	refused(t, err, "ResourceInUse", "is currently in use by a listener or a rule")
	done[*elb.DeleteListenerOutput](t)(h.DeleteListener(background, &elb.DeleteListenerInput{ListenerArn: &listener}))
	done[*elb.DeleteTargetGroupOutput](t)(h.DeleteTargetGroup(background, &elb.DeleteTargetGroupInput{TargetGroupArn: name}))
	_, err = h.DescribeTargetGroups(background, &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{*name}})
	refused(t, err, "TargetGroupNotFound", "One or more target groups not found")
}

func TestHealthChecksHaveTheDefaultsOfTheirProtocol(t *testing.T) {
	h := open(t)
	for name, c := range map[string]struct {
		in            elb.CreateTargetGroupInput
		protocol      types.ProtocolEnum
		path, matcher string
		timeout       int32
	}{
		"tcp":     {elb.CreateTargetGroupInput{Protocol: "TCP"}, "TCP", "", "", 10},
		"udp":     {elb.CreateTargetGroupInput{Protocol: "UDP"}, "TCP", "", "", 10},
		"tcphttp": {elb.CreateTargetGroupInput{Protocol: "TCP", HealthCheckProtocol: "HTTP"}, "HTTP", "/", "200-399", 6},
		"https":   {elb.CreateTargetGroupInput{Protocol: "HTTPS"}, "HTTP", "/", "200", 5},
		"grpc":    {elb.CreateTargetGroupInput{Protocol: "HTTP", ProtocolVersion: new("GRPC")}, "HTTP", "/AWS.ALB/healthcheck", "12", 5},
		"alb":     {elb.CreateTargetGroupInput{Protocol: "TCP", TargetType: "alb"}, "HTTP", "/", "200-399", 6},
	} {
		c.in.Name, c.in.Port, c.in.VpcId = &name, new(int32(80)), &h.vpc
		g := done[*elb.CreateTargetGroupOutput](t)(h.CreateTargetGroup(background, &c.in)).TargetGroups[0]
		equal(t, name+"'s protocol", g.HealthCheckProtocol, c.protocol)
		equal(t, name+"'s timeout", *g.HealthCheckTimeoutSeconds, c.timeout)
		equal(t, name+"'s path", text(g.HealthCheckPath), c.path)
		matcher := ""
		if g.Matcher != nil {
			matcher = text(g.Matcher.HttpCode) + text(g.Matcher.GrpcCode)
		}
		equal(t, name+"'s matcher", matcher, c.matcher)
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestTargetGroupsThatCannotBe(t *testing.T) {
	h := open(t)
	for _, c := range []struct {
		in          elb.CreateTargetGroupInput
		kind, words string
	}{
		{elb.CreateTargetGroupInput{TargetType: "lambda"}, "ValidationError", "not supported"},
		{elb.CreateTargetGroupInput{}, "ValidationError", "A protocol must be specified"},
		{elb.CreateTargetGroupInput{Protocol: "GENEVE"}, "UnsupportedProtocol", ""},
		{elb.CreateTargetGroupInput{Protocol: "HTTP", VpcId: new("vpc-1")}, "ValidationError", "The VPC ID 'vpc-1' is not found"},
		{elb.CreateTargetGroupInput{Protocol: "HTTP", ProtocolVersion: new("HTTP3")}, "ValidationError", "must be one of 'GRPC, HTTP1, HTTP2'"},
		{elb.CreateTargetGroupInput{Protocol: "HTTP", TargetType: "alb"}, "ValidationError", "only with the protocol 'TCP'"},
		{elb.CreateTargetGroupInput{Protocol: "HTTP", HealthCheckProtocol: "TCP"}, "ValidationError", "Health check protocol 'TCP' is not supported"},
		{elb.CreateTargetGroupInput{Protocol: "HTTP", Matcher: &types.Matcher{HttpCode: new("500")}}, "ValidationError", "must be within '200-499' inclusive"},
		{elb.CreateTargetGroupInput{Protocol: "HTTP", HealthCheckTimeoutSeconds: new(int32(30))}, "ValidationError", "must be smaller than the interval"},
		{elb.CreateTargetGroupInput{Protocol: "HTTP", HealthCheckPort: new("x")}, "ValidationError", "Health check port 'x'"},
		{elb.CreateTargetGroupInput{Protocol: "HTTP", IpAddressType: "ipv6"}, "InvalidConfigurationRequest", "not supported"},
	} {
		c.in.Name, c.in.Port = new("bad"), new(int32(80))
		if c.in.VpcId == nil {
			c.in.VpcId = &h.vpc
		}
		_, err := h.CreateTargetGroup(background, &c.in)
		refused(t, err, c.kind, c.words)
	}
}

// What Terraform's aws_lb_target_group_attachment does, and what is said of targets.
func TestTargetsAndWhatIsSaidOfThem(t *testing.T) {
	h := open(t)
	group := h.targets("blue", types.ProtocolEnumHttp)
	target := types.TargetDescription{Id: new("172.31.0.5"), Port: new(int32(8080))}
	h.holds("172.31.0.5")
	register := func(target types.TargetDescription) error {
		_, err := h.RegisterTargets(background, &elb.RegisterTargetsInput{TargetGroupArn: &group, Targets: []types.TargetDescription{target}})
		return err
	}
	if err := register(target); err != nil {
		t.Fatal(err)
	}
	h.expect(group, target, "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer")
	h.listener(h.alb("web"), types.ProtocolEnumHttp, 80, group)
	h.expect(group, target, "initial", "Elb.RegistrationInProgress", "Target registration is in progress")
	key := balancer.TargetKey(group, "172.31.0.5", 8080)
	report := func(edge string, r balancer.Report) {
		h.Put(t, func(tx *store.Tx) {
			next := &balancer.Health{Target: key, Reports: map[string]balancer.Report{}}
			if have, ok := store.TargetHealth.Get(tx, key); ok {
				for e, r := range have.Reports {
					next.Reports[e] = r
				}
			}
			next.Reports[edge] = r
			store.TargetHealth.Put(tx, next)
		})
	}
	report("a", balancer.Report{State: balancer.Unhealthy, Reason: balancer.ReasonMismatch, Detail: "Health checks failed with these codes: [502]", At: time.Now()})
	h.expect(group, target, "unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [502]")
	report("b", balancer.Report{State: balancer.Healthy, At: time.Now()})
	h.expect(group, target, "healthy", "", "")

	far := types.TargetDescription{Id: new("172.31.40.5")} // of zone c, where the balancer is not
	if err := register(far); err != nil {
		t.Fatal(err)
	}
	h.expect(group, far, "unused", "Target.NotInUse", "Target is in an Availability Zone that is not enabled for the load balancer")
	nobody := types.TargetDescription{Id: new("172.31.0.8")}
	if err := register(nobody); err != nil {
		t.Fatal(err)
	}
	h.expect(group, nobody, "unhealthy", "Target.Timeout", "Request timed out")
	gone := types.TargetDescription{Id: new("172.31.0.9")}
	h.expect(group, gone, "unused", "Target.NotRegistered", "Target is not registered to the target group")

	away := &elb.DeregisterTargetsInput{TargetGroupArn: &group, Targets: []types.TargetDescription{target, gone}}
	done[*elb.DeregisterTargetsOutput](t)(h.DeregisterTargets(background, away))
	h.expect(group, target, "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
	if err := register(target); err != nil { // it is back
		t.Fatal(err)
	}
	h.expect(group, target, "initial", "Elb.RegistrationInProgress", "Target registration is in progress")
}

// holds has a task hold an address.
func (h *house) holds(address string) {
	h.Put(h.t, func(tx *store.Tx) {
		store.Interfaces.Put(tx, &network.Interface{Scope: gatewaytest.Scope, ID: "eni-" + address, VPCID: h.vpc, PrivateIP: netip.MustParseAddr(address)})
	})
}

// expect holds what is said of a target.
func (h *house) expect(group string, target types.TargetDescription, state types.TargetHealthStateEnum, reason types.TargetHealthReasonEnum, words string) {
	h.t.Helper()
	out := done[*elb.DescribeTargetHealthOutput](h.t)(h.DescribeTargetHealth(background, &elb.DescribeTargetHealthInput{TargetGroupArn: &group, Targets: []types.TargetDescription{target}}))
	got := out.TargetHealthDescriptions[0].TargetHealth
	if got.State != state || got.Reason != reason || text(got.Description) != words {
		h.t.Errorf("got %s %s %q, want %s %s %q", got.State, got.Reason, text(got.Description), state, reason, words)
	}
}

func TestTargetsThatCannotBe(t *testing.T) {
	h := open(t)
	ip := h.targets("ips", types.ProtocolEnumHttp)
	machines := *done[*elb.CreateTargetGroupOutput](t)(h.CreateTargetGroup(background, &elb.CreateTargetGroupInput{
		Name: new("machines"), Protocol: "HTTP", Port: new(int32(80)), VpcId: &h.vpc,
	})).TargetGroups[0].TargetGroupArn
	balanced := *done[*elb.CreateTargetGroupOutput](t)(h.CreateTargetGroup(background, &elb.CreateTargetGroupInput{
		Name: new("balanced"), Protocol: "TCP", Port: new(int32(80)), VpcId: &h.vpc, TargetType: "alb",
	})).TargetGroups[0].TargetGroupArn
	b := h.alb("web")
	for _, c := range []struct{ group, id, zone, words string }{
		{ip, "what", "", "not a valid IPv4 address"},
		{ip, "8.8.8.8", "all", "must be from the VPC, the RFC 1918 ranges or the RFC 6598 range"},
		{ip, "10.1.1.1", "", "the Availability Zone must be 'all'"},
		{ip, "172.31.0.5", "eu-central-1b", "is not in the Availability Zone"},
		{machines, "i-1", "", "not valid instances: 'i-1'"},
		{balanced, "arn:aws:what", "", "is not an Application Load Balancer"},
		{balanced, *b.LoadBalancerArn, "", "has no listener on port '80'"},
	} {
		target := types.TargetDescription{Id: &c.id}
		if c.zone != "" {
			target.AvailabilityZone = &c.zone
		}
		_, err := h.RegisterTargets(background, &elb.RegisterTargetsInput{TargetGroupArn: &c.group, Targets: []types.TargetDescription{target}})
		refused(t, err, "InvalidTarget", c.words)
	}
	h.listener(b, types.ProtocolEnumHttp, 80, ip)
	for group, target := range map[string]types.TargetDescription{
		ip: {Id: new("10.1.1.1"), AvailabilityZone: new("all")}, machines: {Id: new(gatewaytest.EC2ID)}, balanced: {Id: b.LoadBalancerArn},
	} {
		done[*elb.RegisterTargetsOutput](t)(h.RegisterTargets(background, &elb.RegisterTargetsInput{TargetGroupArn: &group, Targets: []types.TargetDescription{target}}))
	}
	_, err := h.DeleteLoadBalancer(background, &elb.DeleteLoadBalancerInput{LoadBalancerArn: b.LoadBalancerArn})
	refused(t, err, "ResourceInUse", "is registered as a target")
}
