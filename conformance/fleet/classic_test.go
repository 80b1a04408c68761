package fleet

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
)

// TestAClassicServiceIsReplacedUnderLoad has a service of a fixed host port on two
// machines behind a Classic balancer, and takes it from one revision to the next while
// clients ask over HTTP and TCP: each instance drains, gets its new task and comes back,
// and no request fails.
//
// Proves 4C.1.
func TestAClassicServiceIsReplacedUnderLoad(t *testing.T) {
	f := newFleet(t)
	a := f.join("--cpu", "1024", "--memory", "1024", "--zone", "a", "--edge", "--expose")
	f.join("--cpu", "1024", "--memory", "1024", "--zone", "b", "--expose") // an edge elsewhere asks its host ports
	a.start("edge", "--data", filepath.Join(a.data, "edge"), "--agent", filepath.Join(a.data, "agent"), "--server", "https://"+f.server.address)
	f.load("busybox:1")
	until(t, "two agents", func() bool { return len(f.instances()) == 2 })

	node := f.classic("old", f.openGroup(80, 81))
	def := f.defineOnHostPort("first")
	if _, err := f.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String("classic"), TaskDefinition: &def, LaunchType: types.LaunchTypeEc2, DesiredCount: aws.Int32(2),
		DeploymentConfiguration: &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(50), MaximumPercent: aws.Int32(100)},
		LoadBalancers:           []types.LoadBalancer{{LoadBalancerName: aws.String("old"), ContainerName: aws.String("main"), ContainerPort: aws.Int32(80)}},
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.explain("classic", nil) })
	until(t, "two instances in service", func() bool { return f.inService("old") == 2 })

	people := a.crowd(t, "http://"+node+":80/", "http://"+node+":81/")
	next := f.defineOnHostPort("second")
	if _, err := f.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("classic"), TaskDefinition: &next}); err != nil {
		t.Fatal(err)
	}
	until(t, "the deployment", func() bool {
		out, err := f.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{"classic"}})
		if err != nil {
			t.Fatal(err)
		}
		s := out.Services[0]
		return len(s.Deployments) == 1 && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted && s.RunningCount == 2
	})
	until(t, "two instances in service", func() bool { return f.inService("old") == 2 })
	heard := people.over(t)
	if !slices.Equal(heard, []string{"first", "second"}) {
		t.Errorf("heard %q", heard)
	}
	f.said(t, "classic", "has registered 1 instances in (elb old)", "has deregistered 1 instances in (elb old)")
	f.end("classic")
}

// classic makes a Classic balancer that leads HTTP at port 80 and TCP at port 81 to port
// 8080 of instances, and gives the address of a node.
func (f *fleet) classic(name, group string) string {
	f.t.Helper()
	listener := func(protocol string, port int32) elbtypes.Listener {
		return elbtypes.Listener{Protocol: &protocol, LoadBalancerPort: port, InstancePort: aws.Int32(8080)}
	}
	if _, err := f.old.CreateLoadBalancer(f.t.Context(), &elb.CreateLoadBalancerInput{
		LoadBalancerName: &name, Subnets: f.subnets(), SecurityGroups: []string{group}, Scheme: aws.String("internal"),
		Listeners: []elbtypes.Listener{listener("HTTP", 80), listener("TCP", 81)},
	}); err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.old.ModifyLoadBalancerAttributes(f.t.Context(), &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerName: &name, LoadBalancerAttributes: &elbtypes.LoadBalancerAttributes{
			ConnectionDraining: &elbtypes.ConnectionDraining{Enabled: true, Timeout: aws.Int32(20)}, CrossZoneLoadBalancing: &elbtypes.CrossZoneLoadBalancing{Enabled: true},
		},
	}); err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.old.ConfigureHealthCheck(f.t.Context(), &elb.ConfigureHealthCheckInput{
		LoadBalancerName: &name, HealthCheck: &elbtypes.HealthCheck{
			Target: aws.String("HTTP:8080/"), Interval: aws.Int32(5), Timeout: aws.Int32(2), HealthyThreshold: aws.Int32(2), UnhealthyThreshold: aws.Int32(2),
		},
	}); err != nil {
		f.t.Fatal(err)
	}
	out, err := f.ec2.DescribeNetworkInterfaces(f.t.Context(), &ec2.DescribeNetworkInterfacesInput{
		Filters: []ec2types.Filter{{Name: aws.String("description"), Values: []string{"ELB " + name}}},
	})
	if err != nil || len(out.NetworkInterfaces) == 0 {
		f.t.Fatalf("no interface of %s: %v", name, err)
	}
	return *out.NetworkInterfaces[0].PrivateIpAddress
}

// inService counts the instances that a Classic balancer sends to.
func (f *fleet) inService(name string) (n int) {
	f.t.Helper()
	out, err := f.old.DescribeInstanceHealth(f.t.Context(), &elb.DescribeInstanceHealthInput{LoadBalancerName: &name})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, s := range out.InstanceStates {
		if *s.State == "InService" && *s.Description == "N/A" {
			n++
		}
	}
	return n
}

// defineOnHostPort is a web server at port 8080 of its host that says a name.
func (f *fleet) defineOnHostPort(name string) string {
	f.t.Helper()
	out, err := f.ecs.RegisterTaskDefinition(f.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("classic"), NetworkMode: types.NetworkModeBridge, ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String("busybox:1"), Memory: aws.Int32(64), StopTimeout: aws.Int32(2),
			Command:      []string{"sh", "-c", "echo -n " + name + " >/index.html; exec httpd -f -p 80 -h /"},
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(8080)}},
		}},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return *out.TaskDefinition.TaskDefinitionArn
}

// said holds that the events of a service have the words.
func (f *fleet) said(t *testing.T, service string, words ...string) {
	t.Helper()
	out, err := f.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{service}})
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, e := range out.Services[0].Events {
		fmt.Fprintln(&all, *e.Message)
	}
	for _, w := range words {
		if !strings.Contains(all.String(), w) {
			t.Errorf("no %q in\n%s", w, all.String())
		}
	}
}

// people ask without a pause, until it is over.
type people struct {
	cancel context.CancelFunc
	asking sync.WaitGroup
	asked  atomic.Int64

	mu     sync.Mutex
	heard  map[string]bool
	failed []string
}

// crowd asks URLs from the machine, with a new connection each time.
func (m *machine) crowd(t *testing.T, urls ...string) *people {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &people{cancel: cancel, heard: map[string]bool{}}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DialContext: m.dial, DisableKeepAlives: true}}
	for _, url := range urls {
		p.asking.Go(func() {
			for ctx.Err() == nil {
				body, err := ask(client, url)
				p.note(url, body, err)
			}
		})
	}
	t.Cleanup(func() { cancel(); p.asking.Wait() })
	return p
}

func ask(c *http.Client, url string) (string, error) {
	r, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", r.Status, body)
	}
	return string(body), err
}

func (p *people) note(url, body string, err error) {
	p.asked.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.failed = append(p.failed, fmt.Sprintf("%s %s: %v", time.Now().Format("05.000"), url, err))
		return
	}
	p.heard[body] = true
}

// over ends the asking, fails the test for what failed, and gives what was heard.
func (p *people) over(t *testing.T) (heard []string) {
	t.Helper()
	p.cancel()
	p.asking.Wait()
	t.Logf("asked %d times", p.asked.Load())
	for _, f := range p.failed[:min(len(p.failed), 10)] {
		t.Error(f)
	}
	if len(p.failed) > 0 || p.asked.Load() < 50 {
		t.Errorf("%d of %d requests failed", len(p.failed), p.asked.Load())
	}
	for body := range p.heard {
		heard = append(heard, body)
	}
	slices.Sort(heard)
	return heard
}
