package roads_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// testPort is where test traffic comes in.
const testPort = 8000

// shifting is a service whose traffic moves between two target groups, by the rules of
// an Application balancer: for HTTP at port 80, and for gRPC at port 443. Test traffic
// has a port of its own. The rule for gRPC is its listener's default one.
type shifting struct {
	place
	service          string
	node             string // address
	http             lanes
	grpc             lanes
	production, test string // rules of HTTP
	role             string
}

// lanes are two target groups between which traffic moves.
type lanes struct{ primary, alternate string }

// shifts makes one whose tasks say "one".
func (b *berth) shifts(t *testing.T, tasks int32, how *types.DeploymentConfiguration) *shifting {
	t.Helper()
	name := strings.ToLower(family(t))
	s := &shifting{place: b.defaultVPC(t), service: name, role: b.infrastructure(t, name)}
	group := b.group(t, s.vpc, name, 80, 443, testPort, 8080)
	lb := b.balancer(t, &elb.CreateLoadBalancerInput{
		Name: aws.String(short(name)), Subnets: s.subnets, SecurityGroups: []string{group}, Scheme: elbtypes.LoadBalancerSchemeEnumInternal,
	})
	s.http, s.grpc = b.lanes(t, s.vpc, "h"+short(name), "HTTP1"), b.lanes(t, s.vpc, "g"+short(name), "GRPC")
	s.production = b.rule(t, b.listen(t, *lb.LoadBalancerArn, "HTTP", 80, s.http.primary), s.http)
	s.test = b.rule(t, b.listen(t, *lb.LoadBalancerArn, "HTTP", testPort, s.http.primary), s.http)
	calls := b.defaultRule(t, b.listenTLS(t, *lb.LoadBalancerArn, "HTTPS", 443, s.grpc.primary))
	definition := b.register(t, serving(t, "one", types.CompatibilityEc2))
	behind := func(l lanes, production string, test *string) types.LoadBalancer {
		return types.LoadBalancer{
			TargetGroupArn: &l.primary, ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080), AdvancedConfiguration: &types.AdvancedConfiguration{
				AlternateTargetGroupArn: &l.alternate, ProductionListenerRule: &production, TestListenerRule: test, RoleArn: &s.role,
			},
		}
	}
	b.service(t, &ecs.CreateServiceInput{
		ServiceName: &name, TaskDefinition: &definition, LaunchType: types.LaunchTypeEc2, DesiredCount: &tasks, NetworkConfiguration: s.network(group),
		DeploymentConfiguration: how, LoadBalancers: []types.LoadBalancer{behind(s.http, s.production, &s.test), behind(s.grpc, calls, nil)},
	})
	b.comesTo(t, name, types.ServiceDeploymentStatusSuccessful)
	s.node = b.node(t, lb)
	return s
}

// infrastructure is a role by which ECS changes listener rules.
func (b *berth) infrastructure(t *testing.T, name string) string {
	t.Helper()
	const trust = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}]}`
	out, err := b.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trust)})
	if err != nil {
		t.Fatal(err)
	}
	policy := aws.String("arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers")
	if _, err := b.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: policy}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := b.iam.DetachRolePolicy(after(t), &iam.DetachRolePolicyInput{RoleName: &name, PolicyArn: policy}); err != nil {
			t.Error(err)
		}
		if _, err := b.iam.DeleteRole(after(t), &iam.DeleteRoleInput{RoleName: &name}); err != nil {
			t.Error(err)
		}
	})
	return *out.Role.Arn
}

func (b *berth) lanes(t *testing.T, vpc, name, version string) lanes {
	t.Helper()
	one := func(name string) string {
		in := &elb.CreateTargetGroupInput{
			Name: &name, Protocol: elbtypes.ProtocolEnumHttp, ProtocolVersion: &version, Port: aws.Int32(8080), VpcId: &vpc, TargetType: elbtypes.TargetTypeEnumIp,
		}
		if version == "GRPC" {
			in.HealthCheckPath, in.Matcher = aws.String("/grpc.health.v1.Health/Check"), &elbtypes.Matcher{GrpcCode: aws.String("0")}
		}
		return b.targets(t, in)
	}
	name = strings.Trim(name[:min(len(name), 30)], "-")
	return lanes{one(name + "-1"), one(name + "-2")}
}

// rule forwards all requests of a listener to the first of two target groups.
func (b *berth) rule(t *testing.T, listener string, l lanes) string {
	t.Helper()
	out, err := b.elb.CreateRule(t.Context(), &elb.CreateRuleInput{
		ListenerArn: &listener, Priority: aws.Int32(1), Conditions: []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/*"}}},
		Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: []elbtypes.TargetGroupTuple{
			{TargetGroupArn: &l.primary, Weight: aws.Int32(1)}, {TargetGroupArn: &l.alternate, Weight: aws.Int32(0)},
		}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	arn := *out.Rules[0].RuleArn
	t.Cleanup(func() {
		if _, err := b.elb.DeleteRule(after(t), &elb.DeleteRuleInput{RuleArn: &arn}); err != nil {
			t.Error(err)
		}
	})
	return arn
}

// defaultRule is that of a listener, which leads to the first target group alone.
func (b *berth) defaultRule(t *testing.T, listener string) string {
	t.Helper()
	out, err := b.elb.DescribeRules(t.Context(), &elb.DescribeRulesInput{ListenerArn: &listener})
	if err != nil || len(out.Rules) != 1 || !*out.Rules[0].IsDefault {
		t.Fatalf("%v %+v", err, out)
	}
	return *out.Rules[0].RuleArn
}

// deploys updates the service to tasks that say something else, and begin to serve some
// time after they have started.
func (s *shifting) deploys(t *testing.T, says string, how *types.DeploymentConfiguration) {
	t.Helper()
	in := serving(t, says, types.CompatibilityEc2)
	in.ContainerDefinitions[0].Environment = []types.KeyValuePair{{Name: aws.String("SERVE_AFTER"), Value: aws.String("2s")}}
	definition := here.register(t, in)
	if _, err := here.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: &s.service, TaskDefinition: &definition, DeploymentConfiguration: how}); err != nil {
		t.Fatal(err)
	}
}

// weights are those of the two HTTP groups in a rule.
func (s *shifting) weights(t *testing.T, rule string) (primary, alternate int32) {
	t.Helper()
	out, err := here.elb.DescribeRules(t.Context(), &elb.DescribeRulesInput{RuleArns: []string{rule}})
	if err != nil || len(out.Rules) != 1 {
		t.Fatalf("%v %+v", err, out)
	}
	for _, g := range out.Rules[0].Actions[0].ForwardConfig.TargetGroups {
		switch *g.TargetGroupArn {
		case s.http.primary:
			primary = *g.Weight
		case s.http.alternate:
			alternate = *g.Weight
		}
	}
	return primary, alternate
}
