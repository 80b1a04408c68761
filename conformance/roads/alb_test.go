package roads_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

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
	listener   string // of HTTP
	http, grpc string // target groups
	node       string // address
}

// applicationStack makes one, with so many tasks and the tags on its balancer.
func (b *berth) applicationStack(t *testing.T, launch types.Compatibility, tasks int32, grpc bool, tags ...elbtypes.Tag) *stack {
	t.Helper()
	name := strings.ToLower(family(t))
	s := &stack{place: b.defaultVPC(t), service: name}
	s.group = b.group(t, s.vpc, name, 80, 443, 8080)
	s.balancer = b.balancer(t, &elb.CreateLoadBalancerInput{
		Name: aws.String(short(name)), Subnets: s.subnets, SecurityGroups: []string{s.group}, Scheme: elbtypes.LoadBalancerSchemeEnumInternal,
		Tags: tags,
	})
	s.http = b.targets(t, &elb.CreateTargetGroupInput{
		Name: aws.String(short(name)), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: &s.vpc, TargetType: elbtypes.TargetTypeEnumIp,
	})
	s.listener = b.listen(t, *s.balancer.LoadBalancerArn, "HTTP", 80, s.http)
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

// servers are the tasks that answer at a balancer, once there are so many.
func servers(t *testing.T, address string, want int) map[string]int {
	t.Helper()
	seen := map[string]int{}
	eventually(t, fmt.Sprintf("%d tasks to be heard", want), func() bool {
		r, err := http.Get("http://" + address + "/")
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
	return seen
}

// TestAServiceBehindAnApplicationBalancer has two tasks on Fargate get traffic in turn,
// and a third one as well, once it is wanted; no client changes anything.
//
// Proves 4.0, 6B.3.
func TestAServiceBehindAnApplicationBalancer(t *testing.T) {
	s := here.applicationStack(t, types.CompatibilityFargate, 2, false)
	here.healthy(t, s.http, 2)
	servers(t, s.node, 2)
	here.scale(t, s.service, 3)
	here.stable(t, s.service)
	here.healthy(t, s.http, 3)
	servers(t, s.node, 3)
	if _, err := post(t.Context(), s.node); err != nil {
		t.Error(err)
	}
	if _, body := get(t, "http://"+s.node+"/headers"); !strings.Contains(body, "X-Forwarded-For: ") || !strings.Contains(body, "X-Amzn-Trace-Id: Root=1-") {
		t.Errorf("the task got\n%s", body)
	}
	if events := here.events(t, s.service); !strings.Contains(events, "registered 1 targets in (target-group "+s.http+")") && !strings.Contains(events, "registered 2 targets in (target-group "+s.http+")") {
		t.Errorf("events\n%s", events)
	}
}

// TestRollingUnderLoad goes from 1 task to 20 and back, and to a new revision: no POST,
// WebSocket or gRPC call fails.
//
// Proves 4A.1, 4D.2.
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

// TestRollingOnFargate goes from 1 task to 20 and back, each in a sandbox and with an
// interface of its own: no request fails, and no client changes anything.
//
// Proves 2B.3, 4A.3, 4D.2.
func TestRollingOnFargate(t *testing.T) {
	s := here.applicationStack(t, types.CompatibilityFargate, 1, true)
	people := crowd(t, s.node, "GET", "POST", "WebSocket", "gRPC")
	begun := time.Now()
	here.scale(t, s.service, 20)
	here.stable(t, s.service)
	here.healthy(t, s.http, 20)
	t.Logf("20 tasks after %v", time.Since(begun).Round(time.Millisecond))
	servers(t, s.node, 20)
	here.scale(t, s.service, 1)
	here.stable(t, s.service)
	people.content(t)
}

// TestTheNameOfABalancer reaches a balancer that faces the internet by its DNS name from
// the machine itself, with no set-up.
//
// Proves 4.0.
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

// TestCertificatesOfABalancer has an HTTPS listener with two certificates: clients get the
// one for the name they ask for, and speak HTTP/2.
//
// Proves 4A.1.
func TestCertificatesOfABalancer(t *testing.T) {
	p := here.defaultVPC(t)
	group := here.group(t, p.vpc, "certified", 443)
	lb := here.balancer(t, &elb.CreateLoadBalancerInput{
		Name: aws.String("certified"), Subnets: p.subnets, SecurityGroups: []string{group}, Scheme: elbtypes.LoadBalancerSchemeEnumInternal,
	})
	first, second := here.certificate(t, "one.example.com"), here.certificate(t, "two.example.com")
	out, err := here.elb.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttps, Port: aws.Int32(443),
		Certificates: []elbtypes.Certificate{{CertificateArn: &first}},
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{
			StatusCode: aws.String("200"),
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := out.Listeners[0].ListenerArn
	t.Cleanup(func() {
		if _, err := here.elb.DeleteListener(after(t), &elb.DeleteListenerInput{ListenerArn: listener}); err != nil {
			t.Error(err)
		}
	})
	if _, err := here.elb.AddListenerCertificates(t.Context(), &elb.AddListenerCertificatesInput{
		ListenerArn: listener, Certificates: []elbtypes.Certificate{{CertificateArn: &second}},
	}); err != nil {
		t.Fatal(err)
	}
	node := here.node(t, lb) + ":443"
	reached(t, node)
	shown := func(name string) (certificate, protocol string) {
		c, err := tls.Dial("tcp", node, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"h2"}}) // the certificates are the test's
		if err != nil {
			return err.Error(), ""
		}
		defer c.Close()
		state := c.ConnectionState()
		return state.PeerCertificates[0].DNSNames[0], state.NegotiatedProtocol
	}
	for _, name := range []string{"one.example.com", "two.example.com"} {
		eventually(t, "the certificate of "+name, func() bool {
			certificate, protocol := shown(name)
			return certificate == name && protocol == "h2"
		})
	}
}

// TestAClassicBalancerIsNotForFargate has one refused, whether it is there or not.
//
// Proves 4C.2.
func TestAClassicBalancerIsNotForFargate(t *testing.T) {
	p := here.defaultVPC(t)
	definition := here.register(t, serving(t, "old", types.CompatibilityFargate))
	_, err := here.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String("old"), TaskDefinition: &definition, LaunchType: types.LaunchTypeFargate, DesiredCount: aws.Int32(1),
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: p.subnets}},
		LoadBalancers:        []types.LoadBalancer{{LoadBalancerName: aws.String("classic"), ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080)}},
	})
	if refused := new(types.InvalidParameterException); !errors.As(err, &refused) || !strings.Contains(refused.ErrorMessage(), "Classic") {
		t.Errorf("got %v", err)
	}
}
