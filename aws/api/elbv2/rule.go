package elbv2

import (
	"context"
	"slices"
	"strconv"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// maxRules is how many rules a balancer has beside the default ones.
const maxRules = 100

func (a *API) createRule(ctx context.Context, call *gateway.Call, in *shape.CreateRuleInput) (*shape.CreateRuleOutput, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	rule := &balancer.Rule{
		Scope: call.Scope, ListenerARN: *in.ListenerArn, ARN: balancer.ChildARN(*in.ListenerArn, "listener-rule", a.newID()),
		Priority: int(*in.Priority), Tags: tags, CreatedAt: call.Now, Version: 1,
	}
	if rule.Conditions, err = readConditions(in.Conditions); err != nil {
		return nil, err
	}
	if rule.Transforms, err = readTransforms(in.Transforms); err != nil {
		return nil, err
	}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		b, l, err := ruled(tx, call.Scope, rule.ListenerARN)
		if err != nil {
			return err
		}
		if _, used := ruleAt(tx, l.ARN, rule.Priority); used {
			return priorityInUse(rule.Priority)
		}
		if ruleCount(tx, b) >= maxRules {
			return fault.New(fault.TooManyRules, "The maximum number of rules has been reached").WithHint("a load balancer has at most %d rules beside the default ones", maxRules)
		}
		r := &reader{API: a, tx: tx, call: call, owner: rule.ARN}
		if rule.Actions, err = r.actions(b, l, in.Actions); err != nil {
			return err
		}
		store.ListenerRules.Put(tx, rule)
		return engineLacks(tx, b, l, rule)
	})
	if err != nil {
		return nil, err
	}
	return &shape.CreateRuleOutput{Rules: []shape.Rule{showRule(rule)}}, nil
}

// ruled is a listener that can have rules, and its balancer.
func ruled(r store.Reader, scope arn.Scope, listener string) (*balancer.Balancer, *balancer.Listener, error) {
	l, err := findListener(r, scope, listener)
	if err != nil {
		return nil, nil, err
	}
	b, err := findBalancer(r, scope, l.BalancerARN)
	if err == nil && b.Kind != balancer.Application {
		err = unfit("Rules are not supported for listeners with protocol '%s'", l.Protocol)
	}
	return b, l, err
}

func priorityInUse(priority int) error {
	return fault.New(fault.PriorityInUse, "Priority '%d' is currently in use", priority)
}

func ruleAt(r store.Reader, listener string, priority int) (*balancer.Rule, bool) {
	for rule := range store.ListenerRules.By(r, store.RulesByListener, listener) {
		if rule.Priority == priority {
			return rule, true
		}
	}
	return nil, false
}

func ruleCount(r store.Reader, b *balancer.Balancer) (n int) {
	for l := range store.Listeners.By(r, store.ListenersByBalancer, b.ARN) {
		for range store.ListenerRules.By(r, store.RulesByListener, l.ARN) {
			n++
		}
	}
	return n
}

func (a *API) modifyRule(ctx context.Context, call *gateway.Call, in *shape.ModifyRuleInput) (*shape.ModifyRuleOutput, error) {
	var rule balancer.Rule
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := a.own(tx, call.Scope, *in.RuleArn, "modified")
		if err != nil {
			return err
		}
		rule = *have
		rule.Version++
		if err := a.say(tx, call, &rule, in); err != nil {
			return err
		}
		store.ListenerRules.Put(tx, &rule)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.ModifyRuleOutput{Rules: []shape.Rule{showRule(&rule)}}, nil
}

// say writes into a rule what a caller says of it. What is absent stays.
func (a *API) say(tx *store.Tx, call *gateway.Call, rule *balancer.Rule, in *shape.ModifyRuleInput) (err error) {
	b, l, err := ruled(tx, call.Scope, rule.ListenerARN)
	if err != nil {
		return err
	}
	if len(in.Conditions) > 0 {
		if rule.Conditions, err = readConditions(in.Conditions); err != nil {
			return err
		}
	}
	if len(in.Actions) > 0 {
		r := &reader{API: a, tx: tx, call: call, owner: rule.ARN, have: rule.Actions}
		if rule.Actions, err = r.actions(b, l, in.Actions); err != nil {
			return err
		}
	}
	reset := member.Value(in.ResetTransforms)
	switch {
	case reset && len(in.Transforms) > 0:
		return invalid("You cannot specify transforms and reset them at the same time")
	case reset:
		rule.Transforms = nil
	case len(in.Transforms) > 0:
		if rule.Transforms, err = readTransforms(in.Transforms); err != nil {
			return err
		}
	}
	return engineLacks(tx, b, l, rule)
}

// own finds a rule that is no listener's default one: with that nothing can be done.
func (a *API) own(r store.Reader, scope arn.Scope, name, done string) (*balancer.Rule, error) {
	if _, ok := defaultOf(r, scope, name); ok {
		return nil, fault.New(fault.OperationNotPermitted, "Default rule '%s' cannot be %s", name, done).WithHint("it is the listener's own: change the listener's default actions")
	}
	return findRule(r, scope, name)
}

func (a *API) deleteRule(ctx context.Context, call *gateway.Call, in *shape.DeleteRuleInput) (*shape.DeleteRuleOutput, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		rule, err := a.own(tx, call.Scope, *in.RuleArn, "deleted")
		if err != nil {
			return err
		}
		store.ListenerRules.Delete(tx, rule.ARN)
		return nil
	})
	return &shape.DeleteRuleOutput{}, err
}

func (a *API) setRulePriorities(ctx context.Context, call *gateway.Call, in *shape.SetRulePrioritiesInput) (*shape.SetRulePrioritiesOutput, error) {
	var changed []*balancer.Rule
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		changed = nil
		for _, p := range in.RulePriorities {
			have, err := a.own(tx, call.Scope, member.Value(p.RuleArn), "moved")
			if err != nil {
				return err
			}
			next := *have
			next.Priority = int(member.Value(p.Priority))
			next.Version++
			changed = append(changed, &next)
		}
		return move(tx, changed)
	})
	if err != nil {
		return nil, err
	}
	return &shape.SetRulePrioritiesOutput{Rules: member.Each(changed, func(r **balancer.Rule) shape.Rule { return showRule(*r) })}, nil
}

// move puts rules at their new priorities, unless others are there afterwards.
func move(tx *store.Tx, changed []*balancer.Rule) error {
	for n, rule := range changed {
		if rule.ListenerARN != changed[0].ListenerARN {
			return invalid("All rules must belong to the same listener")
		}
		if rule.Priority < 1 {
			return invalid("A rule must have a priority between 1 and 50000")
		}
		for _, other := range changed[:n] {
			if other.Priority == rule.Priority || other.ARN == rule.ARN {
				return priorityInUse(rule.Priority)
			}
		}
		store.ListenerRules.Put(tx, rule)
	}
	seen := map[int]bool{}
	for rule := range store.ListenerRules.By(tx, store.RulesByListener, changed[0].ListenerARN) {
		if seen[rule.Priority] {
			return priorityInUse(rule.Priority)
		}
		seen[rule.Priority] = true
	}
	return nil
}

func (a *API) describeRules(_ context.Context, call *gateway.Call, in *shape.DescribeRulesInput) (*shape.DescribeRulesOutput, error) {
	list, err := chosenRules(a.store.View(), call.Scope, in)
	if err != nil {
		return nil, err
	}
	part, next, err := cut(list, in.Marker, in.PageSize, ruleOrder)
	if err != nil {
		return nil, err
	}
	return &shape.DescribeRulesOutput{Rules: part, NextMarker: next}, nil
}

// ruleOrder is the place of a rule in a list: by priority, the default one last.
func ruleOrder(r shape.Rule) string {
	if *r.IsDefault {
		return "default " + *r.RuleArn
	}
	n, _ := strconv.Atoi(*r.Priority) // ours
	return strconv.Itoa(100000+n) + " " + *r.RuleArn
}

func chosenRules(r store.Reader, scope arn.Scope, in *shape.DescribeRulesInput) (list []shape.Rule, err error) {
	if (in.ListenerArn == nil) == (len(in.RuleArns) == 0) {
		return nil, invalid("You must specify either a listener ARN or rule ARNs")
	}
	if in.ListenerArn != nil {
		l, err := findListener(r, scope, *in.ListenerArn)
		if err != nil {
			return nil, err
		}
		for rule := range store.ListenerRules.By(r, store.RulesByListener, l.ARN) {
			list = append(list, showRule(rule))
		}
		return append(list, showDefault(l)), nil
	}
	for _, name := range in.RuleArns {
		if l, ok := defaultOf(r, scope, name); ok {
			list = append(list, showDefault(l))
			continue
		}
		rule, err := findRule(r, scope, name)
		if err != nil {
			return nil, fault.New(fault.RuleNotFound, "One or more rules not found")
		}
		list = append(list, showRule(rule))
	}
	slices.SortFunc(list, func(x, y shape.Rule) int { return compare(ruleOrder(x), ruleOrder(y)) })
	return list, nil
}

// defaultOf is the listener whose default rule an ARN names.
func defaultOf(r store.Reader, scope arn.Scope, name string) (*balancer.Listener, bool) {
	l, ok := store.DefaultRuleOf(r, name)
	if !ok {
		return nil, false
	}
	l, err := findListener(r, scope, l.ARN)
	return l, err == nil
}

func showRule(r *balancer.Rule) shape.Rule {
	return shape.Rule{
		RuleArn: &r.ARN, Priority: new(strconv.Itoa(r.Priority)), IsDefault: new(false), Actions: showActions(r.Actions),
		Conditions: member.Each(r.Conditions, showCondition), Transforms: member.Some(r.Transforms, showTransform),
	}
}

func showDefault(l *balancer.Listener) shape.Rule {
	return shape.Rule{
		RuleArn: new(store.DefaultRuleARN(l)), Priority: new("default"), IsDefault: new(true),
		Actions: showActions(l.Default), Conditions: []shape.RuleCondition{},
	}
}
