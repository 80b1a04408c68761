package life_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// serve creates a service, named after the test, and deletes it with it.
func (b *berth) serve(t *testing.T, definition string, desired int32, change ...func(*ecs.CreateServiceInput)) string {
	t.Helper()
	name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())
	in := &ecs.CreateServiceInput{ServiceName: &name, TaskDefinition: &definition, DesiredCount: &desired}
	for _, c := range change {
		c(in)
	}
	if _, err := b.ecs.CreateService(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var gone *types.ServiceNotFoundException
		_, err := b.ecs.DeleteService(context.WithoutCancel(t.Context()), &ecs.DeleteServiceInput{Service: &name, Force: aws.Bool(true)})
		if err != nil && !errors.As(err, &gone) {
			t.Error(err)
		}
	})
	return name
}

// stable waits as `aws ecs wait services-stable` does, only more often.
func (b *berth) stable(t *testing.T, name string) types.Service {
	t.Helper()
	if err := b.waitStable(t, name, patience); err != nil {
		s := b.service(t, name)
		t.Fatalf("%v: %d of %d run\n%s", err, s.RunningCount, s.DesiredCount, strings.Join(messages(s), "\n"))
	}
	return b.service(t, name)
}

func (b *berth) waitStable(t *testing.T, name string, most time.Duration) error {
	w := ecs.NewServicesStableWaiter(b.ecs, func(o *ecs.ServicesStableWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, 500*time.Millisecond
	})
	return w.Wait(t.Context(), &ecs.DescribeServicesInput{Services: []string{name}}, most)
}

func (b *berth) service(t *testing.T, name string) types.Service {
	t.Helper()
	out, err := b.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{name}})
	if err != nil || len(out.Services) != 1 {
		t.Fatalf("describe %s: %v", name, err)
	}
	return out.Services[0]
}

func (b *berth) update(t *testing.T, name string, change func(*ecs.UpdateServiceInput)) types.Service {
	t.Helper()
	in := &ecs.UpdateServiceInput{Service: &name}
	change(in)
	out, err := b.ecs.UpdateService(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.Service
}

// crew are the tasks of a service that are wanted running.
func (b *berth) crew(t *testing.T, name string) []types.Task {
	t.Helper()
	list, err := b.ecs.ListTasks(t.Context(), &ecs.ListTasksInput{ServiceName: &name})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.TaskArns) == 0 {
		return nil
	}
	out, err := b.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: list.TaskArns})
	if err != nil {
		t.Fatal(err)
	}
	return out.Tasks
}

// messages are a service's events, the newest first.
func messages(s types.Service) []string {
	var out []string
	for _, e := range s.Events {
		out = append(out, aws.ToString(e.Message))
	}
	return out
}

// said counts the events that begin with some words about the service.
func said(s types.Service, format string, args ...any) int {
	n := 0
	for _, m := range messages(s) {
		if strings.HasPrefix(m, "(service "+*s.ServiceName+") "+fmt.Sprintf(format, args...)) {
			n++
		}
	}
	return n
}

// tells fails the test when one of the messages is not among the events.
func tells(t *testing.T, s types.Service, prefixes ...string) {
	t.Helper()
	for _, p := range prefixes {
		if said(s, "%s", p) == 0 {
			t.Errorf("no event %q:\n%s", p, strings.Join(messages(s), "\n"))
		}
	}
}

// TestStableMeansThatTasksRun: who waits for a service gets it when its tasks run,
// and not while they are pending.
//
// Proves 1.2, 2.0, rolling-deployment.
func TestStableMeansThatTasksRun(t *testing.T) {
	t.Parallel()
	gate, app := helper(sh("gate", "sleep 3")), patient("app")
	app.DependsOn = needs("gate", types.ContainerConditionSuccess)
	name := here.serve(t, here.register(t, onEC2(gate, app)), 2)
	eventually(t, "pending tasks", func() bool { return here.service(t, name).PendingCount == 2 })
	if err := here.waitStable(t, name, time.Second); err == nil {
		t.Error("stable while its tasks are pending")
	}
	s := here.stable(t, name)
	if s.RunningCount != 2 || s.PendingCount != 0 || len(s.Deployments) != 1 || aws.ToString(s.Status) != "ACTIVE" {
		t.Errorf("%s", shown(s))
	}
	eventually(t, "the end of the deployment", func() bool {
		return here.service(t, name).Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
	})
	eventually(t, "a steady state", func() bool { return said(here.service(t, name), "has reached a steady state.") == 1 })
	s = here.service(t, name)
	tells(t, s, "has started 2 tasks: (task ", fmt.Sprintf("(deployment %s) deployment completed.", *s.Deployments[0].Id))
	for _, task := range here.crew(t, name) {
		if aws.ToString(task.StartedBy) != *s.Deployments[0].Id || aws.ToString(task.Group) != "service:"+name {
			t.Errorf("started by %s in %s", aws.ToString(task.StartedBy), aws.ToString(task.Group))
		}
	}
}

// Proves 1.2.
func TestScaleAServiceOutAndIn(t *testing.T) {
	t.Parallel()
	d := onEC2(patient("app"))
	d.ContainerDefinitions[0].Memory = aws.Int32(16)
	name := here.serve(t, here.register(t, d), 1)
	first := here.stable(t, name)
	for _, n := range []int32{10, 1} {
		here.update(t, name, func(in *ecs.UpdateServiceInput) { in.DesiredCount = &n })
		s := here.stable(t, name)
		if s.RunningCount != n || *s.Deployments[0].Id != *first.Deployments[0].Id {
			t.Errorf("%d of %d run, by %s", s.RunningCount, n, *s.Deployments[0].Id)
		}
	}
	tells(t, here.service(t, name), "has started 9 tasks: (task ", "has stopped 9 running tasks: (task ")
}

// Proves 1.2.
func TestForceNewDeployment(t *testing.T) {
	t.Parallel()
	name := here.serve(t, here.register(t, onEC2(patient("app"))), 2)
	before := here.stable(t, name)
	old := here.crew(t, name)
	after := here.update(t, name, func(in *ecs.UpdateServiceInput) { in.ForceNewDeployment = true })
	if len(after.Deployments) != 2 || *after.Deployments[0].Id == *before.Deployments[0].Id || *after.TaskDefinition != *before.TaskDefinition {
		t.Fatalf("%s", shown(after.Deployments))
	}
	here.stable(t, name)
	for _, task := range old {
		end := here.stopped(t, *task.TaskArn)
		if want := "Scaling activity initiated by (deployment " + *after.Deployments[0].Id + ")"; aws.ToString(end.StoppedReason) != want || end.StopCode != types.TaskStopCodeServiceSchedulerInitiated {
			t.Errorf("%s", summary(end))
		}
	}
}

// TestAKilledTaskIsReplaced kills a task's process behind berth's back.
//
// Proves 1.2.
func TestAKilledTaskIsReplaced(t *testing.T) {
	t.Parallel()
	name := here.serve(t, here.register(t, onEC2(sh("app", "exec sleep 86411"))), 1)
	here.stable(t, name)
	first := here.crew(t, name)[0]
	killed := false
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if line, _ := os.ReadFile(file); string(line) == "sleep\x0086411\x00" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			killed = syscall.Kill(pid, syscall.SIGKILL) == nil || killed
		}
	}
	if !killed {
		t.Fatal("the process was not found")
	}
	if end := here.stopped(t, *first.TaskArn); exited(t, end, "app") != 137 || aws.ToString(end.StoppedReason) != "Essential container in task exited" {
		t.Error(summary(end))
	}
	here.stable(t, name)
	eventually(t, "another task", func() bool {
		crew := here.crew(t, name)
		return len(crew) == 1 && *crew[0].TaskArn != *first.TaskArn
	})
}

// TestDeletedServicesCanComeAgain: DRAINING, then INACTIVE and still described, and
// the name is free again.
//
// Proves 1.2.
func TestDeletedServicesCanComeAgain(t *testing.T) {
	t.Parallel()
	definition := here.register(t, onEC2(patient("app")))
	name := here.serve(t, definition, 1)
	here.stable(t, name)
	var refused *types.InvalidParameterException
	if _, err := here.ecs.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: &name}); !errors.As(err, &refused) ||
		refused.ErrorMessage() == "" || !strings.HasPrefix(*refused.Message, "The service cannot be stopped while the primary deployment is scaled above 0.") {
		t.Errorf("deleted while it runs: %v", err)
	}
	out, err := here.ecs.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: &name, Force: aws.Bool(true)})
	if err != nil || *out.Service.Status != "DRAINING" || out.Service.DesiredCount != 0 {
		t.Fatalf("%s %v", shown(out), err)
	}
	w := ecs.NewServicesInactiveWaiter(here.ecs, func(o *ecs.ServicesInactiveWaiterOptions) { o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second })
	if err := w.Wait(t.Context(), &ecs.DescribeServicesInput{Services: []string{name}}, patience); err != nil {
		t.Fatal(err)
	}
	list, err := here.ecs.ListServices(t.Context(), &ecs.ListServicesInput{MaxResults: aws.Int32(100)})
	if err != nil || strings.Contains(strings.Join(list.ServiceArns, " ")+" ", "/"+name+" ") {
		t.Errorf("still listed: %v %v", list, err)
	}
	if _, err := here.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{ServiceName: &name, TaskDefinition: &definition, DesiredCount: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	if s := here.stable(t, name); aws.ToString(s.Status) != "ACTIVE" || s.RunningCount != 1 {
		t.Errorf("%s", shown(s))
	}
}

// TestServicesByCommandLine waits with the waiters of the installed aws CLI.
//
// Proves 1.2, 3A.3.
func TestServicesByCommandLine(t *testing.T) {
	t.Parallel()
	c := clis(t)[0]
	name := here.serve(t, here.register(t, onEC2(patient("app"))), 1)
	c.says(t, "ecs", "wait", "services-stable", "--services", name)
	if got := c.says(t, "ecs", "describe-services", "--services", name, "--query", "services[0].[status,runningCount,desiredCount,length(deployments)]", "--output", "text"); got != "ACTIVE\t1\t1\t1" {
		t.Errorf("%q", got)
	}
	if got := c.says(t, "ecs", "delete-service", "--service", name, "--force", "--query", "service.status", "--output", "text"); got != "DRAINING" {
		t.Errorf("%q", got)
	}
	c.says(t, "ecs", "wait", "services-inactive", "--services", name)
}
