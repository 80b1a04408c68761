package attach

import (
	"slices"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// delay is how long a target drains at most.
const delay = "deregistration_delay.timeout_seconds"

// part takes tasks that are to stop, or have, out of where they are registered, and
// notes that nothing of them is left there: from then on the agent may stop them.
func (l *look) part() {
	for t := range store.Tasks.By(l.view, store.TasksByLinks, string(task.Parting)) {
		left := store.Targets.Has(l.view, store.TargetsByTask, t.ARN)
		if !t.Registered.DrainingAt.IsZero() && left && t.Served() {
			continue // drain waits for them
		}
		if !l.more() {
			return
		}
		l.add(t.ARN, "deregistered", l.parted(t))
	}
}

func (l *look) parted(t *task.Task) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		have, ok := store.Tasks.Get(tx, t.ARN)
		if !ok || have.Stage() != task.Parting || have.Served() != t.Served() {
			return plan.ErrStale
		}
		next := *have
		if next.Registered.DrainingAt.IsZero() {
			next.Registered.DrainingAt = l.now
			l.deregister(tx, have)
		}
		if !have.Served() {
			l.cut(tx, have)
		}
		next.Registered.Done = !store.Targets.Has(tx, store.TargetsByTask, t.ARN)
		next.Version++
		store.Tasks.Put(tx, &next)
		return nil
	}
}

// deregister begins to drain the targets of a task; those that nothing leads to are
// gone at once. Nobody finds it by name any more.
func (l *look) deregister(tx *store.Tx, t *task.Task) {
	for _, i := range slices.Collect(store.DiscoveryInstances.By(tx, store.DiscoveryInstancesByTask, t.ARN)) {
		store.DeleteDiscovered(tx, i.Scope, i.ServiceID, i.ID)
	}
	draining, said := 0, map[service.Membership]bool{}
	for _, have := range slices.Collect(store.Targets.By(tx, store.TargetsByTask, t.ARN)) {
		if with := store.MembershipOf(tx, have.GroupARN); !said[with] {
			said[with] = true
			l.say(tx, t, func(s *service.Service) string { return s.SayDeregistered(1, with) })
		}
		next := *have
		if next.DrainingSince.IsZero() {
			next.DrainingSince = l.now
		}
		if due, over := due(tx, &next); over || !due.After(l.now) {
			forget(tx, &next)
			continue
		}
		store.Targets.Put(tx, &next)
		draining++
	}
	if draining > 0 {
		l.say(tx, t, func(s *service.Service) string { return s.SayDraining(1) })
	}
}

// cut forgets the targets of a task whose containers run no more.
func (l *look) cut(tx *store.Tx, t *task.Task) {
	for _, have := range slices.Collect(store.Targets.By(tx, store.TargetsByTask, t.ARN)) {
		forget(tx, have)
	}
}

func forget(tx *store.Tx, t *balancer.Target) {
	store.Targets.Delete(tx, t.Key())
	store.TargetHealth.Delete(tx, t.Key())
}

// drain forgets targets that have drained, a service's or not.
func (l *look) drain() {
	for t := range store.Targets.By(l.view, store.TargetsDraining, store.Draining) {
		due, over := due(l.view, t)
		if !over && due.After(l.now) {
			l.out.Again = plan.Earliest(l.out.Again, due)
			continue
		}
		if !l.more() {
			return
		}
		l.add(t.Key(), "drained", func(tx *store.Tx) error {
			have, ok := store.Targets.Get(tx, t.Key())
			if !ok || !have.DrainingSince.Equal(t.DrainingSince) {
				return plan.ErrStale
			}
			forget(tx, have)
			return nil
		})
	}
}

// due tells until when a target drains at most, and whether it has already: no edge
// that knows it has a request for it any more, or none can have.
func due(r store.Reader, t *balancer.Target) (until time.Time, over bool) {
	g, ok := store.TargetGroups.Get(r, t.GroupARN)
	if !ok {
		return t.DrainingSince, true
	}
	until = t.DrainingSince.Add(g.Seconds(delay))
	h, ok := store.TargetHealth.Get(r, t.Key())
	if !ok || len(h.Reports) == 0 {
		return until, !carried(r, g)
	}
	for _, report := range h.Reports {
		if !report.Idle {
			return until, false
		}
	}
	return until, true
}

// carried tells whether an edge has a balancer that leads to the group.
func carried(r store.Reader, g *balancer.TargetGroup) bool {
	if g.ClassicARN != "" {
		return served(r, g.ClassicARN)
	}
	for l := range store.Listeners.By(r, store.ListenersByGroup, g.ARN) {
		if served(r, l.BalancerARN) {
			return true
		}
	}
	for rule := range store.ListenerRules.By(r, store.RulesByGroup, g.ARN) {
		if l, ok := store.Listeners.Get(r, rule.ListenerARN); ok && served(r, l.BalancerARN) {
			return true
		}
	}
	return false
}

// served tells whether a node of a balancer is on an edge.
func served(r store.Reader, arn string) bool {
	b, ok := store.Balancers.Get(r, arn)
	if !ok {
		return false
	}
	return slices.ContainsFunc(b.Zones, func(z balancer.Zone) bool {
		i, ok := store.Interfaces.Get(r, network.Key(b.Scope, z.InterfaceID))
		return ok && i.ReleasedAt.IsZero() && i.InstanceARN != ""
	})
}
