package ecs

import (
	"context"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

func (a *API) startTask(ctx context.Context, call *gateway.Call, in *ecs.StartTaskRequest) (*ecs.StartTaskResponse, error) {
	switch n := len(in.ContainerInstances); {
	case n == 0:
		return nil, client("Container Instances cannot be empty.")
	case n > maxRun:
		return nil, invalid("containerInstances can have at most %d items.", maxRun)
	}
	var made []*task.Task
	failures := []ecs.Failure{}
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		l, err := prepareStart(tx, call, in)
		if err == nil {
			err = a.checkRoles(tx, l)
		}
		if err != nil {
			return err
		}
		board, want := placement.ClusterBoard(tx, l.cluster.ARN), l.placementRequest()
		for i, ref := range in.ContainerInstances {
			t, refused, err := a.startOn(tx, call, l, board, want, i, ref)
			if err != nil {
				return err
			}
			if refused != nil {
				failures = append(failures, *refused)
				continue
			}
			made = append(made, t)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.StartTaskResponse{Tasks: showTasks(v, made, nil), Failures: failures}, nil
}

func prepareStart(r store.Reader, call *gateway.Call, in *ecs.StartTaskRequest) (*launch, error) {
	c, err := activeCluster(r, call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	def, err := launchable(r, call, in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	q := request{
		group: in.Group, startedBy: in.StartedBy, referenceID: in.ReferenceId,
		overrides: in.Overrides, network: in.NetworkConfiguration, managedTags: in.EnableECSManagedTags, exec: in.EnableExecuteCommand,
		propagate: in.PropagateTags, tags: in.Tags, volumes: in.VolumeConfigurations,
	}
	return q.prepare(r, call, c, def, workload.EC2)
}

func (a *API) startOn(tx *store.Tx, call *gateway.Call, l *launch, board *placement.Board, want *placement.Request, n int, ref string) (*task.Task, *ecs.Failure, error) {
	key, err := identify(l.cluster, "container-instance", ref)
	if err != nil {
		return nil, nil, err
	}
	i := board.Index(key)
	if i < 0 {
		return nil, new(missingInstance(tx, l.cluster, ref)), nil
	}
	at, refusal, err := board.On(i, want)
	switch {
	case err != nil:
		return nil, nil, invalid("%v", err)
	case refusal != nil:
		return nil, new(showRefusal(refusal)), nil
	}
	t, err := placement.Assign(tx, a.newTask(call, l, n), at, call.Now)
	return t, nil, err
}

// missingInstance is the failure of an instance that cannot be found, or that was
// deregistered.
func missingInstance(r store.Reader, c *cluster.Cluster, ref string) ecs.Failure {
	key, err := identify(c, "container-instance", ref)
	if err != nil {
		return failure(ref, reasonMissing, "")
	}
	if i, ok := store.Instances.Get(r, key); ok && i.OffersEC2 {
		return failure(key, reasonInactive, "")
	}
	if !arn.IsARN(ref) {
		return failure(key, reasonMissing, "")
	}
	return failure(ref, reasonMissing, "")
}
