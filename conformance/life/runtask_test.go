package life_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func tag(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

func TestRunTaskRemembersWhoAsked(t *testing.T) {
	t.Parallel()
	d := onEC2(patient("app"))
	d.Tags = []types.Tag{tag("team", "vision")}
	by := "me-" + t.Name()
	arn := here.run(t, d, func(in *ecs.RunTaskInput) {
		in.StartedBy, in.Group, in.Tags, in.PropagateTags = &by, aws.String("nightly"), []types.Tag{tag("run", "7")}, types.PropagateTagsTaskDefinition
	})
	out, err := here.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{arn}, Include: []types.TaskField{types.TaskFieldTags}})
	if err != nil || len(out.Tasks) != 1 {
		t.Fatal(err)
	}
	task := out.Tasks[0]
	if aws.ToString(task.StartedBy) != by || aws.ToString(task.Group) != "nightly" || len(task.Tags) != 2 {
		t.Errorf("%s by %s, tags %s", aws.ToString(task.Group), aws.ToString(task.StartedBy), shown(task.Tags))
	}
	for what, in := range map[string]*ecs.ListTasksInput{
		"startedBy": {StartedBy: &by}, "family": {Family: d.Family}, "launch type": {LaunchType: types.LaunchTypeEc2, Family: d.Family},
	} {
		list, err := here.ecs.ListTasks(t.Context(), in)
		if err != nil || !slices.Equal(list.TaskArns, []string{arn}) {
			t.Errorf("by %s: %s %v", what, shown(list), err)
		}
	}
	here.printed(t, arn, "app", "app up")
	here.stopTask(t, arn)
	list, err := here.ecs.ListTasks(t.Context(), &ecs.ListTasksInput{Family: d.Family})
	if err != nil || len(list.TaskArns) != 0 {
		t.Errorf("a stopped task is listed: %s %v", shown(list), err)
	}
	list, err = here.ecs.ListTasks(t.Context(), &ecs.ListTasksInput{Family: d.Family, DesiredStatus: types.DesiredStatusStopped})
	if err != nil || !slices.Equal(list.TaskArns, []string{arn}) {
		t.Errorf("stopped: %s %v", shown(list), err)
	}
}

func TestRunTaskOnce(t *testing.T) {
	t.Parallel()
	arn := here.register(t, onEC2(patient("app")))
	in := &ecs.RunTaskInput{TaskDefinition: &arn, ClientToken: aws.String("token-" + t.Name()), Count: aws.Int32(2)}
	first, err := here.ecs.RunTask(t.Context(), in)
	if err != nil || len(first.Tasks) != 2 {
		t.Fatal(err)
	}
	second, err := here.ecs.RunTask(t.Context(), in)
	if err != nil || len(second.Tasks) != 2 || *second.Tasks[0].TaskArn != *first.Tasks[0].TaskArn {
		t.Errorf("the same token ran %s %v", shown(second), err)
	}
	for _, task := range first.Tasks {
		here.halt(t, *task.TaskArn, nil)
	}
}

// TestInstances drains, refills and leaves a machine.
func TestInstances(t *testing.T) {
	t.Parallel()
	b := ownBerth(t, "--cpu", "1024", "--memory", "1024")
	list, err := b.ecs.ListContainerInstances(t.Context(), nil)
	if err != nil || len(list.ContainerInstanceArns) != 1 {
		t.Fatal(shown(list), err)
	}
	instance := list.ContainerInstanceArns[0]
	d := sized("256", "400")
	task := b.run(t, d)
	b.printed(t, task, "app", "app up")
	if cpu, memory := b.remaining(t, instance); cpu != 768 || memory != 624 {
		t.Errorf("with a task: %d CPU units and %d MiB are left", cpu, memory)
	}

	started, err := b.ecs.StartTask(t.Context(), &ecs.StartTaskInput{TaskDefinition: d.Family, ContainerInstances: []string{instance}})
	if err != nil || len(started.Tasks) != 1 || *started.Tasks[0].ContainerInstanceArn != instance {
		t.Fatalf("%s %v", shown(started), err)
	}
	b.printed(t, *started.Tasks[0].TaskArn, "app", "app up")
	b.stopTask(t, *started.Tasks[0].TaskArn)

	b.state(t, instance, types.ContainerInstanceStatusDraining)
	if f := b.refused(t, sized("128", "100")); aws.ToString(f.Reason) == "" {
		t.Error(shown(f))
	}
	if got := b.describe(t, task); aws.ToString(got.LastStatus) != "RUNNING" {
		t.Errorf("draining stopped a task of nobody's service: %s", summary(got))
	}
	b.state(t, instance, types.ContainerInstanceStatusActive)
	b.stopTask(t, b.run(t, sized("128", "100")))
	b.stopTask(t, task)
	if cpu, memory := b.remaining(t, instance); cpu != 1024 || memory != 1024 {
		t.Errorf("without a task: %d CPU units and %d MiB are left", cpu, memory)
	}
}

func (b *berth) state(t *testing.T, instance string, status types.ContainerInstanceStatus) {
	t.Helper()
	out, err := b.ecs.UpdateContainerInstancesState(t.Context(), &ecs.UpdateContainerInstancesStateInput{ContainerInstances: []string{instance}, Status: status})
	if err != nil || len(out.Failures) != 0 || aws.ToString(out.ContainerInstances[0].Status) != string(status) {
		t.Fatalf("%s %v", shown(out), err)
	}
}

// remaining is what placement may still give of an instance.
func (b *berth) remaining(t *testing.T, instance string) (cpu, memory int32) {
	t.Helper()
	out, err := b.ecs.DescribeContainerInstances(t.Context(), &ecs.DescribeContainerInstancesInput{ContainerInstances: []string{instance}})
	if err != nil || len(out.ContainerInstances) != 1 {
		t.Fatalf("%s %v", shown(out), err)
	}
	for _, r := range out.ContainerInstances[0].RemainingResources {
		switch *r.Name {
		case "CPU":
			cpu = r.IntegerValue
		case "MEMORY":
			memory = r.IntegerValue
		}
	}
	return cpu, memory
}

// TestDeregisteredDefinitions run on where they run, and start nowhere.
func TestDeregisteredDefinitions(t *testing.T) {
	t.Parallel()
	d := onEC2(patient("app"))
	task := here.run(t, d)
	here.printed(t, task, "app", "app up")
	arn := aws.ToString(here.describe(t, task).TaskDefinitionArn)
	if _, err := here.ecs.DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &arn}); err != nil {
		t.Fatal(err)
	}
	if _, err := here.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: &arn}); err == nil {
		t.Error("an inactive definition was run")
	}
	if end := here.stopTask(t, task); exited(t, end, "app") != 0 {
		t.Error(summary(end))
	}
}

func TestManyTasksAtOnce(t *testing.T) {
	t.Parallel()
	arn := here.register(t, onEC2(sh("app", "exit 0")))
	out, err := here.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: &arn, Count: aws.Int32(10)})
	if err != nil || len(out.Tasks) != 10 {
		t.Fatalf("%s %v", shown(out), err)
	}
	for _, task := range out.Tasks {
		if end := here.stopped(t, *task.TaskArn); exited(t, end, "app") != 0 {
			t.Error(summary(end))
		}
	}
}
