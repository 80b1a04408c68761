package fleet

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// layout is how many tasks each machine has, the most first.
func layout(tasks []types.Task) string {
	held := map[string]int{}
	for _, task := range tasks {
		held[*task.ContainerInstanceArn]++
	}
	counts := slices.Sorted(maps.Values(held))
	slices.Reverse(counts)
	return fmt.Sprint(counts)
}

// start runs tasks that go on until the test ends, and waits until they run.
func (f *fleet) start(t *testing.T, in *ecs.RunTaskInput) *ecs.RunTaskOutput {
	t.Helper()
	out, err := f.ecs.RunTask(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	about := &ecs.DescribeTasksInput{}
	for _, task := range out.Tasks {
		about.Tasks = append(about.Tasks, *task.TaskArn)
	}
	t.Cleanup(func() { f.stop(about) })
	waiter := ecs.NewTasksRunningWaiter(f.ecs, func(o *ecs.TasksRunningWaiterOptions) { o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second })
	if err := waiter.Wait(t.Context(), about, 2*time.Minute); err != nil {
		t.Fatal(err)
	}
	return out
}

func (f *fleet) stop(about *ecs.DescribeTasksInput) {
	f.t.Helper()
	for _, task := range about.Tasks {
		if _, err := f.ecs.StopTask(f.t.Context(), &ecs.StopTaskInput{Task: &task}); err != nil {
			f.t.Error(err)
		}
	}
	waiter := ecs.NewTasksStoppedWaiter(f.ecs, func(o *ecs.TasksStoppedWaiterOptions) { o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second })
	if err := waiter.Wait(f.t.Context(), about, 2*time.Minute); err != nil {
		f.t.Error(err)
	}
}

// TestLayouts holds placement against what AWS documents of its strategies and
// constraints, on three machines in two zones.
//
// Proves 2A.3.
func TestLayouts(t *testing.T) {
	f := newFleet(t)
	for _, zone := range []string{"a", "a", "b"} {
		f.join("--cpu", "1024", "--memory", "1024", "--zone", zone)
	}
	f.load("busybox:1")
	until(t, "three agents", func() bool { return len(f.instances()) == 3 })
	def := f.define(&ecs.RegisterTaskDefinitionInput{Family: aws.String("layout"), NetworkMode: types.NetworkModeBridge}, "trap 'exit 0' TERM; while :; do usleep 20000; done")
	only := f.instances()[1].ContainerInstanceArn
	if _, err := f.ecs.PutAttributes(t.Context(), &ecs.PutAttributesInput{Attributes: []types.Attribute{
		{Name: aws.String("stack"), Value: aws.String("blue"), TargetId: only, TargetType: types.TargetTypeContainerInstance},
	}}); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		name     string
		strategy []types.PlacementStrategy
		count    int32
		want     string
	}{
		{"binpack", []types.PlacementStrategy{{Type: types.PlacementStrategyTypeBinpack, Field: aws.String("memory")}}, 4, "[4]"},
		{"spread over instances", []types.PlacementStrategy{{Type: types.PlacementStrategyTypeSpread, Field: aws.String("instanceId")}}, 4, "[2 1 1]"},
		{"spread over zones, packed in each", []types.PlacementStrategy{
			{Type: types.PlacementStrategyTypeSpread, Field: aws.String("attribute:ecs.availability-zone")},
			{Type: types.PlacementStrategyTypeBinpack, Field: aws.String("memory")},
		}, 4, "[2 2]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := f.start(t, &ecs.RunTaskInput{TaskDefinition: &def, Count: &c.count, PlacementStrategy: c.strategy})
			if got := layout(out.Tasks); got != c.want || len(out.Failures) != 0 {
				t.Errorf("%s, not %s; failures %v", got, c.want, out.Failures)
			}
		})
	}
	t.Run("distinctInstance", func(t *testing.T) {
		out := f.start(t, &ecs.RunTaskInput{TaskDefinition: &def, Count: aws.Int32(4), PlacementConstraints: []types.PlacementConstraint{{Type: types.PlacementConstraintTypeDistinctInstance}}})
		if got := layout(out.Tasks); got != "[1 1 1]" || len(out.Failures) != 3 {
			t.Errorf("%s; failures %v", got, out.Failures)
		}
	})
	t.Run("memberOf", func(t *testing.T) {
		out := f.start(t, &ecs.RunTaskInput{TaskDefinition: &def, Count: aws.Int32(3), PlacementConstraints: []types.PlacementConstraint{
			{Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String("attribute:stack == blue")},
		}})
		if got := layout(out.Tasks); got != "[3]" || *out.Tasks[0].ContainerInstanceArn != *only {
			t.Errorf("%s, on %s", got, *out.Tasks[0].ContainerInstanceArn)
		}
	})
	t.Run("a port that is taken", func(t *testing.T) {
		ports := f.definePort("port", 8099)
		pack := []types.PlacementStrategy{{Type: types.PlacementStrategyTypeBinpack, Field: aws.String("memory")}}
		out := f.start(t, &ecs.RunTaskInput{TaskDefinition: &ports, Count: aws.Int32(4), PlacementStrategy: pack})
		if got := layout(out.Tasks); got != "[1 1 1]" || len(out.Failures) != 3 || aws.ToString(out.Failures[0].Reason) != "RESOURCE:PORTS" {
			t.Errorf("%s; failures %v", got, out.Failures)
		}
	})
	t.Run("a machine of the capacity provider comes", func(t *testing.T) { f.waitForProvider(t, def) })
}

// definePort is a definition that takes a port of its machine.
func (f *fleet) definePort(family string, port int32) string {
	f.t.Helper()
	out, err := f.ecs.RegisterTaskDefinition(f.t.Context(), &ecs.RegisterTaskDefinitionInput{Family: &family, ContainerDefinitions: []types.ContainerDefinition{{
		Name: aws.String("main"), Image: aws.String("busybox:1"), Command: []string{"sh", "-c", "trap 'exit 0' TERM; while :; do usleep 20000; done"}, Memory: aws.Int32(64),
		PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: &port}},
	}}})
	if err != nil {
		f.t.Fatal(err)
	}
	return *out.TaskDefinition.TaskDefinitionArn
}

// waitForProvider runs a task by a capacity provider that has no machine yet.
func (f *fleet) waitForProvider(t *testing.T, def string) {
	name := "big"
	if _, err := f.ecs.CreateCapacityProvider(t.Context(), &ecs.CreateCapacityProviderInput{Name: &name, AutoScalingGroupProvider: &types.AutoScalingGroupProvider{
		AutoScalingGroupArn: aws.String("arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:0f6a1e7e-2d5b-4e0c-8a39-6a8f5d6b0a11:autoScalingGroupName/big"),
		ManagedScaling:      &types.ManagedScaling{Status: types.ManagedScalingStatusEnabled},
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ecs.PutClusterCapacityProviders(t.Context(), &ecs.PutClusterCapacityProvidersInput{
		Cluster: aws.String("default"), CapacityProviders: []string{name}, DefaultCapacityProviderStrategy: []types.CapacityProviderStrategyItem{{CapacityProvider: &name}},
	}); err != nil {
		t.Fatal(err)
	}
	out, err := f.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: &def})
	if err != nil || len(out.Tasks) != 1 || aws.ToString(out.Tasks[0].LastStatus) != "PROVISIONING" || out.Tasks[0].ContainerInstanceArn != nil {
		t.Fatalf("%v %+v", err, out)
	}
	about := &ecs.DescribeTasksInput{Tasks: []string{*out.Tasks[0].TaskArn}}
	t.Cleanup(func() { f.stop(about) })
	f.join("--cpu", "1024", "--memory", "512", "--capacity-provider", name)
	waiter := ecs.NewTasksRunningWaiter(f.ecs, func(o *ecs.TasksRunningWaiterOptions) { o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second })
	ran, err := waiter.WaitForOutput(t.Context(), about, 2*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range f.instances() {
		if *i.ContainerInstanceArn == *ran.Tasks[0].ContainerInstanceArn && aws.ToString(i.CapacityProviderName) != name {
			t.Errorf("runs on %s of %q", *i.ContainerInstanceArn, aws.ToString(i.CapacityProviderName))
		}
	}
}
