package elbv2

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// maxListeners is how many listeners a balancer has.
const maxListeners = 50

func (a *API) createListener(ctx context.Context, call *gateway.Call, in *shape.CreateListenerInput) (*shape.CreateListenerOutput, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	l := &balancer.Listener{
		Scope: call.Scope, BalancerARN: *in.LoadBalancerArn, ARN: balancer.ChildARN(*in.LoadBalancerArn, "listener", a.newID()),
		Tags: tags, CreatedAt: call.Now, Version: 1,
	}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		b, err := findBalancer(tx, call.Scope, l.BalancerARN)
		if err != nil {
			return err
		}
		if in.Port == nil || in.Protocol == "" {
			return invalid("A listener must have a port and a protocol")
		}
		said := said{in.Port, in.Protocol, in.SslPolicy, in.Certificates, in.AlpnPolicy, in.MutualAuthentication}
		if err := said.into(tx, b, l); err != nil {
			return err
		}
		if listenerCount(tx, b) >= maxListeners {
			return fault.New(fault.TooManyListeners, "The maximum number of listeners has been reached")
		}
		r := &reader{API: a, tx: tx, call: call, owner: l.ARN}
		if l.Default, err = r.actions(b, l, in.DefaultActions); err != nil {
			return err
		}
		store.Listeners.Put(tx, l)
		return engineLacks(tx, b, l, nil)
	})
	if err != nil {
		return nil, err
	}
	return &shape.CreateListenerOutput{Listeners: []shape.Listener{showListener(l)}}, nil
}

func listenerCount(r store.Reader, b *balancer.Balancer) (n int) {
	for range store.Listeners.By(r, store.ListenersByBalancer, b.ARN) {
		n++
	}
	return n
}

func (a *API) modifyListener(ctx context.Context, call *gateway.Call, in *shape.ModifyListenerInput) (*shape.ModifyListenerOutput, error) {
	l, err := a.changeListener(ctx, call, *in.ListenerArn, func(tx *store.Tx, l *balancer.Listener) error {
		b, err := findBalancer(tx, call.Scope, l.BalancerARN)
		if err != nil {
			return err
		}
		said := said{in.Port, in.Protocol, in.SslPolicy, in.Certificates, in.AlpnPolicy, in.MutualAuthentication}
		if err := said.into(tx, b, l); err != nil {
			return err
		}
		if len(in.DefaultActions) > 0 {
			r := &reader{API: a, tx: tx, call: call, owner: l.ARN, have: l.Default}
			if l.Default, err = r.actions(b, l, in.DefaultActions); err != nil {
				return err
			}
		}
		return recheck(tx, b, l)
	})
	if err != nil {
		return nil, err
	}
	return &shape.ModifyListenerOutput{Listeners: []shape.Listener{showListener(&l)}}, nil
}

// recheck tells whether what a listener leads to fits it still: its protocol may have
// changed.
func recheck(r store.Reader, b *balancer.Balancer, l *balancer.Listener) error {
	if err := checkBoth(r, b, l, l.Default); err != nil {
		return err
	}
	for rule := range store.ListenerRules.By(r, store.RulesByListener, l.ARN) {
		if err := checkBoth(r, b, l, rule.Actions); err != nil {
			return err
		}
		if err := engineLacks(r, b, l, rule); err != nil {
			return err
		}
	}
	return engineLacks(r, b, l, nil)
}

func checkBoth(r store.Reader, b *balancer.Balancer, l *balancer.Listener, actions []balancer.Action) error {
	if err := balancer.CheckActions(actions, l.Protocol); err != nil {
		return err
	}
	return checkGroups(r, b, l, actions)
}

func (a *API) deleteListener(ctx context.Context, call *gateway.Call, in *shape.DeleteListenerInput) (*shape.DeleteListenerOutput, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		l, err := findListener(tx, call.Scope, *in.ListenerArn)
		if err != nil {
			return err
		}
		dropListener(tx, l)
		return nil
	})
	return &shape.DeleteListenerOutput{}, err
}

// dropListener removes a listener with its rules.
func dropListener(tx *store.Tx, l *balancer.Listener) {
	for _, rule := range slices.Collect(store.ListenerRules.By(tx, store.RulesByListener, l.ARN)) {
		store.ListenerRules.Delete(tx, rule.ARN)
	}
	store.Listeners.Delete(tx, l.ARN)
}

func (a *API) describeListeners(_ context.Context, call *gateway.Call, in *shape.DescribeListenersInput) (*shape.DescribeListenersOutput, error) {
	list, err := chosenListeners(a.store.View(), call.Scope, member.Value(in.LoadBalancerArn), in.ListenerArns)
	if err != nil {
		return nil, err
	}
	part, next, err := cut(list, in.Marker, in.PageSize, func(l *balancer.Listener) string { return l.ARN })
	if err != nil {
		return nil, err
	}
	return &shape.DescribeListenersOutput{Listeners: member.Each(part, func(l **balancer.Listener) shape.Listener { return showListener(*l) }), NextMarker: next}, nil
}

// chosenListeners are those of a balancer or those named, in order of their ARNs.
func chosenListeners(r store.Reader, scope arn.Scope, of string, names []string) (list []*balancer.Listener, err error) {
	switch {
	case of != "" && len(names) > 0, of == "" && len(names) == 0:
		return nil, invalid("You must specify either listener ARNs or a load balancer ARN")
	case of != "":
		if _, err := findBalancer(r, scope, of); err != nil {
			return nil, err
		}
		list = slices.Collect(store.Listeners.By(r, store.ListenersByBalancer, of))
	}
	for _, name := range names {
		l, err := findListener(r, scope, name)
		if err != nil {
			return nil, fault.New(fault.ListenerNotFound, "One or more listeners not found")
		}
		list = append(list, l)
	}
	slices.SortFunc(list, func(x, y *balancer.Listener) int { return compare(x.ARN, y.ARN) })
	return list, nil
}

func showListener(l *balancer.Listener) shape.Listener {
	out := shape.Listener{
		ListenerArn: &l.ARN, LoadBalancerArn: &l.BalancerARN, Port: new(int32(l.Port)), Protocol: shape.ProtocolEnum(l.Protocol),
		SslPolicy: member.Present(l.SSLPolicy), DefaultActions: showActions(l.Default), AlpnPolicy: l.ALPN, MutualAuthentication: showMutual(l.MutualAuth),
	}
	if len(l.Certificates) > 0 {
		out.Certificates = []shape.Certificate{{CertificateArn: &l.Certificates[0]}}
	}
	return out
}

func (a *API) describeListenerAttributes(_ context.Context, call *gateway.Call, in *shape.DescribeListenerAttributesInput) (*shape.DescribeListenerAttributesOutput, error) {
	l, err := findListener(a.store.View(), call.Scope, *in.ListenerArn)
	if err != nil {
		return nil, err
	}
	return &shape.DescribeListenerAttributesOutput{Attributes: member.Each(l.AttributeValues(), showListenerAttribute)}, nil
}

func (a *API) modifyListenerAttributes(ctx context.Context, call *gateway.Call, in *shape.ModifyListenerAttributesInput) (*shape.ModifyListenerAttributesOutput, error) {
	said := member.Each(in.Attributes, func(x *shape.ListenerAttribute) balancer.Value {
		return balancer.Value{Name: member.Value(x.Key), Value: member.Value(x.Value)}
	})
	l, err := a.changeListener(ctx, call, *in.ListenerArn, func(_ *store.Tx, l *balancer.Listener) (err error) {
		l.Attributes, err = l.SetAttributes(said)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &shape.ModifyListenerAttributesOutput{Attributes: member.Each(l.AttributeValues(), showListenerAttribute)}, nil
}

func showListenerAttribute(v *balancer.Value) shape.ListenerAttribute {
	return shape.ListenerAttribute{Key: &v.Name, Value: &v.Value}
}
