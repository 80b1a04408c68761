package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// service describes the named one.
func (f *fleet) service(name string) types.Service {
	f.t.Helper()
	out, err := f.ecs.DescribeServices(f.t.Context(), &ecs.DescribeServicesInput{Services: []string{name}})
	if err != nil || len(out.Services) != 1 {
		f.t.Fatalf("%v %+v", err, out)
	}
	return out.Services[0]
}

// layoutOf is how many tasks of a service each machine has, the most first, when it
// has as many as it is to have, all running.
func (f *fleet) layoutOf(name string) string {
	f.t.Helper()
	list, err := f.ecs.ListTasks(f.t.Context(), &ecs.ListTasksInput{ServiceName: &name})
	if err != nil {
		f.t.Fatal(err)
	}
	s := f.service(name)
	if s.RunningCount != s.DesiredCount || s.PendingCount != 0 || len(list.TaskArns) != int(s.DesiredCount) {
		return fmt.Sprintf("%d running and %d pending of %d", s.RunningCount, s.PendingCount, s.DesiredCount)
	}
	out, err := f.ecs.DescribeTasks(f.t.Context(), &ecs.DescribeTasksInput{Tasks: list.TaskArns})
	if err != nil {
		f.t.Fatal(err)
	}
	return layout(out.Tasks)
}

// end deletes a service and waits until its tasks have stopped: INACTIVE it is
// sooner, and the machines would go with tasks on them.
func (f *fleet) end(name string) {
	f.t.Helper()
	ctx := f.t.Context()
	if _, err := f.ecs.DeleteService(ctx, &ecs.DeleteServiceInput{Service: &name, Force: aws.Bool(true)}); err != nil {
		f.t.Error(err)
		return
	}
	until(f.t, "the machines to be empty", func() bool {
		list, err := f.ecs.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{})
		if err != nil || len(list.ContainerInstanceArns) == 0 {
			f.t.Fatal(err)
		}
		out, err := f.ecs.DescribeContainerInstances(ctx, &ecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
		if err != nil {
			f.t.Fatal(err)
		}
		return !slices.ContainsFunc(out.ContainerInstances, func(i types.ContainerInstance) bool {
			free := func(of []types.Resource) int32 {
				return of[slices.IndexFunc(of, func(r types.Resource) bool { return *r.Name == "MEMORY" })].IntegerValue
			}
			return free(i.RemainingResources) != free(i.RegisteredResources)
		})
	})
}

// TestAServiceMovesBetweenMachines: tasks come over to a machine in another zone
// when it joins, and leave one that is drained.
//
// Proves 1.4.
func TestAServiceMovesBetweenMachines(t *testing.T) {
	f := newFleet(t)
	f.join("--cpu", "1024", "--memory", "1024", "--zone", "a")
	f.load("busybox:1")
	until(t, "an agent", func() bool { return len(f.instances()) == 1 })
	first := *f.instances()[0].ContainerInstanceArn
	def, name := f.define(&ecs.RegisterTaskDefinitionInput{Family: aws.String("moves"), NetworkMode: types.NetworkModeBridge}, "trap 'exit 0' TERM; while :; do usleep 20000; done"), "moves"
	if _, err := f.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{ServiceName: &name, TaskDefinition: &def, DesiredCount: aws.Int32(4)}); err != nil {
		t.Fatal(err)
	}
	defer f.end(name) // before the machines end
	until(t, "four tasks", func() bool { return f.layoutOf(name) == "[4]" })

	f.join("--cpu", "1024", "--memory", "1024", "--zone", "b")
	until(t, "two agents", func() bool { return len(f.instances()) == 2 })
	until(t, "tasks in both zones", func() bool { return f.layoutOf(name) == "[2 2]" })
	var said []string
	until(t, "word of it", func() bool {
		said = nil
		for _, e := range f.service(name).Events {
			said = append(said, strings.TrimPrefix(*e.Message, "(service moves) "))
		}
		return slices.ContainsFunc(said, func(m string) bool { return strings.HasPrefix(m, "is AZ balanced with 2 tasks in ") })
	})
	for _, want := range []string{"is not AZ balanced with 4 tasks in ", "has started 1 tasks in ", "has stopped 1 running tasks in "} {
		if !slices.ContainsFunc(said, func(m string) bool { return strings.HasPrefix(m, want) }) {
			t.Errorf("no %q in %q", want, said)
		}
	}

	if _, err := f.ecs.UpdateContainerInstancesState(t.Context(), &ecs.UpdateContainerInstancesStateInput{
		ContainerInstances: []string{first}, Status: types.ContainerInstanceStatusDraining,
	}); err != nil {
		t.Fatal(err)
	}
	until(t, "all tasks on the other machine", func() bool { return f.layoutOf(name) == "[4]" })
	for _, i := range f.instances() {
		if *i.ContainerInstanceArn == first && i.RunningTasksCount != 0 {
			t.Errorf("%d tasks run on the machine that is drained", i.RunningTasksCount)
		}
	}
}
