package elbv2

import (
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/store"
)

// engineLacks refuses what the engine of a balancer cannot do: a listener, or a rule of
// it, and the target groups that they lead to; rule is nil for the listener's own actions.
func engineLacks(r store.Reader, b *balancer.Balancer, l *balancer.Listener, rule *balancer.Rule) error {
	if b.Engine != balancer.EngineHAProxy {
		return nil
	}
	if err := lacks(b, balancer.HAProxyLacks(b, l, rule)); err != nil {
		return err
	}
	actions := l.Default
	if rule != nil {
		actions = rule.Actions
	}
	for _, arn := range balancer.GroupsOf(actions) {
		if g, ok := store.TargetGroups.Get(r, arn); ok {
			if err := lacks(b, balancer.HAProxyLacksGroup(g)); err != nil {
				return err
			}
		}
	}
	return nil
}

// attributeLacks refuses attributes of a balancer that its engine does not carry out.
func attributeLacks(b *balancer.Balancer) error {
	if b.Engine != balancer.EngineHAProxy {
		return nil
	}
	return lacks(b, balancer.HAProxyLacksAttribute(b))
}

// groupLacks refuses what engines cannot do that lead to a target group.
func groupLacks(r store.Reader, g *balancer.TargetGroup) error {
	for _, arn := range store.BalancersLeadingTo(r, g.ARN) {
		if b, ok := store.Balancers.Get(r, arn); ok && b.Engine == balancer.EngineHAProxy {
			return lacks(b, balancer.HAProxyLacksGroup(g))
		}
	}
	return nil
}

func lacks(b *balancer.Balancer, what string) error {
	if what == "" {
		return nil
	}
	return unfit("The engine 'haproxy' of load balancer '%s' does not support %s", b.Name, what).WithHint("make a load balancer without the tag %s", engineTag)
}
