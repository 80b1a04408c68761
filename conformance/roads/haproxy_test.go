package roads_test

import (
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// byHAProxy chooses the engine of a balancer.
var byHAProxy = elbtypes.Tag{Key: aws.String("berth:engine"), Value: aws.String("haproxy")} // never changed

// TestHAProxyCarriesABalancer has a service behind a balancer of that engine scale, get a
// rule and another edge while clients ask: no request fails.
func TestHAProxyCarriesABalancer(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("haproxy is not installed: `apt-get install haproxy`")
	}
	s := here.applicationStack(t, types.CompatibilityEc2, 2, false, byHAProxy)
	here.healthy(t, s.http, 2)
	if _, body := get(t, "http://"+s.node+"/headers"); !strings.Contains(body, "X-Forwarded-For: ") || !strings.Contains(body, "X-Amzn-Trace-Id: Root=1-") {
		t.Errorf("the task got\n%s", body)
	}
	people := crowd(t, s.node, "POST", "WebSocket")
	here.scale(t, s.service, 4)
	here.stable(t, s.service)
	here.healthy(t, s.http, 4)
	here.pathRule(t, s.listener, "/fixed", elbtypes.Action{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{
		StatusCode: aws.String("202"), ContentType: aws.String("text/plain"), MessageBody: aws.String("by a rule"),
	}})
	eventually(t, "the rule", func() bool {
		r, err := http.Get("http://" + s.node + "/fixed")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		return r.StatusCode == http.StatusAccepted
	})
	before := here.pid(t, "edge")
	here.signal(t, "edge", syscall.SIGHUP)
	eventually(t, "another edge", func() bool { return here.pid(t, "edge") != before })
	here.scale(t, s.service, 1)
	here.stable(t, s.service)
	here.healthy(t, s.http, 1)
	people.content(t)
	if lb := here.described(t, s.balancer); lb.State.Code != elbtypes.LoadBalancerStateEnumActive {
		t.Errorf("the balancer is %s: %s", lb.State.Code, aws.ToString(lb.State.Reason))
	}
}

func (b *berth) described(t *testing.T, lb elbtypes.LoadBalancer) elbtypes.LoadBalancer {
	t.Helper()
	out, err := b.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{*lb.LoadBalancerArn}})
	if err != nil {
		t.Fatal(err)
	}
	return out.LoadBalancers[0]
}

// pathRule has a listener do something with a path.
func (b *berth) pathRule(t *testing.T, listener, path string, action elbtypes.Action) {
	t.Helper()
	if _, err := b.elb.CreateRule(t.Context(), &elb.CreateRuleInput{
		ListenerArn: &listener, Priority: aws.Int32(1), Actions: []elbtypes.Action{action},
		Conditions: []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{path}}},
	}); err != nil {
		t.Fatal(err)
	}
}

// TestWhatHAProxyLacksIsRefused asks a balancer of that engine for what it cannot do, in
// each of the ways there are; nothing of it is kept.
func TestWhatHAProxyLacksIsRefused(t *testing.T) {
	p := here.defaultVPC(t)
	lb := here.balancer(t, &elb.CreateLoadBalancerInput{
		Name: aws.String("lacking"), Subnets: p.subnets, Scheme: elbtypes.LoadBalancerSchemeEnumInternal, Tags: []elbtypes.Tag{byHAProxy},
	})
	group := func(name string, version *string) string {
		return here.targets(t, &elb.CreateTargetGroupInput{
			Name: &name, Protocol: elbtypes.ProtocolEnumHttp, ProtocolVersion: version, Port: aws.Int32(80), VpcId: &p.vpc, TargetType: elbtypes.TargetTypeEnumIp,
		})
	}
	plain, calls, slow := group("lacking", nil), group("lacking-calls", aws.String("GRPC")), group("lacking-slow", nil)
	here.set(t, slow, "slow_start.duration_seconds", "30")
	listener := here.listen(t, *lb.LoadBalancerArn, "HTTP", 80, plain)
	to := func(group string) []elbtypes.Action {
		return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &group}}
	}
	attribute := func(key, value string) func() error {
		return func() error {
			_, err := here.elb.ModifyLoadBalancerAttributes(t.Context(), &elb.ModifyLoadBalancerAttributesInput{
				LoadBalancerArn: lb.LoadBalancerArn, Attributes: []elbtypes.LoadBalancerAttribute{{Key: &key, Value: &value}},
			})
			return err
		}
	}
	ofGroup := func(pairs ...string) func() error {
		return func() error {
			in := &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: &plain}
			for n := 0; n < len(pairs); n += 2 {
				in.Attributes = append(in.Attributes, elbtypes.TargetGroupAttribute{Key: &pairs[n], Value: &pairs[n+1]})
			}
			_, err := here.elb.ModifyTargetGroupAttributes(t.Context(), in)
			return err
		}
	}
	rule := func(actions []elbtypes.Action) func() error {
		return func() error {
			_, err := here.elb.CreateRule(t.Context(), &elb.CreateRuleInput{
				ListenerArn: &listener, Priority: aws.Int32(1), Actions: actions,
				Conditions: []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/"}}},
			})
			return err
		}
	}
	for words, ask := range map[string]func() error{
		"routing.http.desync_mitigation_mode": attribute("routing.http.desync_mitigation_mode", "monitor"),
		"client_keep_alive.seconds":           attribute("client_keep_alive.seconds", "60"),
		"slow_start.duration_seconds":         ofGroup("slow_start.duration_seconds", "30"),
		"app_cookie":                          ofGroup("stickiness.enabled", "true", "stickiness.type", "app_cookie", "stickiness.app_cookie.cookie_name", "sid"),
		"do not cross zones":                  ofGroup("load_balancing.cross_zone.enabled", "false"),
		"with the value '30'":                 rule(to(slow)),
		"stickiness of target groups": rule([]elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{
			TargetGroups:                []elbtypes.TargetGroupTuple{{TargetGroupArn: &plain, Weight: aws.Int32(1)}},
			TargetGroupStickinessConfig: &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(true), DurationSeconds: aws.Int32(60)},
		}}}),
	} {
		if err := ask(); err == nil || !strings.Contains(err.Error(), "The engine 'haproxy' of load balancer 'lacking' does not support") || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: got %v", words, err)
		}
	}
	certificate := here.certificate(t, "lacking.example.com")
	_, err := here.elb.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttps, Port: aws.Int32(443), DefaultActions: to(calls),
		Certificates: []elbtypes.Certificate{{CertificateArn: &certificate}},
	})
	if err == nil || !strings.Contains(err.Error(), "protocol version GRPC") {
		t.Errorf("a listener to a group of gRPC: got %v", err)
	}
	out, err := here.elb.DescribeTargetGroupAttributes(t.Context(), &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: &plain})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range out.Attributes {
		if *a.Key == "stickiness.enabled" && *a.Value != "false" || *a.Key == "slow_start.duration_seconds" && *a.Value != "0" {
			t.Errorf("%s is %s", *a.Key, *a.Value)
		}
	}
}
