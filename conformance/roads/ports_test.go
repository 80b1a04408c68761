package roads_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// dock is a service whose tasks are reached at ports of their instance, by an
// Application balancer at port 80 and a Network balancer at port 8081.
type dock struct {
	service  string
	alb, nlb string // addresses
	http     string // target group
	tcp      string
}

// dock makes one in a network mode: the container serves at a port, and at the next one
// over TCP.
func (b *berth) dock(t *testing.T, mode types.NetworkMode, port, tasks int32) *dock {
	t.Helper()
	p, d := b.defaultVPC(t), &dock{service: "dock-" + string(mode)}
	group := b.group(t, p.vpc, d.service, 80, 8081)
	balancer := func(kind elbtypes.LoadBalancerTypeEnum, protocol string, at, port int32) (address, targets string) {
		name := d.service + "-" + string(kind[:3])
		lb := b.balancer(t, &elb.CreateLoadBalancerInput{
			Name: &name, Type: kind, Subnets: p.subnets[:2], SecurityGroups: []string{group}, Scheme: elbtypes.LoadBalancerSchemeEnumInternal,
		})
		targets = b.targets(t, &elb.CreateTargetGroupInput{
			Name: &name, Protocol: elbtypes.ProtocolEnum(protocol), Port: &port, VpcId: &p.vpc, TargetType: elbtypes.TargetTypeEnumInstance,
		})
		b.listen(t, *lb.LoadBalancerArn, protocol, at, targets)
		return b.node(t, lb), targets
	}
	d.alb, d.http = balancer(elbtypes.LoadBalancerTypeEnumApplication, "HTTP", 80, port)
	d.nlb, d.tcp = balancer(elbtypes.LoadBalancerTypeEnumNetwork, "TCP", 8081, port+1)
	b.service(t, &ecs.CreateServiceInput{
		ServiceName: &d.service, TaskDefinition: aws.String(b.register(t, docked(t, "first", mode, port))), LaunchType: types.LaunchTypeEc2, DesiredCount: &tasks,
		LoadBalancers: []types.LoadBalancer{
			{TargetGroupArn: &d.http, ContainerName: aws.String("app"), ContainerPort: &port},
			{TargetGroupArn: &d.tcp, ContainerName: aws.String("app"), ContainerPort: aws.Int32(port + 1)},
		},
	})
	b.stable(t, d.service)
	b.healthy(t, d.http, int(tasks))
	b.healthy(t, d.tcp, int(tasks))
	return d
}

// docked is a definition for it. In bridge mode the ports of the instance are whatever
// is free.
func docked(t *testing.T, says string, mode types.NetworkMode, port int32) *ecs.RegisterTaskDefinitionInput {
	in := serving(t, says, types.CompatibilityEc2)
	in.NetworkMode = mode
	c := &in.ContainerDefinitions[0]
	c.Command = []string{"serve", fmt.Sprint(port), says}
	c.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(port)}, {ContainerPort: aws.Int32(port + 1)}}
	return in
}

// TestDynamicPorts has five tasks of one definition on one instance get traffic at ports
// that they were given, while they become two, other ones and five again.
//
// Proves 4A.3.
func TestDynamicPorts(t *testing.T) {
	d := here.dock(t, types.NetworkModeBridge, 8080, 5)
	servers(t, d.alb, 5)
	people := crowd(t, d.alb, "GET", "POST", "WebSocket")
	here.scale(t, d.service, 2)
	here.stable(t, d.service)
	here.healthy(t, d.http, 2)
	second := here.register(t, docked(t, "second", types.NetworkModeBridge, 8080))
	if _, err := here.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: &d.service, TaskDefinition: &second, DesiredCount: aws.Int32(5)}); err != nil {
		t.Fatal(err)
	}
	here.stable(t, d.service)
	here.healthy(t, d.http, 5)
	servers(t, d.alb, 5)
	people.content(t)
	// The defaults of instance targets keep the client's address.
	out := here.outsider(t)
	if seen := out.askTCP(t, d.nlb+":8081"); seen != out.address {
		t.Errorf("the task saw %s, not the client's %s", seen, out.address)
	}
}

// TestHostPorts has a task with its instance's own network be reached.
func TestHostPorts(t *testing.T) {
	d := here.dock(t, types.NetworkModeHost, 20000+rand.Int32N(10000), 1)
	servers(t, d.alb, 1)
	if _, err := post(t.Context(), d.alb); err != nil {
		t.Error(err)
	}
	out := here.outsider(t)
	if seen := out.askTCP(t, d.nlb+":8081"); seen != out.address {
		t.Errorf("the task saw %s, not the client's %s", seen, out.address)
	}
}
