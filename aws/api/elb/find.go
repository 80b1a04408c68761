package elb

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.Validation, format, args...)
}

func unfit(format string, args ...any) *fault.Fault {
	return fault.New(fault.InvalidConfigurationRequest, format, args...)
}

func find(r store.Reader, scope arn.Scope, name string) (*balancer.Balancer, error) {
	b, ok := store.Balancers.Get(r, balancer.ClassicARN(scope, name))
	if !ok {
		return nil, fault.New(fault.LoadBalancerNotFound, "There is no ACTIVE Load Balancer named '%s'", name)
	}
	return b, nil
}

// change stores what fn makes of a copy of the balancer, and derives its groups anew.
func (a *API) change(ctx context.Context, call *gateway.Call, name string, fn func(*store.Tx, *balancer.Balancer) error) (next balancer.Balancer, err error) {
	_, err = a.Store.Update(ctx, func(tx *store.Tx) error {
		have, err := find(tx, call.Scope, name)
		if err != nil {
			return err
		}
		next = *have
		spec := *have.Classic
		next.Classic, next.Version = &spec, next.Version+1
		if err := fn(tx, &next); err != nil {
			return err
		}
		store.Balancers.Put(tx, &next)
		derive(tx, &next, call.Now)
		return nil
	})
	return next, err
}

func listenersOf(r store.Reader, b *balancer.Balancer) []*balancer.Listener {
	return slices.Collect(store.Listeners.By(r, store.ListenersByBalancer, b.ARN))
}

func groupsOf(r store.Reader, b *balancer.Balancer) []*balancer.TargetGroup {
	return slices.Collect(store.TargetGroups.By(r, store.TargetGroupsByClassic, b.ARN))
}

// groupOf is the hidden group of a listener: there is always one.
func groupOf(r store.Reader, l *balancer.Listener) *balancer.TargetGroup {
	for _, name := range balancer.GroupsOf(l.Default) {
		if g, ok := store.TargetGroups.Get(r, name); ok {
			return g
		}
	}
	return &balancer.TargetGroup{}
}
