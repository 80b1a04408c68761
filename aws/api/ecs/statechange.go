package ecs

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// acknowledgment is what AWS answers to reports of an agent.
const acknowledgment = "ACCEPT"

func (a *API) submitTaskStateChange(ctx context.Context, call *gateway.Call, in *ecs.SubmitTaskStateChangeRequest) (*ecs.SubmitTaskStateChangeResponse, error) {
	o := &task.Observation{
		TaskARN: member.Value(in.Task), Reason: member.Value(in.Reason), Containers: member.Some(in.Containers, readContainerChange),
		PullStartedAt: member.Value(in.PullStartedAt), PullStoppedAt: member.Value(in.PullStoppedAt), ExecutionStoppedAt: member.Value(in.ExecutionStoppedAt),
	}
	if in.Status != nil && *in.Status != "" {
		var ok bool
		if o.Status, ok = task.ParseStatus(*in.Status); !ok {
			return nil, invalid("Invalid task status '%s'.", *in.Status)
		}
	}
	if err := a.observe(ctx, call, in.Cluster, o); err != nil {
		return nil, err
	}
	return &ecs.SubmitTaskStateChangeResponse{Acknowledgment: new(acknowledgment)}, nil
}

func (a *API) submitContainerStateChange(ctx context.Context, call *gateway.Call, in *ecs.SubmitContainerStateChangeRequest) (*ecs.SubmitContainerStateChangeResponse, error) {
	change := ecs.ContainerStateChange{
		ContainerName: in.ContainerName, RuntimeId: in.RuntimeId, ExitCode: in.ExitCode, NetworkBindings: in.NetworkBindings,
		Reason: in.Reason, Status: in.Status,
	}
	o := &task.Observation{TaskARN: member.Value(in.Task), Containers: []task.ContainerObservation{readContainerChange(&change)}}
	if err := a.observe(ctx, call, in.Cluster, o); err != nil {
		return nil, err
	}
	return &ecs.SubmitContainerStateChangeResponse{Acknowledgment: new(acknowledgment)}, nil
}

// submitAttachmentStateChanges takes note of nothing: interfaces belong to the
// planner, which does not wait for an agent to see them.
func (a *API) submitAttachmentStateChanges(_ context.Context, call *gateway.Call, in *ecs.SubmitAttachmentStateChangesRequest) (*ecs.SubmitAttachmentStateChangesResponse, error) {
	if _, err := findCluster(a.store.View(), call.Scope, in.Cluster); err != nil {
		return nil, err
	}
	return &ecs.SubmitAttachmentStateChangesResponse{Acknowledgment: new(acknowledgment)}, nil
}

func readContainerChange(in *ecs.ContainerStateChange) task.ContainerObservation {
	return task.ContainerObservation{
		Name: member.Value(in.ContainerName), Status: member.Value(in.Status), RuntimeID: member.Value(in.RuntimeId), ImageDigest: member.Value(in.ImageDigest),
		ExitCode: optionalInt(in.ExitCode), Reason: member.Value(in.Reason),
		Bindings: member.Some(in.NetworkBindings, func(b *ecs.NetworkBinding) task.Binding {
			return task.Binding{
				BindIP: member.Value(b.BindIP), ContainerPort: int(member.Value(b.ContainerPort)), HostPort: int(member.Value(b.HostPort)), Protocol: string(b.Protocol),
				ContainerPortRange: member.Value(b.ContainerPortRange), HostPortRange: member.Value(b.HostPortRange),
			}
		}),
	}
}

// observe folds a report into the task. Once the task has stopped on its
// instance, what it held goes back to the ledger, in the same transaction; the
// lease of its address is the planner's to end.
func (a *API) observe(ctx context.Context, call *gateway.Call, ref *string, o *task.Observation) error {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := reportedTask(tx, call, ref, o.TaskARN)
		if err != nil {
			return err
		}
		observed, changed := task.Fold(have.Observed, o, call.Now)
		if !changed {
			return nil
		}
		next := *have
		next.Observed = observed
		next.Version++
		store.Tasks.Put(tx, &next)
		if observed.Status == task.Stopped {
			placement.Release(tx, &next)
		}
		return nil
	})
	return err
}

// reportedTask finds the task of a report and makes sure that it comes from the
// instance that runs it. The errors are of kinds on which agents stop retrying.
func reportedTask(r store.Reader, call *gateway.Call, ref *string, key string) (*task.Task, error) {
	if !arn.IsARN(key) {
		c, err := findCluster(r, call.Scope, ref)
		if err != nil {
			return nil, err
		}
		if key, err = identify(c, "task", key); err != nil {
			return nil, err
		}
	}
	t, ok := store.Tasks.Get(r, key)
	if !ok || t.Assignment == nil {
		return nil, invalid("The referenced task was not found.")
	}
	i, ok := store.Instances.Get(r, t.Assignment.InstanceARN)
	if ok && !i.SpokenForBy(call.Principal) {
		return nil, fault.New(fault.AccessDenied, "These credentials do not belong to the container instance of task %s.", key)
	}
	return t, nil
}
