package fleet

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// TestOneServiceOnTwoMachines has one service behind an Application and a Network
// balancer, on two hosts. Cutting one off takes its targets out, and no more.
func TestOneServiceOnTwoMachines(t *testing.T) {
	f := newFleet(t)
	a := f.join("--cpu", "1024", "--memory", "1024", "--zone", "a", "--edge")
	b := f.join("--cpu", "1024", "--memory", "1024", "--zone", "b")
	a.start("edge", "--data", filepath.Join(a.data, "edge"), "--agent", filepath.Join(a.data, "agent"), "--server", "https://"+f.server.address)
	f.load("busybox:1")
	until(t, "two agents", func() bool { return len(f.instances()) == 2 })

	group := f.openGroup(80)
	var balanced []types.LoadBalancer
	var groups, names []string
	for _, kind := range []elbtypes.LoadBalancerTypeEnum{elbtypes.LoadBalancerTypeEnumApplication, elbtypes.LoadBalancerTypeEnumNetwork} {
		arn, name := f.balancer(kind, group)
		groups, names = append(groups, arn), append(names, name)
		balanced = append(balanced, types.LoadBalancer{TargetGroupArn: &arn, ContainerName: aws.String("main"), ContainerPort: aws.Int32(80)})
	}
	def := f.defineServer(`hostname >/index.html; exec httpd -f -p 80 -h /`)
	if _, err := f.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String("both"), TaskDefinition: &def, LaunchType: types.LaunchTypeEc2, DesiredCount: aws.Int32(4), LoadBalancers: balanced,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: f.subnets(), SecurityGroups: []string{group}}},
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.explain("both", groups) })
	for _, g := range groups {
		until(t, "four healthy targets", func() bool { return len(f.healthy(g)) == 4 })
	}
	first := f.healthy(groups[0])
	f.asks(t, "before", names, 4)
	if out, err := exec.Command("ip", "-n", b.space, "link", "set", "eth0", "down").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, g := range groups {
		until(t, "two of the first targets to be out", func() bool { // others come in their place
			return len(slices.DeleteFunc(f.healthy(g), func(id string) bool { return !slices.Contains(first, id) })) == 2
		})
	}
	f.asks(t, "after", names, 2)
	if out, err := exec.Command("ip", "-n", b.space, "link", "set", "eth0", "up").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f.end("both")
}

// explain logs, when the test failed, what was said about a service and its targets.
func (f *fleet) explain(service string, groups []string) {
	if !f.t.Failed() {
		return
	}
	ctx := context.WithoutCancel(f.t.Context())
	if out, err := f.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{service}}); err == nil && len(out.Services) == 1 {
		for _, e := range out.Services[0].Events {
			f.t.Log(*e.Message)
		}
	}
	for _, g := range groups {
		out, err := f.elb.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &g})
		if err != nil {
			continue
		}
		for _, h := range out.TargetHealthDescriptions {
			f.t.Log(*h.Target.Id, h.TargetHealth.State, h.TargetHealth.Reason, aws.ToString(h.TargetHealth.Description))
		}
	}
}

// asks has a task on the first machine ask each balancer: so many servers answer at
// least (the service replaces those that are cut off), and no request fails.
func (f *fleet) asks(t *testing.T, family string, names []string, servers int) {
	t.Helper()
	for _, name := range names {
		script := `for i in $(seq 40); do wget -q -O - http://` + name + `/ || exit 1; done | sort | uniq | wc -l >/n; echo heard $(cat /n); [ $(cat /n) -ge ` + strconv.Itoa(servers) + ` ]`
		task := f.run(f.inZone("a", family, script))[0]
		if code := task.Containers[0].ExitCode; code == nil || *code != 0 {
			t.Errorf("%s, %s: %s", family, name, aws.ToString(task.StoppedReason))
		}
	}
}

// openGroup is a security group of the default VPC that lets everybody in at ports.
func (f *fleet) openGroup(ports ...int32) string {
	f.t.Helper()
	out, err := f.ec2.CreateSecurityGroup(f.t.Context(), &ec2.CreateSecurityGroupInput{GroupName: aws.String("open"), Description: aws.String("open"), VpcId: f.vpc()})
	if err != nil {
		f.t.Fatal(err)
	}
	in := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: out.GroupId}
	for _, port := range ports {
		in.IpPermissions = append(in.IpPermissions, ec2types.IpPermission{
			IpProtocol: aws.String("tcp"), FromPort: &port, ToPort: &port, IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
		})
	}
	if _, err := f.ec2.AuthorizeSecurityGroupIngress(f.t.Context(), in); err != nil {
		f.t.Fatal(err)
	}
	return *out.GroupId
}

func (f *fleet) vpc() *string {
	f.t.Helper()
	out, err := f.ec2.DescribeVpcs(f.t.Context(), &ec2.DescribeVpcsInput{})
	if err != nil || len(out.Vpcs) != 1 {
		f.t.Fatalf("%v %+v", err, out)
	}
	return out.Vpcs[0].VpcId
}

// balancer makes one that leads port 80 to a target group, and gives the group and the
// balancer's name.
func (f *fleet) balancer(kind elbtypes.LoadBalancerTypeEnum, group string) (targets, name string) {
	f.t.Helper()
	protocol := elbtypes.ProtocolEnumHttp
	if kind == elbtypes.LoadBalancerTypeEnumNetwork {
		protocol = elbtypes.ProtocolEnumTcp
	}
	lb, err := f.elb.CreateLoadBalancer(f.t.Context(), &elb.CreateLoadBalancerInput{
		Name: aws.String(string(kind)), Type: kind, Scheme: elbtypes.LoadBalancerSchemeEnumInternal, Subnets: f.subnets(), SecurityGroups: []string{group},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	tg, err := f.elb.CreateTargetGroup(f.t.Context(), &elb.CreateTargetGroupInput{
		Name: aws.String(string(kind)), Protocol: protocol, Port: aws.Int32(80), VpcId: f.vpc(), TargetType: elbtypes.TargetTypeEnumIp,
		HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	arn := tg.TargetGroups[0].TargetGroupArn
	if _, err := f.elb.ModifyTargetGroupAttributes(f.t.Context(), &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: arn, Attributes: []elbtypes.TargetGroupAttribute{
		{Key: aws.String("load_balancing.cross_zone.enabled"), Value: aws.String("true")},
	}}); err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.elb.CreateListener(f.t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Protocol: protocol, Port: aws.Int32(80),
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: arn}},
	}); err != nil {
		f.t.Fatal(err)
	}
	return *arn, *lb.LoadBalancers[0].DNSName
}

// healthy are the targets of a group that are.
func (f *fleet) healthy(group string) (ids []string) {
	f.t.Helper()
	out, err := f.elb.DescribeTargetHealth(f.t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &group})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, h := range out.TargetHealthDescriptions {
		if h.TargetHealth.State == elbtypes.TargetHealthStateEnumHealthy {
			ids = append(ids, *h.Target.Id)
		}
	}
	return ids
}

// defineServer is a definition whose container serves at port 80.
func (f *fleet) defineServer(script string) string {
	f.t.Helper()
	out, err := f.ecs.RegisterTaskDefinition(f.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("server"), NetworkMode: types.NetworkModeAwsvpc,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String("busybox:1"), Command: []string{"sh", "-c", script}, Memory: aws.Int32(64),
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80)}},
		}},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return *out.TaskDefinition.TaskDefinitionArn
}
