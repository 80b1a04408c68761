package elbv2

import (
	"slices"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// maxGroups is how many target groups the listeners of a balancer lead to.
const maxGroups = 100

// checkGroups refuses target groups that a listener of a balancer cannot lead to: those
// that are missing, do not fit, or belong to another balancer already.
func checkGroups(r store.Reader, b *balancer.Balancer, l *balancer.Listener, actions []balancer.Action) error {
	for _, name := range balancer.GroupsOf(actions) {
		g, err := findGroup(r, b.Scope, name)
		if err != nil {
			return err
		}
		if err := balancer.CheckLeads(b, l, g); err != nil {
			return err
		}
		if other := store.BalancersLeadingTo(r, g.ARN); len(other) > 0 && !slices.Contains(other, b.ARN) {
			return fault.New(fault.TargetGroupAssociationLimit, "The following target groups cannot be associated with more than one load balancer: %s", g.ARN)
		}
	}
	return checkUnique(r, b, balancer.GroupsOf(actions))
}

func checkUnique(r store.Reader, b *balancer.Balancer, more []string) error {
	led := map[string]bool{}
	for l := range store.Listeners.By(r, store.ListenersByBalancer, b.ARN) {
		mark(led, balancer.GroupsOf(l.Default))
		for rule := range store.ListenerRules.By(r, store.RulesByListener, l.ARN) {
			mark(led, balancer.GroupsOf(rule.Actions))
		}
	}
	if mark(led, more); len(led) > maxGroups {
		return fault.New(fault.TooManyUniqueTargetGroups, "A load balancer cannot have more than '%d' unique target groups", maxGroups)
	}
	return nil
}

func mark(set map[string]bool, names []string) {
	for _, name := range names {
		set[name] = true
	}
}
