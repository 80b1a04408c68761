package roads_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestPublicAddressOfATask goes the way users go from a task to its public address, and
// asks there.
func TestPublicAddressOfATask(t *testing.T) {
	p := here.defaultVPC(t)
	group := here.group(t, p.vpc, family(t), 8080)
	network := p.network(group)
	network.AwsvpcConfiguration.AssignPublicIp = types.AssignPublicIpEnabled
	in := serving(t, "outside", types.CompatibilityFargate)
	definition := here.register(t, in)
	out, err := here.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: &definition, LaunchType: types.LaunchTypeFargate, NetworkConfiguration: network})
	if err != nil || len(out.Tasks) != 1 {
		t.Fatalf("%v %+v", err, out)
	}
	asked := &ecs.DescribeTasksInput{Tasks: []string{*out.Tasks[0].TaskArn}}
	stop := func() error {
		_, err := here.ecs.StopTask(after(t), &ecs.StopTaskInput{Task: &asked.Tasks[0]})
		return err
	}
	t.Cleanup(func() { _ = stop() }) // once more, where the test ends early
	w := ecs.NewTasksRunningWaiter(here.ecs, func(o *ecs.TasksRunningWaiterOptions) { o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second })
	task, err := w.WaitForOutput(t.Context(), asked, patience)
	if err != nil {
		t.Fatal(err)
	}
	eni := here.interfaceOf(t, task.Tasks[0])
	if eni.Association == nil || aws.ToString(eni.Association.IpOwnerId) != "amazon" {
		t.Fatalf("association %+v", eni.Association)
	}
	public := *eni.Association.PublicIp
	url := "http://" + net.JoinHostPort(public, "8080") + "/"
	eventually(t, url+" to answer", func() bool {
		answer, err := http.Get(url)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		said, err := io.ReadAll(answer.Body)
		return err == nil && strings.Contains(string(said), "outside")
	})
	if connects(public+":8081", 300*time.Millisecond) {
		t.Error("a port that no rule opens takes connections at the public address")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	gone := ecs.NewTasksStoppedWaiter(here.ecs, func(o *ecs.TasksStoppedWaiterOptions) { o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second })
	if err := gone.Wait(t.Context(), asked, patience); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the address to be nobody's", func() bool {
		held, err := here.ec2.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{
			Filters: []ec2types.Filter{{Name: aws.String("association.public-ip"), Values: []string{public}}},
		})
		return err == nil && len(held.NetworkInterfaces) == 0 // who answers there now is not ours to say
	})
}

// interfaceOf is a task's, by the attachment that names it.
func (b *berth) interfaceOf(t *testing.T, task types.Task) ec2types.NetworkInterface {
	t.Helper()
	for _, a := range task.Attachments {
		for _, d := range a.Details {
			if aws.ToString(d.Name) != "networkInterfaceId" {
				continue
			}
			out, err := b.ec2.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*d.Value}})
			if err != nil || len(out.NetworkInterfaces) != 1 {
				t.Fatalf("the interface %s: %v", *d.Value, err)
			}
			return out.NetworkInterfaces[0]
		}
	}
	t.Fatalf("the task names no interface: %+v", task.Attachments)
	return ec2types.NetworkInterface{}
}
