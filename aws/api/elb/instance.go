package elb

import (
	"context"
	"maps"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// exists tells whether an EC2 instance of the account is there.
func exists(r store.Reader, scope arn.Scope, id string) bool {
	for i := range store.Instances.By(r, store.InstancesByEC2ID, id) {
		if i.Scope.Account == scope.Account && i.DeregisteredAt.IsZero() {
			return true
		}
	}
	return false
}

func notThere(id string) error {
	return fault.New(fault.InvalidBalancedInstance, "Could not find EC2 instance %s.", id)
}

// registered are the instances of a balancer that do not drain, by id.
func registered(r store.Reader, b *balancer.Balancer) []string {
	all := targetsOf(r, b)
	maps.DeleteFunc(all, func(_ string, t balancer.Target) bool { return !t.DrainingSince.IsZero() })
	return slices.Sorted(maps.Keys(all))
}

func showInstances(r store.Reader, b *balancer.Balancer) []shape.Instance {
	return member.Each(registered(r, b), func(id *string) shape.Instance { return shape.Instance{InstanceId: id} })
}

func (a *API) registerInstances(ctx context.Context, call *gateway.Call, in *shape.RegisterEndPointsInput) (*shape.RegisterEndPointsOutput, error) {
	out := &shape.RegisterEndPointsOutput{}
	_, err := a.change(ctx, call, *in.LoadBalancerName, func(tx *store.Tx, b *balancer.Balancer) error {
		for _, i := range in.Instances {
			id := member.Value(i.InstanceId)
			if !exists(tx, call.Scope, id) {
				return notThere(id)
			}
			for _, g := range groupsOf(tx, b) {
				store.Targets.Put(tx, &balancer.Target{Scope: b.Scope, GroupARN: g.ARN, ID: id, Port: g.Port, Since: call.Now})
			}
		}
		out.Instances = showInstances(tx, b)
		return nil
	})
	return out, err
}

func (a *API) deregisterInstances(ctx context.Context, call *gateway.Call, in *shape.DeregisterEndPointsInput) (*shape.DeregisterEndPointsOutput, error) {
	out := &shape.DeregisterEndPointsOutput{}
	_, err := a.change(ctx, call, *in.LoadBalancerName, func(tx *store.Tx, b *balancer.Balancer) error {
		for _, i := range in.Instances {
			id := member.Value(i.InstanceId)
			if _, ok := targetsOf(tx, b)[id]; !ok && !exists(tx, call.Scope, id) {
				return notThere(id)
			}
			for _, g := range groupsOf(tx, b) {
				leave(tx, call, b, balancer.TargetKey(g.ARN, id, g.Port))
			}
		}
		out.Instances = showInstances(tx, b)
		return nil
	})
	return out, err
}

// leave has a target drain where the balancer drains connections, and go where not.
func leave(tx *store.Tx, call *gateway.Call, b *balancer.Balancer, key string) {
	t, ok := store.Targets.Get(tx, key)
	switch {
	case !ok || !t.DrainingSince.IsZero():
	case b.Enabled(balancer.Draining):
		next := *t
		next.DrainingSince = call.Now
		store.Targets.Put(tx, &next)
	default:
		store.Targets.Delete(tx, key)
		store.TargetHealth.Delete(tx, key)
	}
}
