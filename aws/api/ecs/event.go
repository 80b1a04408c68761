package ecs

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// TaskEvents are the "ECS Task State Change" events of a change in the store, read
// in a view that has it: one when anything that DescribeTasks shows is another,
// else none.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
func TaskEvents(v *store.View, change store.Event, now time.Time) []event.Event {
	old, next, ok := store.Tasks.Of(change)
	if !ok || next == nil {
		return nil
	}
	shown := taskDetail(v, next)
	if old != nil && bytes.Equal(ecs.API.Document(taskDetail(v, old)), ecs.API.Document(shown)) {
		return nil
	}
	return []event.Event{taskEvent(shown, next, now)}
}

// TaskEventsSince are the events of the tasks that changed after a moment, as they
// are in the view.
func TaskEventsSince(v *store.View, since time.Time) []event.Event {
	var out []event.Event
	for t := range store.Tasks.All(v) {
		if at := lastChange(t); at.After(since) {
			out = append(out, taskEvent(taskDetail(v, t), t, at))
		}
	}
	return out
}

func taskEvent(shown *ecs.Task, t *task.Task, at time.Time) event.Event {
	shown.Version = &t.Version
	return stateChange(event.TaskStateChange, t.Scope, t.ARN, ecs.API.Document(shown), at)
}

// stateChange makes the event of a resource. Its id follows from the state alone.
func stateChange(detailType string, scope arn.Scope, resource string, detail json.RawMessage, at time.Time) event.Event {
	id := event.ID(detailType, resource, string(detail))
	updated := `,"updatedAt":"` + event.Moment(at) + `"}`
	return event.Event{
		Bus: event.DefaultBus, ID: id, DetailType: detailType, Source: event.ECSSource, Scope: scope,
		Time: at, Resources: []string{resource}, Detail: append(bytes.TrimSuffix(detail, []byte("}")), updated...),
	}
}

// interfaceInEvents is what events call the attachment that DescribeTasks calls
// ElasticNetworkInterface.
const interfaceInEvents = "eni"

// taskDetail is the task as events show it, without its version.
func taskDetail(v *store.View, t *task.Task) *ecs.Task {
	shown := showTask(v, t, nil)
	shown.Version, shown.Tags, shown.InferenceAccelerators = nil, nil, nil
	for i := range shown.Attachments {
		if member.Value(shown.Attachments[i].Type) == "ElasticNetworkInterface" {
			shown.Attachments[i].Type = new(interfaceInEvents)
		}
	}
	return shown
}

// lastChange is the latest moment that a task's record names.
func lastChange(t *task.Task) time.Time {
	o := &t.Observed
	latest := t.CreatedAt
	for _, at := range []time.Time{
		t.Desired.StoppingAt, o.ConnectivityAt, o.PullStartedAt, o.PullStoppedAt, o.StartedAt, o.ExecutionStoppedAt, o.StoppedAt,
	} {
		if at.After(latest) {
			latest = at
		}
	}
	if t.Assignment != nil && t.Assignment.At.After(latest) {
		latest = t.Assignment.At
	}
	return latest
}

// InstanceEvents are the "ECS Container Instance State Change" events of a change
// in the store, read in a view that has it: one when the instance, its agent's
// connection or what it has left is another, else none.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_container_instance_events.html
func InstanceEvents(v *store.View, change store.Event, now time.Time) []event.Event {
	old, next, ok := store.Instances.Of(change)
	if !ok || next == nil || !next.OffersEC2 {
		return nil
	}
	shown := showInEvents(v, next)
	if old != nil && bytes.Equal(ecs.API.Document(showInEvents(v, old)), ecs.API.Document(shown)) {
		return nil
	}
	shown.Version = &next.Version
	return []event.Event{stateChange(event.InstanceStateChange, next.Scope, next.ARN, ecs.API.Document(shown), now)}
}

// instanceInEvents is a container instance as events show it.
type instanceInEvents struct {
	AgentConnected       *bool                 `wire:"agentConnected"`
	AgentUpdateStatus    ecs.AgentUpdateStatus `wire:"agentUpdateStatus"`
	Attributes           []ecs.Attribute       `wire:"attributes"`
	ClusterArn           *string               `wire:"clusterArn"`
	ContainerInstanceArn *string               `wire:"containerInstanceArn"`
	Ec2InstanceId        *string               `wire:"ec2InstanceId"`
	RegisteredResources  []ecs.Resource        `wire:"registeredResources"`
	RemainingResources   []ecs.Resource        `wire:"remainingResources"`
	Status               *string               `wire:"status"`
	StatusReason         *string               `wire:"statusReason"`
	Version              *int64                `wire:"version"`
	VersionInfo          *ecs.VersionInfo      `wire:"versionInfo"`
}

// showInEvents shows an instance without its version.
func showInEvents(v *store.View, i *cluster.Instance) *instanceInEvents {
	s := showInstance(v, i, nil)
	return &instanceInEvents{
		AgentConnected: s.AgentConnected, AgentUpdateStatus: s.AgentUpdateStatus, Attributes: s.Attributes, ClusterArn: &i.ClusterARN,
		ContainerInstanceArn: s.ContainerInstanceArn, Ec2InstanceId: s.Ec2InstanceId, RegisteredResources: s.RegisteredResources,
		RemainingResources: s.RemainingResources, Status: s.Status, StatusReason: s.StatusReason, VersionInfo: s.VersionInfo,
	}
}
