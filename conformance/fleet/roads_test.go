package fleet

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestTasksOfTwoMachinesShareAVPC has a task of one machine ask a task of another by
// its private address, as members of the VPC's default security group.
func TestTasksOfTwoMachinesShareAVPC(t *testing.T) {
	f := newFleet(t)
	f.join("--cpu", "1024", "--memory", "1024", "--zone", "a")
	f.join("--cpu", "1024", "--memory", "1024", "--zone", "b")
	f.load("busybox:1")
	until(t, "two agents", func() bool { return len(f.instances()) == 2 })
	server, err := f.ecs.RunTask(t.Context(), f.inZone("a", "server", `echo over there > /index.html; exec httpd -f -p 80 -h /`))
	if err != nil || len(server.Tasks) != 1 {
		t.Fatalf("%v %+v", err, server)
	}
	at := f.address(*server.Tasks[0].TaskArn)
	asker := f.run(f.inZone("b", "asker", `for i in 1 2 3 4 5; do wget -O - http://`+at+`/ && exit 0; sleep 1; done; exit 1`))[0]
	wantExit0(t, asker)
	f.printed(asker, "over there")
	if _, err := f.ecs.StopTask(t.Context(), &ecs.StopTaskInput{Task: server.Tasks[0].TaskArn}); err != nil {
		t.Error(err)
	}
}

// inZone is a task with an interface of its own on the machine of a zone.
func (f *fleet) inZone(letter, family, script string) *ecs.RunTaskInput {
	def := f.define(&ecs.RegisterTaskDefinitionInput{Family: &family, NetworkMode: types.NetworkModeAwsvpc}, script)
	return &ecs.RunTaskInput{
		TaskDefinition: &def, LaunchType: types.LaunchTypeEc2,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: f.subnets()}},
		PlacementConstraints: []types.PlacementConstraint{{
			Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String("attribute:ecs.availability-zone == us-east-1" + letter),
		}},
	}
}

// address is the private one of a task, once it runs.
func (f *fleet) address(arn string) string {
	f.t.Helper()
	w := ecs.NewTasksRunningWaiter(f.ecs, func(o *ecs.TasksRunningWaiterOptions) { o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second })
	out, err := w.WaitForOutput(f.t.Context(), &ecs.DescribeTasksInput{Tasks: []string{arn}}, time.Minute)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, i := range out.Tasks[0].Containers[0].NetworkInterfaces {
		if a := aws.ToString(i.PrivateIpv4Address); strings.HasPrefix(a, "172.31.") {
			return a
		}
	}
	f.t.Fatalf("no address in %+v", out.Tasks[0].Containers[0])
	return ""
}
