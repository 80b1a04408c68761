package classic_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

func listener(protocol string, port, instancePort int32) types.Listener {
	return types.Listener{Protocol: &protocol, LoadBalancerPort: port, InstancePort: &instancePort}
}

// create makes a balancer "web" in two subnets that listens on port 80.
func (h *house) create(more ...types.Listener) {
	h.t.Helper()
	done[*elb.CreateLoadBalancerOutput](h.t)(h.balancers.CreateLoadBalancer(background, &elb.CreateLoadBalancerInput{
		LoadBalancerName: new("web"), Subnets: h.subnets[:2], Listeners: append([]types.Listener{listener("http", 80, 8080)}, more...),
		Tags: []types.Tag{{Key: new("team"), Value: new("ml")}},
	}))
}

func (h *house) web() types.LoadBalancerDescription {
	h.t.Helper()
	return done[*elb.DescribeLoadBalancersOutput](h.t)(h.balancers.DescribeLoadBalancers(background, &elb.DescribeLoadBalancersInput{LoadBalancerNames: []string{"web"}})).LoadBalancerDescriptions[0]
}

// groups are the hidden target groups, by instance port.
func (h *house) groups() map[int]*balancer.TargetGroup {
	all := map[int]*balancer.TargetGroup{}
	for g := range store.TargetGroups.By(h.Store.View(), store.TargetGroupsByClassic, balancer.ClassicARN(gatewaytest.Scope, "web")) {
		all[g.Port] = g
	}
	return all
}

func (h *house) register(ids ...string) []types.Instance {
	h.t.Helper()
	var in []types.Instance
	for _, id := range ids {
		in = append(in, types.Instance{InstanceId: &id})
	}
	return done[*elb.RegisterInstancesWithLoadBalancerOutput](h.t)(h.balancers.RegisterInstancesWithLoadBalancer(background, &elb.RegisterInstancesWithLoadBalancerInput{LoadBalancerName: new("web"), Instances: in})).Instances
}

func TestABalancerIsAsItWasAskedFor(t *testing.T) {
	h := open(t)
	h.create()
	b := h.web()
	equal(t, "subnets", strings.Join(b.Subnets, " "), strings.Join(h.subnets[:2], " "))
	equal(t, "zones", strings.Join(b.AvailabilityZones, " "), "eu-central-1a eu-central-1b")
	equal(t, "groups", strings.Join(b.SecurityGroups, " "), h.group)
	equal(t, "source group", *b.SourceSecurityGroup.OwnerAlias+" "+*b.SourceSecurityGroup.GroupName, gatewaytest.Scope.Account+" default")
	equal(t, "health check", fmt.Sprint(*b.HealthCheck.Target, *b.HealthCheck.Interval, *b.HealthCheck.Timeout, *b.HealthCheck.UnhealthyThreshold, *b.HealthCheck.HealthyThreshold), "TCP:808030 5 2 10")
	equal(t, "scheme", *b.Scheme, "internet-facing")
	l := b.ListenerDescriptions[0].Listener
	equal(t, "listener", fmt.Sprint(*l.Protocol, l.LoadBalancerPort, *l.InstanceProtocol, *l.InstancePort), "HTTP80HTTP8080")
	if !strings.HasPrefix(*b.DNSName, "web-") || !strings.HasSuffix(*b.DNSName, ".eu-central-1.elb.amazonaws.com") {
		t.Errorf("name %s", *b.DNSName)
	}
	var nodes []*network.Interface
	for i := range store.Interfaces.All(h.Store.View()) {
		if i.Kind == network.ForBalancer {
			nodes = append(nodes, i)
		}
	}
	equal(t, "nodes", len(nodes), 2)
	equal(t, "node", nodes[0].Description+" "+nodes[0].RequesterID, "ELB web amazon-elb")
	h.create() // again
	_, err := h.balancers.CreateLoadBalancer(background, &elb.CreateLoadBalancerInput{LoadBalancerName: new("web"), Subnets: h.subnets[:1], Listeners: []types.Listener{listener("TCP", 80, 80)}})
	refused(t, err, "DuplicateLoadBalancerName", "already exists")
	tags := done[*elb.DescribeTagsOutput](t)(h.balancers.DescribeTags(background, &elb.DescribeTagsInput{LoadBalancerNames: []string{"web"}}))
	equal(t, "tag", *tags.TagDescriptions[0].Tags[0].Value, "ml")
	for range 2 { // what is gone is deleted, too
		done[*elb.DeleteLoadBalancerOutput](t)(h.balancers.DeleteLoadBalancer(background, &elb.DeleteLoadBalancerInput{LoadBalancerName: new("web")}))
	}
	_, err = h.balancers.DescribeLoadBalancers(background, &elb.DescribeLoadBalancersInput{LoadBalancerNames: []string{"web"}})
	refused(t, err, "LoadBalancerNotFound", "There is no ACTIVE Load Balancer named 'web'")
	equal(t, "groups left", len(h.groups()), 0)
	for i := range store.Interfaces.All(h.Store.View()) {
		if i.Kind == network.ForBalancer && i.ReleasedAt.IsZero() {
			t.Errorf("the node %s is still there", i.ID)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	h := open(t)
	certified := listener("HTTPS", 443, 80)
	certified.SSLCertificateId = new("arn:aws:acm:eu-central-1:123456789012:certificate/none")
	http := []types.Listener{listener("HTTP", 80, 80)}
	odd := listener("HTTP", 80, 80)
	odd.InstanceProtocol = new("TCP")
	for _, c := range []struct {
		in          elb.CreateLoadBalancerInput
		kind, words string
	}{
		{elb.CreateLoadBalancerInput{Listeners: http}, "ValidationError", "Either AvailabilityZones or SubnetIds must be specified"},
		{elb.CreateLoadBalancerInput{Listeners: http, Subnets: h.subnets[:1], AvailabilityZones: []string{"eu-central-1a"}}, "ValidationError", "Only one of SubnetIds or AvailabilityZones"},
		{elb.CreateLoadBalancerInput{Listeners: http, Subnets: []string{"subnet-none"}}, "SubnetNotFound", "subnet-none"},
		{elb.CreateLoadBalancerInput{Listeners: http, AvailabilityZones: []string{"eu-central-1z"}}, "ValidationError", "eu-central-1z"},
		{elb.CreateLoadBalancerInput{Listeners: http, Subnets: []string{h.subnets[0], h.subnets[0]}}, "InvalidConfigurationRequest", "same AZ"},
		{elb.CreateLoadBalancerInput{Listeners: http, Subnets: h.subnets[:1], SecurityGroups: []string{"sg-none"}}, "InvalidSecurityGroup", "sg-none"},
		{elb.CreateLoadBalancerInput{Listeners: http, Subnets: h.subnets[:1], Scheme: new("outside")}, "InvalidScheme", "outside"},
		{elb.CreateLoadBalancerInput{Listeners: []types.Listener{listener("HTTPS", 443, 80)}, Subnets: h.subnets[:1]}, "InvalidConfigurationRequest", "Secure Listeners need to specify a SSLCertificateId"},
		{elb.CreateLoadBalancerInput{Listeners: []types.Listener{certified}, Subnets: h.subnets[:1]}, "CertificateNotFound", "Server Certificate not found for the key"},
		{elb.CreateLoadBalancerInput{Listeners: []types.Listener{odd}, Subnets: h.subnets[:1]}, "ValidationError", "same internet protocol layer"},
		{elb.CreateLoadBalancerInput{Listeners: []types.Listener{listener("UDP", 53, 53)}, Subnets: h.subnets[:1]}, "UnsupportedProtocol", "UDP"},
		{elb.CreateLoadBalancerInput{Listeners: []types.Listener{listener("HTTP", 80, 80), listener("TCP", 80, 80)}, Subnets: h.subnets[:1]}, "DuplicateListener", "already exists"},
	} {
		c.in.LoadBalancerName = new("web")
		_, err := h.balancers.CreateLoadBalancer(background, &c.in)
		refused(t, err, c.kind, c.words)
	}
	equal(t, "made", len(done[*elb.DescribeLoadBalancersOutput](t)(h.balancers.DescribeLoadBalancers(background, nil)).LoadBalancerDescriptions), 0)
}

func TestInstancesAreTargetsOfAllListeners(t *testing.T) {
	h := open(t)
	h.create(listener("TCP", 5432, 5432))
	equal(t, "registered", *h.register(gatewaytest.EC2ID)[0].InstanceId, gatewaytest.EC2ID)
	_, err := h.balancers.RegisterInstancesWithLoadBalancer(background, &elb.RegisterInstancesWithLoadBalancerInput{LoadBalancerName: new("web"), Instances: []types.Instance{{InstanceId: new("i-none")}}})
	refused(t, err, "InvalidInstance", "Could not find EC2 instance i-none.")
	health := func() types.InstanceState {
		return done[*elb.DescribeInstanceHealthOutput](t)(h.balancers.DescribeInstanceHealth(background, &elb.DescribeInstanceHealthInput{LoadBalancerName: new("web")})).InstanceStates[0]
	}
	equal(t, "at first", *health().State+" "+*health().ReasonCode, "OutOfService ELB")
	report := func(port int, s balancer.State) {
		h.Put(t, func(tx *store.Tx) {
			key := balancer.TargetKey(h.groups()[port].ARN, gatewaytest.EC2ID, port)
			store.TargetHealth.Put(tx, &balancer.Health{Target: key, Reports: map[string]balancer.Report{"edge": {State: s, At: time.Now()}}})
		})
	}
	report(8080, balancer.Healthy)
	equal(t, "half", *health().State, "OutOfService")
	report(5432, balancer.Healthy)
	equal(t, "healthy", *health().State+" "+*health().Description, "InService N/A")
	report(8080, balancer.Unhealthy)
	equal(t, "failed", *health().ReasonCode, "Instance")
	h.listeners(listener("TCP", 81, 81))
	if _, ok := store.Targets.Get(h.Store.View(), balancer.TargetKey(h.groups()[81].ARN, gatewaytest.EC2ID, 81)); !ok {
		t.Error("the new listener lacks the instance")
	}
	done[*elb.DeleteLoadBalancerListenersOutput](t)(h.balancers.DeleteLoadBalancerListeners(background, &elb.DeleteLoadBalancerListenersInput{LoadBalancerName: new("web"), LoadBalancerPorts: []int32{80, 81, 5432}}))
	equal(t, "without listeners", len(h.web().Instances), 1)
	h.listeners(listener("HTTP", 80, 90))
	equal(t, "groups", len(h.groups()), 1)
	equal(t, "instances", len(h.web().Instances), 1)
	gone := &elb.DeregisterInstancesFromLoadBalancerInput{LoadBalancerName: new("web"), Instances: []types.Instance{{InstanceId: new(gatewaytest.EC2ID)}}}
	equal(t, "left", len(done[*elb.DeregisterInstancesFromLoadBalancerOutput](t)(h.balancers.DeregisterInstancesFromLoadBalancer(background, gone)).Instances), 0)
}

func (h *house) listeners(all ...types.Listener) {
	h.t.Helper()
	done[*elb.CreateLoadBalancerListenersOutput](h.t)(h.balancers.CreateLoadBalancerListeners(background, &elb.CreateLoadBalancerListenersInput{LoadBalancerName: new("web"), Listeners: all}))
}

func TestDrainingKeepsATargetForAWhile(t *testing.T) {
	h := open(t)
	h.create()
	h.register(gatewaytest.EC2ID)
	done[*elb.ModifyLoadBalancerAttributesOutput](t)(h.balancers.ModifyLoadBalancerAttributes(background, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerName: new("web"), LoadBalancerAttributes: &types.LoadBalancerAttributes{ConnectionDraining: &types.ConnectionDraining{Enabled: true, Timeout: new(int32(45))}},
	}))
	equal(t, "delay", h.groups()[8080].Attribute(balancer.DeregistrationDelay), "45")
	done[*elb.DeregisterInstancesFromLoadBalancerOutput](t)(h.balancers.DeregisterInstancesFromLoadBalancer(background, &elb.DeregisterInstancesFromLoadBalancerInput{LoadBalancerName: new("web"), Instances: []types.Instance{{InstanceId: new(gatewaytest.EC2ID)}}}))
	equal(t, "instances", len(h.web().Instances), 0)
	states := done[*elb.DescribeInstanceHealthOutput](t)(h.balancers.DescribeInstanceHealth(background, &elb.DescribeInstanceHealthInput{LoadBalancerName: new("web")})).InstanceStates
	equal(t, "state", *states[0].State+" "+*states[0].Description, "InService Instance deregistration currently in progress.")
}

func TestHealthChecks(t *testing.T) {
	h := open(t)
	h.create()
	configure := func(target string, interval, timeout int32) error {
		_, err := h.balancers.ConfigureHealthCheck(background, &elb.ConfigureHealthCheckInput{LoadBalancerName: new("web"), HealthCheck: &types.HealthCheck{
			Target: &target, Interval: &interval, Timeout: &timeout, UnhealthyThreshold: new(int32(3)), HealthyThreshold: new(int32(4)),
		}})
		return err
	}
	if err := configure("HTTP:8080/ping?x=1", 10, 4); err != nil {
		t.Fatal(err)
	}
	equal(t, "target", *h.web().HealthCheck.Target, "HTTP:8080/ping?x=1")
	g := h.groups()[8080].HealthCheck
	equal(t, "the group's", fmt.Sprint(g.Protocol, g.Port, g.Path, g.Matcher, g.Interval, g.Timeout, g.Healthy, g.Unhealthy), "HTTP8080/ping?x=120010 4 4 3")
	for _, target := range []string{"HTTP:8080", "UDP:53", "TCP:80/x", "TCP:0", "TCP"} {
		refused(t, configure(target, 10, 4), "ValidationError", "HealthCheck Target")
	}
	refused(t, configure("TCP:80", 5, 5), "ValidationError", "timeout must be less than interval")
}

func TestPoliciesOfCookies(t *testing.T) {
	h := open(t)
	h.create(listener("TCP", 81, 81))
	done[*elb.CreateLBCookieStickinessPolicyOutput](t)(h.balancers.CreateLBCookieStickinessPolicy(background, &elb.CreateLBCookieStickinessPolicyInput{LoadBalancerName: new("web"), PolicyName: new("hour"), CookieExpirationPeriod: new(int64(3600))}))
	done[*elb.CreateLBCookieStickinessPolicyOutput](t)(h.balancers.CreateLBCookieStickinessPolicy(background, &elb.CreateLBCookieStickinessPolicyInput{LoadBalancerName: new("web"), PolicyName: new("session")}))
	done[*elb.CreateAppCookieStickinessPolicyOutput](t)(h.balancers.CreateAppCookieStickinessPolicy(background, &elb.CreateAppCookieStickinessPolicyInput{LoadBalancerName: new("web"), PolicyName: new("app"), CookieName: new("sid")}))
	set := func(port int32, names ...string) error {
		_, err := h.balancers.SetLoadBalancerPoliciesOfListener(background, &elb.SetLoadBalancerPoliciesOfListenerInput{LoadBalancerName: new("web"), LoadBalancerPort: port, PolicyNames: append([]string{}, names...)})
		return err
	}
	stuck := func() string {
		g := h.groups()[8080]
		return strings.Join([]string{g.Attributes[balancer.StickinessEnabled], g.Attributes[balancer.StickinessType], g.Attributes[balancer.LBCookieDuration], g.Attributes[balancer.AppCookieName]}, " ")
	}
	for _, c := range []struct{ policy, want string }{{"hour", "true lb_cookie 3600 "}, {"session", "true lb_cookie 0 "}, {"app", "true app_cookie  sid"}} {
		if err := set(80, c.policy); err != nil {
			t.Fatal(err)
		}
		equal(t, c.policy, stuck(), c.want)
	}
	refused(t, set(81, "app"), "InvalidConfigurationRequest", "Only HTTP and HTTPS")
	refused(t, set(80, "app", "hour"), "InvalidConfigurationRequest", "one policy of a type")
	refused(t, set(80, "none"), "PolicyNotFound", "none")
	refused(t, set(79, "app"), "ListenerNotFound", "79")
	b := h.web()
	equal(t, "policies", fmt.Sprint(len(b.Policies.LBCookieStickinessPolicies), len(b.Policies.AppCookieStickinessPolicies)), "2 1")
	_, err := h.balancers.DeleteLoadBalancerPolicy(background, &elb.DeleteLoadBalancerPolicyInput{LoadBalancerName: new("web"), PolicyName: new("app")})
	refused(t, err, "InvalidConfigurationRequest", "in use")
	if err := set(80); err != nil {
		t.Fatal(err)
	}
	equal(t, "none", stuck(), "   ")
	done[*elb.DeleteLoadBalancerPolicyOutput](t)(h.balancers.DeleteLoadBalancerPolicy(background, &elb.DeleteLoadBalancerPolicyInput{LoadBalancerName: new("web"), PolicyName: new("app")}))
	_, err = h.balancers.CreateLBCookieStickinessPolicy(background, &elb.CreateLBCookieStickinessPolicyInput{LoadBalancerName: new("web"), PolicyName: new("hour")})
	refused(t, err, "DuplicatePolicyName", "already exists")
}

// policy makes a policy of any type.
func (h *house) policy(name, kind string, pairs ...string) error {
	in := &elb.CreateLoadBalancerPolicyInput{LoadBalancerName: new("web"), PolicyName: &name, PolicyTypeName: &kind}
	for pair := range slices.Chunk(pairs, 2) {
		in.PolicyAttributes = append(in.PolicyAttributes, types.PolicyAttribute{AttributeName: &pair[0], AttributeValue: &pair[1]})
	}
	_, err := h.balancers.CreateLoadBalancerPolicy(background, in)
	return err
}

func TestPoliciesOfTLS(t *testing.T) {
	h := open(t)
	secure := listener("HTTPS", 443, 80)
	secure.SSLCertificateId = new(h.imported(fresh(t, "a.test", nil)))
	h.create(secure)
	b := h.web()
	equal(t, "default policy", strings.Join(b.ListenerDescriptions[1].PolicyNames, " "), "ELBSecurityPolicy-2016-08")
	if err := h.policy("strict", "SSLNegotiationPolicyType", "Reference-Security-Policy", "ELBSecurityPolicy-TLS-1-2-2017-01"); err != nil {
		t.Fatal(err)
	}
	if err := h.policy("mine", "SSLNegotiationPolicyType", "Protocol-TLSv1.2", "true", "ECDHE-RSA-AES128-GCM-SHA256", "true"); err != nil {
		t.Fatal(err)
	}
	refused(t, h.policy("x", "SSLNegotiationPolicyType", "Reference-Security-Policy", "none"), "PolicyNotFound", "none")
	refused(t, h.policy("x", "SSLNegotiationPolicyType", "ROT13", "true"), "InvalidConfigurationRequest", "ROT13")
	refused(t, h.policy("x", "SSLNegotiationPolicyType", "Protocol-TLSv1.2", "true"), "InvalidConfigurationRequest", "at least one protocol and one cipher")
	refused(t, h.policy("x", "Nonsense"), "PolicyTypeNotFound", "Nonsense")
	shown := done[*elb.DescribeLoadBalancerPoliciesOutput](t)(h.balancers.DescribeLoadBalancerPolicies(background, &elb.DescribeLoadBalancerPoliciesInput{LoadBalancerName: new("web"), PolicyNames: []string{"strict"}})).PolicyDescriptions[0]
	said := map[string]string{}
	for _, a := range shown.PolicyAttributeDescriptions {
		said[*a.AttributeName] = *a.AttributeValue
	}
	equal(t, "spelled out", said["Reference-Security-Policy"]+said["Protocol-TLSv1.2"]+said["Protocol-TLSv1"]+said["ECDHE-RSA-AES128-GCM-SHA256"], "ELBSecurityPolicy-TLS-1-2-2017-01truefalsetrue")
	done[*elb.SetLoadBalancerPoliciesOfListenerOutput](t)(h.balancers.SetLoadBalancerPoliciesOfListener(background, &elb.SetLoadBalancerPoliciesOfListenerInput{LoadBalancerName: new("web"), LoadBalancerPort: 443, PolicyNames: []string{"mine"}}))
	v := h.Store.View()
	kept, _ := store.Balancers.Get(v, balancer.ClassicARN(gatewaytest.Scope, "web"))
	l, _ := store.Listeners.Get(v, balancer.ClassicListenerARN(kept, 443))
	equal(t, "in force", fmt.Sprint(kept.Classic.Negotiation(l)), "{mine [TLSv1.2] [ECDHE-RSA-AES128-GCM-SHA256]}")
	_, err := h.certificates.DeleteCertificate(background, nil)
	if err == nil {
		t.Error("deleted nothing")
	}
	equal(t, "used by", h.described(*secure.SSLCertificateId).InUseBy[0], kept.ARN)
	other := h.imported(fresh(t, "b.test", nil))
	done[*elb.SetLoadBalancerListenerSSLCertificateOutput](t)(h.balancers.SetLoadBalancerListenerSSLCertificate(background, &elb.SetLoadBalancerListenerSSLCertificateInput{LoadBalancerName: new("web"), LoadBalancerPort: 443, SSLCertificateId: &other}))
	equal(t, "new certificate", *h.web().ListenerDescriptions[1].Listener.SSLCertificateId, other)
	samples := whole(t, func() (*elb.DescribeLoadBalancerPoliciesOutput, error) {
		return h.balancers.DescribeLoadBalancerPolicies(background, &elb.DescribeLoadBalancerPoliciesInput{})
	})
	equal(t, "samples", len(samples.PolicyDescriptions), 6)
	all := whole(t, func() (*elb.DescribeLoadBalancerPolicyTypesOutput, error) {
		return h.balancers.DescribeLoadBalancerPolicyTypes(background, nil)
	})
	equal(t, "types", len(all.PolicyTypeDescriptions), 6)
}

func TestPoliciesOfInstancePorts(t *testing.T) {
	h := open(t)
	h.create(listener("TCP", 81, 81))
	for _, err := range []error{
		h.policy("proxied", "ProxyProtocolPolicyType", "ProxyProtocol", "true"),
		h.policy("key", "PublicKeyPolicyType", "PublicKey", "MIIB"),
		h.policy("auth", "BackendServerAuthenticationPolicyType", "PublicKeyPolicyName", "key"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	refused(t, h.policy("x", "BackendServerAuthenticationPolicyType", "PublicKeyPolicyName", "none"), "PolicyNotFound", "none")
	refused(t, h.policy("x", "ProxyProtocolPolicyType", "ProxyProtocol", "perhaps"), "InvalidConfigurationRequest", "perhaps")
	set := func(port int32, names ...string) error {
		_, err := h.balancers.SetLoadBalancerPoliciesForBackendServer(background, &elb.SetLoadBalancerPoliciesForBackendServerInput{LoadBalancerName: new("web"), InstancePort: &port, PolicyNames: append([]string{}, names...)})
		return err
	}
	refused(t, set(99, "proxied"), "InvalidConfigurationRequest", "99")
	refused(t, set(81, "key"), "InvalidConfigurationRequest", "cannot be associated")
	if err := set(81, "proxied"); err != nil {
		t.Fatal(err)
	}
	equal(t, "shown", fmt.Sprint(*h.web().BackendServerDescriptions[0].InstancePort, h.web().BackendServerDescriptions[0].PolicyNames), "81 [proxied]")
	kept, _ := store.Balancers.Get(h.Store.View(), balancer.ClassicARN(gatewaytest.Scope, "web"))
	equal(t, "in force", fmt.Sprint(kept.Classic.ProxyProtocol(81), kept.Classic.ProxyProtocol(8080)), "true false")
	if err := set(81); err != nil {
		t.Fatal(err)
	}
	equal(t, "shown", len(h.web().BackendServerDescriptions), 0)
}

func TestAttributesOfABalancer(t *testing.T) {
	h := open(t)
	h.create()
	read := func() *types.LoadBalancerAttributes {
		return done[*elb.DescribeLoadBalancerAttributesOutput](t)(h.balancers.DescribeLoadBalancerAttributes(background, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerName: new("web")})).LoadBalancerAttributes
	}
	modify := func(in types.LoadBalancerAttributes) error {
		_, err := h.balancers.ModifyLoadBalancerAttributes(background, &elb.ModifyLoadBalancerAttributesInput{LoadBalancerName: new("web"), LoadBalancerAttributes: &in})
		return err
	}
	a := read()
	equal(t, "defaults", fmt.Sprint(a.CrossZoneLoadBalancing.Enabled, a.AccessLog.Enabled, a.ConnectionDraining.Enabled, *a.ConnectionDraining.Timeout, *a.ConnectionSettings.IdleTimeout, *a.AdditionalAttributes[0].Value), "false false false 300 60defensive")
	err := modify(types.LoadBalancerAttributes{
		CrossZoneLoadBalancing: &types.CrossZoneLoadBalancing{Enabled: true}, ConnectionSettings: &types.ConnectionSettings{IdleTimeout: new(int32(7))},
		AccessLog:            &types.AccessLog{Enabled: true, S3BucketName: new("logs"), S3BucketPrefix: new("p"), EmitInterval: new(int32(5))},
		AdditionalAttributes: []types.AdditionalAttribute{{Key: new("elb.http.desyncmitigationmode"), Value: new("strictest")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	a = read()
	equal(t, "set", fmt.Sprint(a.CrossZoneLoadBalancing.Enabled, *a.ConnectionSettings.IdleTimeout, *a.AccessLog.S3BucketName, *a.AccessLog.S3BucketPrefix, *a.AccessLog.EmitInterval, *a.AdditionalAttributes[0].Value), "true 7logsp5strictest")
	refused(t, modify(types.LoadBalancerAttributes{AccessLog: &types.AccessLog{Enabled: true, EmitInterval: new(int32(6))}}), "ValidationError", "'5', '60'")
	limits := done[*elb.DescribeAccountLimitsOutput](t)(h.balancers.DescribeAccountLimits(background, nil))
	equal(t, "limit", *limits.Limits[0].Name+*limits.Limits[0].Max, "classic-load-balancers20")
}

func TestZonesAndGroupsChange(t *testing.T) {
	h := open(t)
	h.create()
	subnets := done[*elb.AttachLoadBalancerToSubnetsOutput](t)(h.balancers.AttachLoadBalancerToSubnets(background, &elb.AttachLoadBalancerToSubnetsInput{LoadBalancerName: new("web"), Subnets: h.subnets[2:]})).Subnets
	equal(t, "attached", len(subnets), 3)
	subnets = done[*elb.DetachLoadBalancerFromSubnetsOutput](t)(h.balancers.DetachLoadBalancerFromSubnets(background, &elb.DetachLoadBalancerFromSubnetsInput{LoadBalancerName: new("web"), Subnets: h.subnets[:2]})).Subnets
	equal(t, "left", strings.Join(subnets, " "), h.subnets[2])
	zones := done[*elb.EnableAvailabilityZonesForLoadBalancerOutput](t)(h.balancers.EnableAvailabilityZonesForLoadBalancer(background, &elb.EnableAvailabilityZonesForLoadBalancerInput{LoadBalancerName: new("web"), AvailabilityZones: []string{"eu-central-1a"}})).AvailabilityZones
	equal(t, "enabled", strings.Join(zones, " "), "eu-central-1a eu-central-1c")
	zones = done[*elb.DisableAvailabilityZonesForLoadBalancerOutput](t)(h.balancers.DisableAvailabilityZonesForLoadBalancer(background, &elb.DisableAvailabilityZonesForLoadBalancerInput{LoadBalancerName: new("web"), AvailabilityZones: []string{"eu-central-1c"}})).AvailabilityZones
	equal(t, "disabled", strings.Join(zones, " "), "eu-central-1a")
	_, err := h.balancers.DisableAvailabilityZonesForLoadBalancer(background, &elb.DisableAvailabilityZonesForLoadBalancerInput{LoadBalancerName: new("web"), AvailabilityZones: []string{"eu-central-1a"}})
	refused(t, err, "InvalidConfigurationRequest", "at least one")
	_, err = h.balancers.ApplySecurityGroupsToLoadBalancer(background, &elb.ApplySecurityGroupsToLoadBalancerInput{LoadBalancerName: new("web"), SecurityGroups: []string{"sg-none"}})
	refused(t, err, "InvalidSecurityGroup", "sg-none")
	second := network.NewDefault(gatewaytest.Scope, network.DefaultCIDR, "").Group
	second.ID, second.Name = "sg-0123456789abcdef0", "second"
	h.Put(t, func(tx *store.Tx) { store.SecurityGroups.Put(tx, &second) })
	groups := done[*elb.ApplySecurityGroupsToLoadBalancerOutput](t)(h.balancers.ApplySecurityGroupsToLoadBalancer(background, &elb.ApplySecurityGroupsToLoadBalancerInput{LoadBalancerName: new("web"), SecurityGroups: []string{second.ID}})).SecurityGroups
	equal(t, "groups", groups[0], second.ID)
	for i := range store.Interfaces.All(h.Store.View()) {
		if i.Kind == network.ForBalancer && i.ReleasedAt.IsZero() {
			equal(t, "the node's groups", i.SecurityGroups[0], second.ID)
		}
	}
}

func TestPagesAndTagsOfBalancers(t *testing.T) {
	h := open(t)
	for _, name := range []string{"c", "a", "b"} {
		done[*elb.CreateLoadBalancerOutput](t)(h.balancers.CreateLoadBalancer(background, &elb.CreateLoadBalancerInput{LoadBalancerName: &name, AvailabilityZones: []string{"eu-central-1a"}, Listeners: []types.Listener{listener("TCP", 80, 80)}, Scheme: new("internal")}))
	}
	var names []string
	for p := elb.NewDescribeLoadBalancersPaginator(h.balancers, &elb.DescribeLoadBalancersInput{PageSize: new(int32(2))}); p.HasMorePages(); {
		for _, b := range done[*elb.DescribeLoadBalancersOutput](t)(p.NextPage(background)).LoadBalancerDescriptions {
			names = append(names, *b.LoadBalancerName)
		}
	}
	equal(t, "pages", strings.Join(names, ""), "abc")
	done[*elb.AddTagsOutput](t)(h.balancers.AddTags(background, &elb.AddTagsInput{LoadBalancerNames: []string{"a"}, Tags: []types.Tag{{Key: new("x"), Value: new("1")}, {Key: new("y")}}}))
	done[*elb.RemoveTagsOutput](t)(h.balancers.RemoveTags(background, &elb.RemoveTagsInput{LoadBalancerNames: []string{"a"}, Tags: []types.TagKeyOnly{{Key: new("x")}}}))
	tags := done[*elb.DescribeTagsOutput](t)(h.balancers.DescribeTags(background, &elb.DescribeTagsInput{LoadBalancerNames: []string{"a"}})).TagDescriptions[0].Tags
	equal(t, "tags", fmt.Sprint(len(tags), *tags[0].Key), "1y")
	_, err := h.balancers.AddTags(background, &elb.AddTagsInput{LoadBalancerNames: []string{"a"}, Tags: []types.Tag{{Key: new("x")}, {Key: new("x")}}})
	refused(t, err, "DuplicateTagKeys", "unique")
}

// whole asks again when AWS's client closed its connection under a long answer: it does
// so, rarely, when the answer comes before it has put its request away.
func whole[T any](t *testing.T, ask func() (T, error)) (answer T) {
	t.Helper()
	var err error
	for range 5 {
		if answer, err = ask(); err == nil || !strings.Contains(err.Error(), net.ErrClosed.Error()) {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
