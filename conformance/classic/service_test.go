package classic_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
)

// pier is a service behind a Classic balancer: HTTP at port 80 and HTTPS at 443 go to its
// HTTP, TCP at 81 to its lines and SSL at 444 to its lines over TLS.
type pier struct {
	*harbor
	name  string
	ports int32 // of the host: HTTP, lines, lines over TLS
	node  string
	dns   string
}

func newPier(t *testing.T) *pier {
	t.Helper()
	h := moor(t)
	p := &pier{harbor: h, name: lowered(t), ports: hostPorts(t)}
	at := h.place(t)
	group := h.open(t, at.vpc, 80, 81, 443, 444)
	certificate := done[*acm.RequestCertificateOutput](t)(h.certificates.RequestCertificate(t.Context(), &acm.RequestCertificateInput{DomainName: new("shop.test")})).CertificateArn
	t.Cleanup(func() {
		done[*acm.DeleteCertificateOutput](t)(h.certificates.DeleteCertificate(after(t), &acm.DeleteCertificateInput{CertificateArn: certificate}))
	})
	secure := func(l types.Listener, to string) types.Listener {
		l.InstanceProtocol, l.SSLCertificateId = &to, certificate
		return l
	}
	p.dns = *done[*elb.CreateLoadBalancerOutput](t)(h.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
		LoadBalancerName: &p.name, Subnets: at.subnets, SecurityGroups: []string{group},
		Listeners: []types.Listener{
			listener("HTTP", 80, p.ports), listener("TCP", 81, p.ports+1),
			secure(listener("HTTPS", 443, p.ports), "HTTP"), secure(listener("SSL", 444, p.ports+2), "SSL"),
		},
	})).DNSName
	t.Cleanup(func() {
		done[*elb.DeleteLoadBalancerOutput](t)(h.elb.DeleteLoadBalancer(after(t), &elb.DeleteLoadBalancerInput{LoadBalancerName: &p.name}))
	})
	p.check(t, fmt.Sprintf("HTTP:%d/", p.ports))
	p.node = h.node(t, p.name)
	return p
}

// check has instances be asked each five seconds.
func (p *pier) check(t *testing.T, target string) {
	t.Helper()
	done[*elb.ConfigureHealthCheckOutput](t)(p.elb.ConfigureHealthCheck(t.Context(), &elb.ConfigureHealthCheckInput{
		LoadBalancerName: &p.name, HealthCheck: &types.HealthCheck{Target: &target, Interval: new(int32(5)), Timeout: new(int32(2)), HealthyThreshold: new(int32(2)), UnhealthyThreshold: new(int32(2))},
	}))
}

// serve runs a service of one task behind the balancer.
func (p *pier) serve(t *testing.T) {
	t.Helper()
	var ports []ecstypes.PortMapping
	for n := range int32(3) {
		ports = append(ports, ecstypes.PortMapping{ContainerPort: new(8080 + n), HostPort: new(p.ports + n)})
	}
	definition := done[*ecs.RegisterTaskDefinitionOutput](t)(p.ecs.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: &p.name, NetworkMode: ecstypes.NetworkModeBridge, ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: new("app"), Image: new("probe:1"), Command: []string{"serve", "8080", "hello"}, Memory: new(int32(64)), PortMappings: ports,
		}},
	})).TaskDefinition.TaskDefinitionArn
	done[*ecs.CreateServiceOutput](t)(p.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: &p.name, TaskDefinition: definition, DesiredCount: new(int32(1)), LaunchType: ecstypes.LaunchTypeEc2,
		DeploymentConfiguration:       &ecstypes.DeploymentConfiguration{MinimumHealthyPercent: new(int32(0)), MaximumPercent: new(int32(100))},
		HealthCheckGracePeriodSeconds: new(int32(600)), // a test of the checks keeps its task
		LoadBalancers:                 []ecstypes.LoadBalancer{{LoadBalancerName: &p.name, ContainerName: new("app"), ContainerPort: new(int32(8080))}},
	}))
	t.Cleanup(func() {
		done[*ecs.DeleteServiceOutput](t)(p.ecs.DeleteService(after(t), &ecs.DeleteServiceInput{Service: &p.name, Force: new(true)}))
		w := ecs.NewServicesInactiveWaiter(p.ecs, func(o *ecs.ServicesInactiveWaiterOptions) { o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second })
		if err := w.Wait(after(t), &ecs.DescribeServicesInput{Services: []string{p.name}}, patience); err != nil {
			t.Error(err)
		}
	})
}

// health is that of the balancer's instance, in AWS's words; empty for none.
func (p *pier) health(t *testing.T) string {
	t.Helper()
	states := done[*elb.DescribeInstanceHealthOutput](t)(p.elb.DescribeInstanceHealth(t.Context(), &elb.DescribeInstanceHealthInput{LoadBalancerName: &p.name})).InstanceStates
	if len(states) == 0 {
		return ""
	}
	return *states[0].State + " " + *states[0].ReasonCode + " " + *states[0].Description
}

const (
	fit   = "InService N/A N/A"
	unfit = "OutOfService Instance Instance has failed at least the UnhealthyThreshold number of health checks consecutively."
)

func (p *pier) fit(t *testing.T) {
	t.Helper()
	eventually(t, "the instance to be in service", func() bool { return p.health(t) == fit })
}

// client speaks TLS with anybody, and asks the node whatever the URL's host.
func (p *pier) client(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: trusting(), DisableKeepAlives: true}}
}

func trusting() *tls.Config { return &tls.Config{InsecureSkipVerify: true} } // the certificates are the test's

func say(c net.Conn, line string) (string, error) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := fmt.Fprintln(c, line); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(answer), err
}

func get(t *testing.T, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	r := done[*http.Response](t)(c.Get(url))
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(body)
}

// TestAServiceBehindAClassicBalancer has a task on the EC2 launch type be reached over
// HTTP, HTTPS, TCP and SSL at the balancer's name: its instance is registered once the
// task runs, and is not any more once it ended.
//
// Proves 4C.1.
func TestAServiceBehindAClassicBalancer(t *testing.T) {
	p := newPier(t)
	equal(t, "health without a task", p.health(t), "")
	p.serve(t)
	p.fit(t)
	c := p.client(t)
	if _, body := get(t, c, "http://"+p.dns+"/"); body != "hello" {
		t.Errorf("over HTTP %q", body)
	}
	if r, body := get(t, c, "https://"+p.node+"/"); body != "hello" || r.TLS.PeerCertificates[0].Subject.CommonName != "shop.test" || r.ProtoMajor != 1 {
		t.Errorf("over HTTPS %q, with %v", body, r.TLS.PeerCertificates[0].Subject)
	}
	if answer, err := say(done[net.Conn](t)(net.Dial("tcp", p.node+":81")), "you"); answer != "hello you" {
		t.Errorf("over TCP %q, %v", answer, err)
	}
	if answer, err := say(done[*tls.Conn](t)(tls.Dial("tcp", p.node+":444", trusting())), "you"); answer != "hello you" {
		t.Errorf("over SSL %q, %v", answer, err)
	}
	_, headers := get(t, c, "https://"+p.node+"/headers")
	for _, line := range []string{"X-Forwarded-For: ", "X-Forwarded-Proto: https", "X-Forwarded-Port: 443"} {
		if !strings.Contains(headers, line) {
			t.Errorf("the task got\n%s without %s", headers, line)
		}
	}
	done[*ecs.UpdateServiceOutput](t)(p.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: &p.name, DesiredCount: new(int32(0))}))
	eventually(t, "the instance to be deregistered", func() bool { return p.health(t) == "" })
}
