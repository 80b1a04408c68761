package roads_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// stack is a service behind an Application balancer that speaks HTTP at port 80, and
// HTTPS with gRPC behind it at port 443.
type stack struct {
	place
	service    string
	group      string // security group of tasks and balancer
	balancer   elbtypes.LoadBalancer
	http, grpc string // target groups
	node       string // address
}

// applicationStack makes one, with so many tasks.
func (b *berth) applicationStack(t *testing.T, launch types.Compatibility, tasks int32, grpc bool) *stack {
	t.Helper()
	name := strings.ToLower(family(t))
	s := &stack{place: b.defaultVPC(t), service: name}
	s.group = b.group(t, s.vpc, name, 80, 443, 8080)
	s.balancer = b.balancer(t, &elb.CreateLoadBalancerInput{
		Name: aws.String(short(name)), Subnets: s.subnets, SecurityGroups: []string{s.group}, Scheme: elbtypes.LoadBalancerSchemeEnumInternal,
	})
	s.http = b.targets(t, &elb.CreateTargetGroupInput{
		Name: aws.String(short(name)), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: &s.vpc, TargetType: elbtypes.TargetTypeEnumIp,
	})
	b.listen(t, *s.balancer.LoadBalancerArn, "HTTP", 80, s.http)
	balancers := []types.LoadBalancer{{TargetGroupArn: &s.http, ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080)}}
	if grpc {
		s.grpc = b.targets(t, &elb.CreateTargetGroupInput{
			Name: aws.String("g" + short(name)), Protocol: elbtypes.ProtocolEnumHttp, ProtocolVersion: aws.String("GRPC"), Port: aws.Int32(8080),
			VpcId: &s.vpc, TargetType: elbtypes.TargetTypeEnumIp, HealthCheckPath: aws.String("/grpc.health.v1.Health/Check"),
			Matcher: &elbtypes.Matcher{GrpcCode: aws.String("0")},
		})
		b.listenTLS(t, *s.balancer.LoadBalancerArn, "HTTPS", 443, s.grpc)
		balancers = append(balancers, types.LoadBalancer{TargetGroupArn: &s.grpc, ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080)})
	}
	definition := b.register(t, serving(t, "first", launch))
	b.service(t, &ecs.CreateServiceInput{
		ServiceName: &name, TaskDefinition: &definition, LaunchType: types.LaunchType(launch), DesiredCount: &tasks,
		NetworkConfiguration: s.network(s.group), LoadBalancers: balancers,
	})
	b.stable(t, name)
	s.node = b.node(t, s.balancer)
	return s
}

// short is a name's end, as long as a balancer's may be, less one.
func short(name string) string { return strings.Trim(name[max(0, len(name)-31):], "-") }

// get asks once.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

// TestAServiceBehindAnApplicationBalancer proves 4.0, 4A.3, 4D.1, 4D.2, 6B.3 and
// 2B.3: two tasks on Fargate get traffic in turn; a third one as well, once it is
// wanted; no client changes anything.
func TestAServiceBehindAnApplicationBalancer(t *testing.T) {
	s := here.applicationStack(t, types.CompatibilityFargate, 2, false)
	servers := func(want int) {
		t.Helper()
		here.healthy(t, s.http, want)
		seen := map[string]int{}
		eventually(t, "all tasks to be heard", func() bool {
			r, err := http.Get("http://" + s.node + "/")
			if err != nil {
				t.Fatal(err)
			}
			r.Body.Close()
			if r.StatusCode != http.StatusOK {
				t.Fatalf("status %s", r.Status)
			}
			seen[r.Header.Get("Served-By")]++
			return len(seen) == want
		})
	}
	servers(2)
	here.scale(t, s.service, 3)
	here.stable(t, s.service)
	servers(3)
	if _, body := get(t, "http://"+s.node+"/headers"); !strings.Contains(body, "X-Forwarded-For: ") || !strings.Contains(body, "X-Amzn-Trace-Id: Root=1-") {
		t.Errorf("the task got\n%s", body)
	}
	if events := here.events(t, s.service); !strings.Contains(events, "registered 1 targets in (target-group "+s.http+")") && !strings.Contains(events, "registered 2 targets in (target-group "+s.http+")") {
		t.Errorf("events\n%s", events)
	}
}

// TestRollingUnderLoad proves 4A.1 and 4A.3: from 1 task to 20 and back, and to a new
// revision, no POST, WebSocket or gRPC call fails.
func TestRollingUnderLoad(t *testing.T) {
	s := here.applicationStack(t, types.CompatibilityEc2, 1, true)
	here.healthy(t, s.grpc, 1)
	people := crowd(t, s.node, "POST", "WebSocket", "gRPC")
	here.scale(t, s.service, 20)
	here.stable(t, s.service)
	here.healthy(t, s.http, 20)
	next := serving(t, "second", types.CompatibilityEc2)
	definition := here.register(t, next)
	if _, err := here.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: &s.service, TaskDefinition: &definition, DesiredCount: aws.Int32(3)}); err != nil {
		t.Fatal(err)
	}
	here.stable(t, s.service)
	here.scale(t, s.service, 1)
	here.stable(t, s.service)
	people.content(t)
	if _, body := get(t, "http://"+s.node+"/"); body != "second" {
		t.Errorf("served by %q", body)
	}
}

// TestTheNameOfABalancer proves 4.0: a balancer that faces the internet is reached by its
// DNS name from the machine itself, with no set-up.
func TestTheNameOfABalancer(t *testing.T) {
	p := here.defaultVPC(t)
	group := here.group(t, p.vpc, "named", 80)
	lb := here.balancer(t, &elb.CreateLoadBalancerInput{Name: aws.String("named"), Subnets: p.subnets, SecurityGroups: []string{group}})
	out, err := here.elb.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80),
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{
			StatusCode: aws.String("200"), ContentType: aws.String("text/plain"), MessageBody: aws.String("by name"),
		}}},
	})
	if err != nil || len(out.Listeners) != 1 {
		t.Fatal(err)
	}
	body := ""
	eventually(t, *lb.DNSName+" to answer", func() bool {
		r, err := http.Get("http://" + *lb.DNSName + "/")
		if err != nil {
			return false
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		body = string(text)
		return err == nil && r.StatusCode == http.StatusOK
	})
	if body != "by name" {
		t.Errorf("said %q", body)
	}
}
