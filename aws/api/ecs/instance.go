package ecs

import (
	"context"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// reasonDeregistered is why the tasks of an instance that is deregistered by
// force stop.
const reasonDeregistered = "Container instance deregistration forced by user"

func (a *API) deregisterContainerInstance(ctx context.Context, call *gateway.Call, in *ecs.DeregisterContainerInstanceRequest) (*ecs.DeregisterContainerInstanceResponse, error) {
	var next cluster.Instance
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		c, err := findCluster(tx, call.Scope, in.Cluster)
		if err != nil {
			return err
		}
		have, err := findInstance(tx, c, member.Value(in.ContainerInstance))
		if err != nil {
			return err
		}
		if !have.DeregisteredAt.IsZero() {
			next = *have
			return nil
		}
		if err := abandonTasks(tx, call, have, member.Value(in.Force)); err != nil {
			return err
		}
		have, _ = store.Instances.Get(tx, have.ARN) // its ledger changed
		next = *have
		next.Status, next.DeregisteredAt = cluster.InstanceInactive, call.Now
		next.Version++
		store.Instances.Put(tx, &next)
		withdrawShown(tx, next.ARN)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeregisterContainerInstanceResponse{ContainerInstance: showInstance(v, &next, nil)}, nil
}

// withdrawShown ends the keys that an instance showed to its programs.
func withdrawShown(tx *store.Tx, instance string) {
	for _, k := range slices.Collect(store.AccessKeys.By(tx, store.AccessKeysByInstance, instance)) {
		if k.Use == identity.UseInstance {
			store.AccessKeys.Delete(tx, k.ID)
		}
	}
}

// abandonTasks ends the tasks of an instance that goes away: nobody will hear of
// them again. Without force there may be none.
func abandonTasks(tx *store.Tx, call *gateway.Call, i *cluster.Instance, force bool) error {
	tasks := slices.Collect(liveOn(tx, i))
	if len(tasks) > 0 && !force {
		return invalid("Found running tasks on the instance.").WithHint("stop the tasks, or deregister with --force")
	}
	for _, t := range tasks {
		next := *t
		if next.DesiredStatus() != task.Stopped {
			next.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopTerminationNotice, StoppedReason: reasonDeregistered, StoppingAt: call.Now}
		}
		placement.Release(tx, &next)
	}
	return nil
}

func (a *API) describeContainerInstances(_ context.Context, call *gateway.Call, in *ecs.DescribeContainerInstancesRequest) (*ecs.DescribeContainerInstancesResponse, error) {
	switch n := len(in.ContainerInstances); {
	case n == 0:
		return nil, client("Container Instances cannot be empty.")
	case n > maxBatch:
		return nil, invalid("instanceIds can have at most %d items.", maxBatch)
	}
	v := a.store.View()
	c, err := findCluster(v, call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	out := &ecs.DescribeContainerInstancesResponse{ContainerInstances: []ecs.ContainerInstance{}, Failures: []ecs.Failure{}}
	for _, ref := range in.ContainerInstances {
		key, err := identify(c, "container-instance", ref)
		if err != nil {
			return nil, err
		}
		if i, ok := store.Instances.Get(v, key); ok && i.OffersEC2 {
			out.ContainerInstances = append(out.ContainerInstances, *showInstance(v, i, in.Include))
			continue
		}
		out.Failures = append(out.Failures, failure(key, reasonMissing, ""))
	}
	return out, nil
}

func (a *API) listContainerInstances(_ context.Context, call *gateway.Call, in *ecs.ListContainerInstancesRequest) (*ecs.ListContainerInstancesResponse, error) {
	page, err := readPage(in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	keep, err := instanceFilter(in)
	if err != nil {
		return nil, err
	}
	v := a.store.View()
	c, err := findCluster(v, call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	following := store.Instances.ByAfter(v, store.InstancesByCluster, c.ARN, page.after.position())
	found, next := fill(page, filter(following, func(i *cluster.Instance) bool { return keep(v, i) }), func(i *cluster.Instance) cursor {
		return cursor{Key: i.ARN}
	})
	return &ecs.ListContainerInstancesResponse{
		ContainerInstanceArns: member.Each(found, func(i **cluster.Instance) string { return (*i).ARN }), NextToken: next,
	}, nil
}

// instanceFilter tells which instances a list shows: those that satisfy the
// expression and, without a status, that are not deregistered.
func instanceFilter(in *ecs.ListContainerInstancesRequest) (func(store.Reader, *cluster.Instance) bool, error) {
	if in.Status != "" && !slices.Contains(in.Status.Values(), string(in.Status)) {
		return nil, invalid("status should be one of [%s]", strings.Join(in.Status.Values(), ","))
	}
	var query *cluster.Query
	if expression := member.Value(in.Filter); expression != "" {
		var err error
		if query, err = cluster.ParseQuery(expression); err != nil {
			return nil, invalid("Invalid filter '%s': %v", expression, err)
		}
	}
	return func(r store.Reader, i *cluster.Instance) bool {
		return i.OffersEC2 && (in.Status == "" && i.DeregisteredAt.IsZero() || string(i.Status) == string(in.Status)) &&
			(query == nil || query.Match(placement.Subject{Reader: r, Instance: i}))
	}, nil
}

// maxStates is how many instances UpdateContainerInstancesState takes.
const maxStates = 10

func (a *API) updateContainerInstancesState(ctx context.Context, call *gateway.Call, in *ecs.UpdateContainerInstancesStateRequest) (*ecs.UpdateContainerInstancesStateResponse, error) {
	switch n := len(in.ContainerInstances); {
	case n == 0:
		return nil, client("Container Instances cannot be empty.")
	case n > maxStates:
		return nil, invalid("containerInstances can have at most %d items.", maxStates)
	}
	status := cluster.InstanceStatus(in.Status)
	if status != cluster.InstanceActive && status != cluster.Draining {
		return nil, invalid("Container instance status should be one of [ACTIVE, DRAINING]")
	}
	var changed []*cluster.Instance
	failures := []ecs.Failure{}
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		c, err := activeCluster(tx, call.Scope, in.Cluster)
		if err != nil {
			return err
		}
		for _, ref := range in.ContainerInstances {
			have, err := findInstance(tx, c, ref)
			if err != nil || !have.DeregisteredAt.IsZero() {
				failures = append(failures, missingInstance(tx, c, ref))
				continue
			}
			changed = append(changed, setStatus(tx, have, status))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateContainerInstancesStateResponse{
		ContainerInstances: member.Each(changed, func(i **cluster.Instance) ecs.ContainerInstance { return *showInstance(v, *i, nil) }),
		Failures:           failures,
	}, nil
}

func setStatus(tx *store.Tx, have *cluster.Instance, status cluster.InstanceStatus) *cluster.Instance {
	if have.Status == status {
		return have
	}
	next := *have
	next.Status = status
	next.Version++
	store.Instances.Put(tx, &next)
	return &next
}

func (a *API) updateContainerAgent(_ context.Context, call *gateway.Call, in *ecs.UpdateContainerAgentRequest) (*ecs.UpdateContainerAgentResponse, error) {
	v := a.store.View()
	c, err := activeCluster(v, call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	if _, err := findInstance(v, c, member.Value(in.ContainerInstance)); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.NoUpdateAvailable, "There is no update available for your container agent.").
		WithHint("agents are updated with the machine's packages: install the new version and restart the agent; its tasks keep running")
}

// sessionsBelow are the websockets below the endpoint that the agent called; it
// adds /ws to each.
func sessionsBelow(call *gateway.Call) (acs, tcs string) {
	return call.Endpoint + "/acs", call.Endpoint + "/tcs"
}

func (a *API) discoverPollEndpoint(_ context.Context, call *gateway.Call, _ *ecs.DiscoverPollEndpointRequest) (*ecs.DiscoverPollEndpointResponse, error) {
	acs, tcs := a.sessions(call)
	return &ecs.DiscoverPollEndpointResponse{Endpoint: &acs, TelemetryEndpoint: &tcs}, nil
}
