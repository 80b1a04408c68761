// Package spot takes back what Fargate Spot was lent: when a Fargate task on
// demand finds no room, it ends as few Spot tasks as give it enough, the newest
// first. They stop as AWS stops them: SIGTERM at once, SIGKILL after the stop
// timeout, which is two minutes at most.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
package spot

import (
	"cmp"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// reason is AWS's word for why an interrupted task stopped.
const reason = "Your Spot Task was interrupted."

// maxDemands bounds one look: of many tasks, the first already end what is there to
// end.
const maxDemands = 100

// Planner makes the planner. It looks after placement, which may find room
// without it.
func Planner() plan.Planner {
	return plan.Planner{Name: "spot", Wakes: []store.Descriptor{store.Tasks, store.Instances}, Look: look}
}

func look(v *store.View, now time.Time) plan.Decision {
	var out plan.Decision
	if !store.Tasks.Has(v, store.TasksByPhase, store.Unplaced) {
		return out
	}
	lent := machines(v)
	if !slices.ContainsFunc(lent, func(m *Machine) bool { return len(m.Spot) > 0 }) {
		return out
	}
	for _, t := range Choose(lent, demands(v)) {
		out.Changes = append(out.Changes, plan.Change{
			Subject: t.ARN, Says: "interrupt for a task on demand",
			Apply: func(tx *store.Tx) error {
				have, ok := store.Tasks.Get(tx, t.ARN)
				if !ok || !Interruptible(have) {
					return plan.ErrStale
				}
				Interrupt(tx, have, now)
				return nil
			},
		})
	}
	return out
}

// Interruptible tells whether a task is on Spot and wanted running.
func Interruptible(t *task.Task) bool {
	return t.Spec.CapacityProvider == cluster.FargateSpotProvider && t.DesiredStatus() == task.Running
}

// Interrupt ends an interruptible task.
func Interrupt(tx *store.Tx, t *task.Task, now time.Time) *task.Task {
	next := *t
	next.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopSpotInterruption, StoppedReason: reason, StoppingAt: now}
	next.Version++
	store.Tasks.Put(tx, &next)
	return &next
}

// demands are those of the Fargate tasks on demand that wait for room: of those
// that have waited longest, as many as one look is for.
func demands(v *store.View) []cluster.Demand {
	var out []cluster.Demand
	for t := range store.Tasks.By(v, store.TasksByPhase, store.Unplaced) {
		if t.Spec.LaunchType != workload.Fargate || t.Spec.CapacityProvider == cluster.FargateSpotProvider {
			continue
		}
		if len(out) == maxDemands {
			break
		}
		if def, ok := store.TaskDefinitions.Get(v, t.Spec.DefinitionARN); ok {
			out = append(out, task.Demand(def, &t.Spec))
		}
	}
	return out
}

// machines are those of Fargate that may take tasks. What stops there already
// counts as gone: nobody is interrupted for room that is coming.
func machines(v *store.View) []*Machine {
	var out []*Machine
	for i := range store.Instances.By(v, store.InstancesByOffer, store.OfferFargate) {
		if ok, _ := i.Placeable(); !ok {
			continue
		}
		m := &Machine{Instance: i, Usage: i.Used}
		for t := range store.Tasks.By(v, store.TasksByInstance, i.ARN) {
			switch {
			case Interruptible(t):
				m.Spot = append(m.Spot, t)
			case t.DesiredStatus() == task.Stopped && !t.Assignment.Released:
				m.Usage = m.Usage.Release(&t.Assignment.Held)
			}
			if t.LastStatus() == task.Stopped {
				break // the stopped come last
			}
		}
		slices.SortFunc(m.Spot, func(a, b *task.Task) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ARN, a.ARN)) })
		out = append(out, m)
	}
	return out
}
