package roads_test

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// TestOneOfThreeIsKilled kills the process of one of three targets under load: a client
// that asks again has no error, and the other two share what comes, half and half.
func TestOneOfThreeIsKilled(t *testing.T) {
	p, name := here.defaultVPC(t), "trio"
	group := here.group(t, p.vpc, name, 80, 8080)
	lb := here.balancer(t, &elb.CreateLoadBalancerInput{
		Name: aws.String(name), Subnets: p.subnets, SecurityGroups: []string{group}, Scheme: elbtypes.LoadBalancerSchemeEnumInternal,
	})
	targets := here.targets(t, &elb.CreateTargetGroupInput{
		Name: aws.String(name), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: &p.vpc, TargetType: elbtypes.TargetTypeEnumIp,
	})
	here.listen(t, *lb.LoadBalancerArn, "HTTP", 80, targets)
	here.trio(t, p.network(group), targets, name)
	here.healthy(t, targets, 3)
	node := here.node(t, lb)
	servers(t, node, 3)
	people := crowd(t, node, "GET again")
	if err := syscall.Kill(processes(t, name)[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	here.healthy(t, targets, 2)
	people.content(t)
	const asked = 400
	shares := map[string]int{}
	for range asked {
		r, err := http.Get("http://" + node + "/")
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusOK {
			t.Fatal(r.Status)
		}
		shares[r.Header.Get("Served-By")]++
	}
	for by, n := range shares {
		if n < asked*45/100 || n > asked*55/100 {
			t.Errorf("%s answered %d of %d", by, n, asked)
		}
	}
	if len(shares) != 2 {
		t.Errorf("%v answered", shares)
	}
}

// trio runs three tasks and registers their addresses.
func (b *berth) trio(t *testing.T, network *types.NetworkConfiguration, group, name string) {
	t.Helper()
	definition := b.register(t, serving(t, name, types.CompatibilityEc2))
	out, err := b.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: &definition, LaunchType: types.LaunchTypeEc2, NetworkConfiguration: network, Count: aws.Int32(3)})
	if err != nil || len(out.Tasks) != 3 {
		t.Fatalf("%v %+v", err, out)
	}
	in := &elb.RegisterTargetsInput{TargetGroupArn: &group}
	for _, task := range out.Tasks {
		t.Cleanup(func() {
			if _, err := b.ecs.StopTask(after(t), &ecs.StopTaskInput{Task: task.TaskArn}); err != nil {
				t.Error(err)
			}
		})
		for _, d := range task.Attachments[0].Details {
			if *d.Name == "privateIPv4Address" {
				in.Targets = append(in.Targets, elbtypes.TargetDescription{Id: d.Value})
			}
		}
	}
	if _, err := b.elb.RegisterTargets(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}
