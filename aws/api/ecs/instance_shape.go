package ecs

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// Attributes with a meaning here.
const (
	attributeZone         = "ecs.availability-zone"
	attributeArchitecture = "ecs.cpu-architecture"
	attributeSystem       = "ecs.os-type"
	attributeInstanceType = "ecs.instance-type"
	attributeImage        = "ecs.ami-id"

	// ownPrefix begins the attributes by which berth's agent tells what it
	// offers; they are stored and never shown.
	ownPrefix = "berth."
)

func showInstance(r store.Reader, i *cluster.Instance, include []ecs.ContainerInstanceField) *ecs.ContainerInstance {
	running, pending := tasksOn(r, i)
	out := &ecs.ContainerInstance{
		ContainerInstanceArn: &i.ARN, Ec2InstanceId: member.Present(i.EC2ID), CapacityProviderName: member.Present(i.CapacityProvider), Version: &i.Version,
		VersionInfo: &ecs.VersionInfo{
			AgentVersion: member.Present(i.Agent.Version), AgentHash: member.Present(i.Agent.Hash), DockerVersion: member.Present(i.Agent.DockerVersion),
		},
		RegisteredResources: registered(i), RemainingResources: remaining(i),
		Status: new(string(i.Status)), StatusReason: member.Present(i.StatusReason), AgentConnected: &i.Connected,
		RunningTasksCount: int32Of(running), PendingTasksCount: int32Of(pending), AgentUpdateStatus: ecs.AgentUpdateStatus(i.Agent.UpdateStatus),
		Attributes: showAttributes(i.Attributes), RegisteredAt: member.Time(i.RegisteredAt), Attachments: []ecs.Attachment{}, Tags: []ecs.Tag{},
	}
	if contains(include, ecs.ContainerInstanceFieldTags) {
		out.Tags = showTags(i.Tags)
	}
	if contains(include, ecs.ContainerInstanceFieldContainerInstanceHealth) {
		out.HealthStatus = showInstanceHealth(i)
	}
	return out
}

func showInstanceHealth(i *cluster.Instance) *ecs.ContainerInstanceHealthStatus {
	state := ecs.InstanceHealthCheckState(i.Health)
	if state == "" {
		state = ecs.InstanceHealthCheckStateInsufficientData
	}
	return &ecs.ContainerInstanceHealthStatus{
		OverallStatus: state,
		Details:       []ecs.InstanceHealthCheckResult{{Type: ecs.InstanceHealthCheckTypeContainerRuntime, Status: state}},
	}
}

// remaining is what the instance has left. Of ports AWS shows those taken, by
// tasks or reserved.
func remaining(i *cluster.Instance) []ecs.Resource {
	r, u := &i.Registered, &i.Used
	var gpus []string
	if r.GPUs != nil {
		gpus = slices.DeleteFunc(slices.Clone(r.GPUs), func(id string) bool { return slices.Contains(u.GPUs, id) })
	}
	return showResources(r.CPU-u.CPU, r.Memory-u.Memory, slices.Concat(r.PortsTCP, u.PortsTCP), slices.Concat(r.PortsUDP, u.PortsUDP), gpus)
}

// tasksOn counts the tasks of an instance that do not end yet. Fargate tasks on
// the same machine are not its own.
func tasksOn(r store.Reader, i *cluster.Instance) (running, pending int) {
	for t := range liveOn(r, i) {
		switch {
		case t.Spec.LaunchType == workload.Fargate:
		case t.LastStatus() == task.Running:
			running++
		case t.LastStatus() < task.Running:
			pending++
		}
	}
	return running, pending
}

// liveOn yields the tasks on an instance that have not stopped.
func liveOn(r store.Reader, i *cluster.Instance) func(yield func(*task.Task) bool) {
	return func(yield func(*task.Task) bool) {
		for t := range store.Tasks.By(r, store.TasksByInstance, i.ARN) {
			if t.LastStatus() == task.Stopped { // these come last
				return
			}
			if !yield(t) {
				return
			}
		}
	}
}

func showAttributes(attributes []workload.Attribute) []ecs.Attribute {
	out := []ecs.Attribute{}
	for i := range attributes {
		if !strings.HasPrefix(attributes[i].Name, ownPrefix) {
			out = append(out, ecs.Attribute{Name: &attributes[i].Name, Value: member.Present(attributes[i].Value)})
		}
	}
	return out
}
