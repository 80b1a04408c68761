package node

import (
	"maps"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// maxForgotten bounds one look.
const maxForgotten = 500

// forget drops what is known of targets that are no more, and what edges said that
// carry nothing any more.
func (l *look) forget() {
	for h := range store.TargetHealth.All(l.view) {
		if len(l.out.Changes) >= maxForgotten {
			l.out.Again = l.now
			return
		}
		if _, ok := store.Targets.Get(l.view, h.Target); !ok {
			l.change(h.Target, "health forgotten", func(tx *store.Tx) error {
				if _, ok := store.Targets.Get(tx, h.Target); ok || !store.TargetHealth.Delete(tx, h.Target) {
					return plan.ErrStale
				}
				return nil
			})
		} else if next := still(l.view, h); len(next.Reports) < len(h.Reports) {
			l.change(h.Target, "reports of idle edges forgotten", func(tx *store.Tx) error {
				have, ok := store.TargetHealth.Get(tx, h.Target)
				if !ok {
					return plan.ErrStale
				}
				store.TargetHealth.Put(tx, still(tx, have))
				return nil
			})
		}
	}
}

func (l *look) change(subject, says string, apply func(*store.Tx) error) {
	l.out.Changes = append(l.out.Changes, plan.Change{Subject: subject, Says: says, Apply: apply})
}

// still is the health with the reports of those edges only that carry a node.
func still(r store.Reader, h *balancer.Health) *balancer.Health {
	next := &balancer.Health{Target: h.Target, Reports: maps.Clone(h.Reports)}
	maps.DeleteFunc(next.Reports, func(edge string, _ balancer.Report) bool { return !carries(r, edge) })
	return next
}

func carries(r store.Reader, edge string) bool {
	for i := range store.Interfaces.By(r, store.InterfacesByInstance, edge) {
		if i.ReleasedAt.IsZero() && i.Kind == network.ForBalancer {
			return true
		}
	}
	return false
}
