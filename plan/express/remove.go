package express

import (
	"iter"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
)

// heldFor is how long to wait for interfaces that hold a security group: those of the
// last tasks are released a moment after them.
const heldFor = time.Second

// Planner takes away the ways in to services that have gone.
func Planner() plan.Planner {
	return plan.Planner{
		Name: "express", Wakes: []store.Descriptor{store.Services},
		Parts: plan.Parts{
			All: func(v *store.View) iter.Seq[string] { return store.Services.Keys(v) },
			Of: func(_ *store.View, e store.Event) []string {
				if _, next, ok := store.Services.Of(e); ok && next != nil {
					return []string{next.ARN}
				}
				return nil
			},
		},
		LookAt: look,
	}
}

func look(v *store.View, now time.Time, arn string) (d plan.Decision) {
	r, ok := remains(v, arn, now)
	if !ok {
		return d
	}
	if r.any() {
		d.Changes = []plan.Change{{Subject: arn, Says: "take away the way in", Apply: func(tx *store.Tx) error {
			r, ok := remains(tx, arn, now)
			if !ok || !r.any() {
				return plan.ErrStale
			}
			r.remove(tx)
			return nil
		}}}
	}
	if len(r.held) > 0 {
		d.Again = now.Add(heldFor)
	}
	return d
}

func (r *remainder) remove(tx *store.Tx) {
	if r.rule != nil {
		store.ListenerRules.Delete(tx, r.rule.ARN)
	}
	if r.listener != nil {
		next := *r.listener
		next.Certificates = slices.DeleteFunc(slices.Clone(next.Certificates), func(c string) bool { return c == r.serving })
		next.Version++
		store.Listeners.Put(tx, &next)
	}
	if r.balancer != nil {
		r.removeBalancer(tx)
	}
	for _, g := range r.targetGroups {
		for _, t := range slices.Collect(store.Targets.Prefix(tx, g.ARN+" ")) {
			store.TargetHealth.Delete(tx, t.Key())
			store.Targets.Delete(tx, t.Key())
		}
		store.TargetGroups.Delete(tx, g.ARN)
	}
	if r.certificate != nil {
		store.Certificates.Delete(tx, r.certificate.ARN)
	}
	for _, g := range r.securityGroups {
		store.SecurityGroups.Delete(tx, network.Key(g.Scope, g.ID))
	}
}

// removeBalancer removes the balancer with all its listeners and rules, and releases
// its nodes' addresses.
func (r *remainder) removeBalancer(tx *store.Tx) {
	for _, l := range slices.Collect(store.Listeners.By(tx, store.ListenersByBalancer, r.balancer.ARN)) {
		for _, rule := range slices.Collect(store.ListenerRules.By(tx, store.RulesByListener, l.ARN)) {
			store.ListenerRules.Delete(tx, rule.ARN)
		}
		store.Listeners.Delete(tx, l.ARN)
	}
	for _, z := range r.balancer.Zones {
		if i, ok := store.Interfaces.Get(tx, network.Key(r.balancer.Scope, z.InterfaceID)); ok && i.ReleasedAt.IsZero() {
			lease.Release(tx, i, r.now)
		}
	}
	store.Balancers.Delete(tx, r.balancer.ARN)
}
