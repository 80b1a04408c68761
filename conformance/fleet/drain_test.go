package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// TestDrainingAMachineUnderLoad drains one of two machines that share a service, while
// somebody asks a balancer without a pause: its tasks go, others have come, and no
// request fails. Then the machine takes tasks again.
func TestDrainingAMachineUnderLoad(t *testing.T) {
	f := newFleet(t)
	a := f.join("--cpu", "1024", "--memory", "1024", "--zone", "a", "--edge")
	f.join("--cpu", "1024", "--memory", "1024", "--zone", "b")
	a.start("edge", "--data", filepath.Join(a.data, "edge"), "--agent", filepath.Join(a.data, "agent"), "--server", "https://"+f.server.address)
	f.load("busybox:1")
	until(t, "two agents", func() bool { return len(f.instances()) == 2 })
	group := f.openGroup(80)
	targets, _ := f.balancer(elbtypes.LoadBalancerTypeEnumApplication, group)
	def := f.defineServer(`mkdir -p /w/cgi-bin && echo up >/w/index.html && printf '#!/bin/sh\necho; cat\n' >/w/cgi-bin/echo && chmod +x /w/cgi-bin/echo && exec httpd -f -p 80 -h /w`)
	if _, err := f.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String("drained"), TaskDefinition: &def, LaunchType: types.LaunchTypeEc2, DesiredCount: aws.Int32(4),
		LoadBalancers:        []types.LoadBalancer{{TargetGroupArn: &targets, ContainerName: aws.String("main"), ContainerPort: aws.Int32(80)}},
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: f.subnets(), SecurityGroups: []string{group}}},
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.explain("drained", []string{targets}) })
	until(t, "two tasks on each", func() bool { return f.layoutOf("drained") == "[2 2]" && len(f.healthy(targets)) == 4 })

	stop := f.asking(a, "http://"+f.node()+"/cgi-bin/echo")
	there := f.instances()
	for _, i := range there {
		f.turns(*i.ContainerInstanceArn, types.ContainerInstanceStatusDraining)
		until(t, "the machine to be empty", func() bool {
			s := f.service("drained")
			return f.busy(*i.ContainerInstanceArn) == 0 && s.RunningCount == 4 && len(f.healthy(targets)) == 4
		})
		f.turns(*i.ContainerInstanceArn, types.ContainerInstanceStatusActive)
	}
	asked, failed := stop()
	t.Logf("asked %d times", asked)
	if asked < 50 || len(failed) > 0 {
		t.Errorf("%d of %d failed: %v", len(failed), asked, errors.Join(failed...))
	}
	f.end("drained")
}

// turns gives an instance a status.
func (f *fleet) turns(instance string, status types.ContainerInstanceStatus) {
	f.t.Helper()
	out, err := f.ecs.UpdateContainerInstancesState(f.t.Context(), &ecs.UpdateContainerInstancesStateInput{ContainerInstances: []string{instance}, Status: status})
	if err != nil || len(out.Failures) > 0 || aws.ToString(out.ContainerInstances[0].Status) != string(status) {
		f.t.Fatalf("%v %+v", err, out)
	}
}

// busy is how many tasks an instance has.
func (f *fleet) busy(instance string) int32 {
	f.t.Helper()
	out, err := f.ecs.DescribeContainerInstances(f.t.Context(), &ecs.DescribeContainerInstancesInput{ContainerInstances: []string{instance}})
	if err != nil || len(out.ContainerInstances) != 1 {
		f.t.Fatalf("%v %+v", err, out)
	}
	return out.ContainerInstances[0].RunningTasksCount + out.ContainerInstances[0].PendingTasksCount
}

// node is the address of a node of the only balancer.
func (f *fleet) node() string {
	f.t.Helper()
	out, err := f.ec2.DescribeNetworkInterfaces(f.t.Context(), &ec2.DescribeNetworkInterfacesInput{
		Filters: []ec2types.Filter{{Name: aws.String("description"), Values: []string{"ELB *"}}},
	})
	if err != nil || len(out.NetworkInterfaces) == 0 {
		f.t.Fatalf("%v %+v", err, out)
	}
	return *out.NetworkInterfaces[0].PrivateIpAddress
}

// asking sends GETs and POSTs from a machine in turn, until stopped.
func (f *fleet) asking(from *machine, url string) (stop func() (asked int, failed []error)) {
	ctx, cancel := context.WithCancel(context.Background())
	client := &http.Client{Transport: &http.Transport{DialContext: from.dial}, Timeout: time.Minute}
	var work sync.WaitGroup
	asked, failed := 0, []error{}
	work.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			method, body := http.MethodGet, ""
			if n%2 == 1 {
				method, body = http.MethodPost, strings.Repeat("x", 1000)
			}
			if err := echoed(ctx, client, method, url, body); ctx.Err() == nil {
				asked++
				if err != nil {
					failed = append(failed, err)
				}
			}
		}
	})
	f.t.Cleanup(func() { cancel(); work.Wait() })
	return func() (int, []error) { cancel(); work.Wait(); return asked, failed }
}

func echoed(ctx context.Context, client *http.Client, method, url, body string) error {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	back, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || string(back) != body {
		return fmt.Errorf("%s %s: %.60q", method, answer.Status, back)
	}
	return nil
}
