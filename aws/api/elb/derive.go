package elb

import (
	"maps"
	"reflect"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/store"
)

// derive puts the hidden groups of a balancer in force: one for each listener, with the
// balancer's health check and what follows from attributes and policies.
func derive(tx *store.Tx, b *balancer.Balancer, now time.Time) {
	for _, l := range listenersOf(tx, b) {
		have := groupOf(tx, l)
		next := balancer.HiddenGroup(b, l, have.Protocol, have.Port, have.CreatedAt)
		next.Version = have.Version
		if !reflect.DeepEqual(have, next) {
			next.Version++
			store.TargetGroups.Put(tx, next)
		}
	}
}

// targetsOf are the registrations with any group of the balancer, by instance. An
// instance is registered with all of them.
func targetsOf(r store.Reader, b *balancer.Balancer) map[string]balancer.Target {
	all := map[string]balancer.Target{}
	for _, g := range groupsOf(r, b) {
		for t := range store.Targets.Prefix(r, g.ARN+" ") {
			if have, ok := all[t.ID]; !ok || !have.DrainingSince.IsZero() {
				all[t.ID] = *t
			}
		}
	}
	return all
}

// putListener stores a new listener with its group, in which all the balancer's
// instances are. The group that kept them while there was no listener goes.
func putListener(tx *store.Tx, b *balancer.Balancer, l *balancer.Listener, protocol string, port int, now time.Time) {
	g, parked := balancer.HiddenGroup(b, l, protocol, port, now), parkedGroups(tx, b)
	have := targetsOf(tx, b)
	for _, p := range parked {
		dropGroup(tx, p)
	}
	store.TargetGroups.Put(tx, g)
	for id, t := range have {
		store.Targets.Put(tx, &balancer.Target{Scope: b.Scope, GroupARN: g.ARN, ID: id, Port: port, Since: t.Since, TaskARN: t.TaskARN, DrainingSince: t.DrainingSince})
	}
	l.Default = []balancer.Action{{Type: balancer.Forward, Order: 1, Forward: &balancer.ForwardAction{
		Groups: []balancer.Weighted{{GroupARN: g.ARN, Weight: 1}}, Plain: true,
	}}}
	store.Listeners.Put(tx, l)
}

// dropListener deletes a listener, and its group unless that is the balancer's last:
// then it goes on keeping the instances.
func dropListener(tx *store.Tx, b *balancer.Balancer, l *balancer.Listener) {
	store.Listeners.Delete(tx, l.ARN)
	if len(groupsOf(tx, b)) > 1 {
		dropGroup(tx, groupOf(tx, l))
	}
}

// parkedGroups are those that no listener leads to.
func parkedGroups(r store.Reader, b *balancer.Balancer) (parked []*balancer.TargetGroup) {
	for _, g := range groupsOf(r, b) {
		if !store.Listeners.Has(r, store.ListenersByGroup, g.ARN) {
			parked = append(parked, g)
		}
	}
	return parked
}

func dropGroup(tx *store.Tx, g *balancer.TargetGroup) {
	targets := map[string]bool{}
	for t := range store.Targets.Prefix(tx, g.ARN+" ") {
		targets[t.Key()] = true
	}
	for key := range maps.Keys(targets) {
		store.Targets.Delete(tx, key)
		store.TargetHealth.Delete(tx, key)
	}
	store.TargetGroups.Delete(tx, g.ARN)
}
