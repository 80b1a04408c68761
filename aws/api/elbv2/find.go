package elbv2

import (
	"context"

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

// findBalancer finds an Application or Network balancer of the scope.
func findBalancer(r store.Reader, scope arn.Scope, name string) (*balancer.Balancer, error) {
	b, ok := store.Balancers.Get(r, name)
	if !ok || b.Scope != scope || b.Kind == balancer.Classic {
		return nil, fault.New(fault.LoadBalancerNotFound, "Load balancer '%s' not found", name)
	}
	return b, nil
}

func findListener(r store.Reader, scope arn.Scope, name string) (*balancer.Listener, error) {
	l, ok := store.Listeners.Get(r, name)
	if !ok || l.Scope != scope {
		return nil, fault.New(fault.ListenerNotFound, "Listener '%s' not found", name)
	}
	if _, err := findBalancer(r, scope, l.BalancerARN); err != nil {
		return nil, fault.New(fault.ListenerNotFound, "Listener '%s' not found", name) // a Classic one's
	}
	return l, nil
}

func findRule(r store.Reader, scope arn.Scope, name string) (*balancer.Rule, error) {
	found, ok := store.ListenerRules.Get(r, name)
	if !ok || found.Scope != scope {
		return nil, fault.New(fault.RuleNotFound, "Rule '%s' not found", name)
	}
	return found, nil
}

func findGroup(r store.Reader, scope arn.Scope, name string) (*balancer.TargetGroup, error) {
	g, ok := store.TargetGroups.Get(r, name)
	if !ok || g.Scope != scope || g.ClassicARN != "" {
		return nil, fault.New(fault.TargetGroupNotFound, "Target groups '%s' not found", name)
	}
	return g, nil
}

func findTrustStore(r store.Reader, scope arn.Scope, name string) (*balancer.TrustStore, error) {
	s, ok := store.TrustStores.Get(r, name)
	if !ok || s.Scope != scope {
		return nil, fault.New(fault.TrustStoreNotFound, "Trust store '%s' not found", name)
	}
	return s, nil
}

// change alters a copy of the record that find finds by name, and keeps it.
func change[T any](
	ctx context.Context, a *API, call *gateway.Call, table *store.Table[T],
	find func(store.Reader, arn.Scope, string) (*T, error), name string, alter func(*store.Tx, *T) error,
) (next T, view *store.View, err error) {
	view, err = a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := find(tx, call.Scope, name)
		if err != nil {
			return err
		}
		next = *have
		if err := alter(tx, &next); err != nil {
			return err
		}
		table.Put(tx, &next)
		return nil
	})
	return next, view, err
}

func (a *API) changeBalancer(ctx context.Context, call *gateway.Call, name string, alter func(*store.Tx, *balancer.Balancer) error) (balancer.Balancer, error) {
	next, _, err := change(ctx, a, call, store.Balancers, findBalancer, name, func(tx *store.Tx, b *balancer.Balancer) error {
		b.Version++
		return alter(tx, b)
	})
	return next, err
}

func (a *API) changeListener(ctx context.Context, call *gateway.Call, name string, alter func(*store.Tx, *balancer.Listener) error) (balancer.Listener, error) {
	next, _, err := change(ctx, a, call, store.Listeners, findListener, name, func(tx *store.Tx, l *balancer.Listener) error {
		l.Version++
		return alter(tx, l)
	})
	return next, err
}

func (a *API) changeGroup(ctx context.Context, call *gateway.Call, name string, alter func(*balancer.TargetGroup) error) (balancer.TargetGroup, *store.View, error) {
	return change(ctx, a, call, store.TargetGroups, findGroup, name, func(tx *store.Tx, g *balancer.TargetGroup) error {
		g.Version++
		if err := alter(g); err != nil {
			return err
		}
		return groupLacks(tx, g)
	})
}
