package fleet

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// provider makes a capacity provider of the cluster.
func (f *fleet) provider(name string) string {
	f.t.Helper()
	made, err := f.ecs.CreateCapacityProvider(f.t.Context(), &ecs.CreateCapacityProviderInput{
		Name: &name, AutoScalingGroupProvider: &types.AutoScalingGroupProvider{
			AutoScalingGroupArn: aws.String("arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:0f6a1e7e-2d5b-4e0c-8a39-6a8f5d6b0a11:autoScalingGroupName/" + name),
		},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.ecs.PutClusterCapacityProviders(f.t.Context(), &ecs.PutClusterCapacityProvidersInput{
		Cluster: aws.String("default"), CapacityProviders: []string{name}, DefaultCapacityProviderStrategy: []types.CapacityProviderStrategyItem{},
	}); err != nil {
		f.t.Fatal(err)
	}
	return *made.CapacityProvider.CapacityProviderArn
}

// members are the running tasks of a group.
func (f *fleet) members(group string) []types.Task {
	f.t.Helper()
	list, err := f.ecs.ListTasks(f.t.Context(), &ecs.ListTasksInput{})
	if err != nil {
		f.t.Fatal(err)
	}
	if len(list.TaskArns) == 0 {
		return nil
	}
	out, err := f.ecs.DescribeTasks(f.t.Context(), &ecs.DescribeTasksInput{Tasks: list.TaskArns})
	if err != nil {
		f.t.Fatal(err)
	}
	var found []types.Task
	for _, task := range out.Tasks {
		if aws.ToString(task.Group) == group && aws.ToString(task.LastStatus) == "RUNNING" {
			found = append(found, task)
		}
	}
	return found
}

// each waits until each of n machines runs one task of the group, and returns them.
func (f *fleet) each(group string, n int) (tasks []types.Task) {
	f.t.Helper()
	until(f.t, group+" on each machine", func() bool {
		tasks = f.members(group)
		held := map[string]bool{}
		for _, task := range tasks {
			held[*task.ContainerInstanceArn] = true
		}
		return len(held) == n && len(tasks) == n
	})
	return tasks
}

// TestDaemonsComeToEveryMachine has a managed daemon and a service of the DAEMON
// strategy, and a machine that joins when both run already.
//
// Proves daemon-strategy-new.
func TestDaemonsComeToEveryMachine(t *testing.T) {
	f := newFleet(t)
	on := f.provider("metal")
	f.join("--cpu", "1024", "--memory", "1024", "--capacity-provider", "metal")
	f.load("busybox:1")
	until(t, "the agent", func() bool { return len(f.instances()) == 1 })

	watch, err := f.ecs.RegisterDaemonTaskDefinition(t.Context(), &ecs.RegisterDaemonTaskDefinitionInput{
		Family: aws.String("watch"), ContainerDefinitions: []types.DaemonContainerDefinition{{
			Name: aws.String("main"), Image: aws.String("busybox:1"), Command: []string{"sleep", "1000"}, StopTimeout: aws.Int32(2),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	daemon, err := f.ecs.CreateDaemon(t.Context(), &ecs.CreateDaemonInput{
		DaemonName: aws.String("watch"), DaemonTaskDefinitionArn: watch.DaemonTaskDefinitionArn, CapacityProviderArns: []string{on},
	})
	if err != nil {
		t.Fatal(err)
	}
	def := f.define(&ecs.RegisterTaskDefinitionInput{Family: aws.String("log")}, "trap exit TERM; sleep 1000 & wait")
	if _, err := f.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String("log"), TaskDefinition: &def, SchedulingStrategy: types.SchedulingStrategyDaemon, LaunchType: types.LaunchTypeEc2,
	}); err != nil {
		t.Fatal(err)
	}
	f.each("daemon:watch", 1)
	f.each("service:log", 1)

	f.join("--cpu", "1024", "--memory", "1024", "--capacity-provider", "metal")
	first := map[string]types.Task{}
	for _, task := range f.each("daemon:watch", 2) {
		first[*task.ContainerInstanceArn] = task
	}
	for _, task := range f.each("service:log", 2) {
		if with := first[*task.ContainerInstanceArn]; with.StartedAt == nil || task.StartedAt.Before(*with.StartedAt) {
			t.Errorf("the service's task started at %v, the daemon at %v", task.StartedAt, with.StartedAt)
		}
	}
	f.shown(*daemon.DaemonArn)

	if _, err := f.ecs.DeleteDaemon(t.Context(), &ecs.DeleteDaemonInput{DaemonArn: daemon.DaemonArn}); err != nil {
		t.Fatal(err)
	}
	until(t, "the daemon to be gone", func() bool {
		list, err := f.ecs.ListDaemons(t.Context(), &ecs.ListDaemonsInput{})
		return err == nil && len(list.DaemonSummariesList) == 0 && len(f.members("daemon:watch")) == 0
	})
	f.end("log")
}

// shown waits until the daemon and the service say what runs.
func (f *fleet) shown(daemon string) {
	f.t.Helper()
	until(f.t, "the counts", func() bool {
		about, err := f.ecs.DescribeDaemon(f.t.Context(), &ecs.DescribeDaemonInput{DaemonArn: &daemon})
		if err != nil {
			f.t.Fatal(err)
		}
		done, err := f.ecs.DescribeDaemonDeployments(f.t.Context(), &ecs.DescribeDaemonDeploymentsInput{DaemonDeploymentArns: []string{*about.Daemon.DeploymentArn}})
		if err != nil || len(done.DaemonDeployments) != 1 {
			f.t.Fatal(err, done)
		}
		services, err := f.ecs.DescribeServices(f.t.Context(), &ecs.DescribeServicesInput{Services: []string{"log"}})
		if err != nil || len(services.Services) != 1 {
			f.t.Fatal(err, services)
		}
		s := services.Services[0]
		return about.Daemon.CurrentRevisions[0].TotalRunningCount == 2 && done.DaemonDeployments[0].Status == types.DaemonDeploymentStatusSuccessful &&
			s.DesiredCount == 2 && s.RunningCount == 2 && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
	})
}
