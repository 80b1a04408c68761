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

// changeBalancer changes a copy of a balancer and stores it.
func (a *API) changeBalancer(ctx context.Context, call *gateway.Call, name string, change func(*store.Tx, *balancer.Balancer) error) (next balancer.Balancer, err error) {
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := findBalancer(tx, call.Scope, name)
		if err != nil {
			return err
		}
		next = *have
		next.Version++
		if err := change(tx, &next); err != nil {
			return err
		}
		store.Balancers.Put(tx, &next)
		return nil
	})
	return next, err
}

// changeListener changes a copy of a listener and stores it.
func (a *API) changeListener(ctx context.Context, call *gateway.Call, name string, change func(*store.Tx, *balancer.Listener) error) (next balancer.Listener, err error) {
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := findListener(tx, call.Scope, name)
		if err != nil {
			return err
		}
		next = *have
		next.Version++
		if err := change(tx, &next); err != nil {
			return err
		}
		store.Listeners.Put(tx, &next)
		return nil
	})
	return next, err
}

// changeGroup changes a copy of a target group and stores it.
func (a *API) changeGroup(ctx context.Context, call *gateway.Call, name string, change func(*balancer.TargetGroup) error) (next balancer.TargetGroup, view *store.View, err error) {
	view, err = a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := findGroup(tx, call.Scope, name)
		if err != nil {
			return err
		}
		next = *have
		next.Version++
		if err := change(&next); err != nil {
			return err
		}
		store.TargetGroups.Put(tx, &next)
		return nil
	})
	return next, view, err
}
