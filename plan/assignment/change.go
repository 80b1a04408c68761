package assignment

import (
	"errors"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// assign writes the decision, unless the task or the instance is no longer as it
// was: what is taken is counted anew on the instance of the transaction.
func (l *look) assign(t *task.Task, p *placement.Placement, demand cluster.Demand) {
	now, fargate := l.now, t.Spec.LaunchType == workload.Fargate
	l.out.Changes = append(l.out.Changes, plan.Change{
		Subject: t.ARN, Says: "place on " + p.Instance.ARN,
		Apply: func(tx *store.Tx) error {
			have, err := waiting(tx, t.ARN)
			if err != nil {
				return err
			}
			i, ok := store.Instances.Get(tx, p.Instance.ARN)
			if !ok {
				return plan.ErrStale
			}
			d := i.Share(demand, fargate)
			if placeable, _ := i.Placeable(); !placeable || i.CapacityProvider != p.Instance.CapacityProvider || !fits(i, &i.Used, &d) {
				return plan.ErrStale
			}
			usage, held := i.Used.Take(&i.Registered, &d)
			if _, err = placement.Assign(tx, have, &placement.Placement{Instance: i, Held: held, Usage: usage}, now); err != nil {
				return errors.Join(plan.ErrStale, err) // another task took the last address
			}
			return nil
		},
	})
}

func (l *look) stop(t *task.Task, reason string) {
	now := l.now
	l.out.Changes = append(l.out.Changes, plan.Change{
		Subject: t.ARN, Says: "stop: " + reason,
		Apply: func(tx *store.Tx) error {
			have, err := waiting(tx, t.ARN)
			if err != nil {
				return err
			}
			next := *have
			next.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopTaskFailedToStart, StoppedReason: reason, StoppingAt: now}
			next.Version++
			store.Tasks.Put(tx, &next)
			return nil
		},
	})
}

// waiting finds a task that still wants a place.
func waiting(tx *store.Tx, arn string) (*task.Task, error) {
	t, ok := store.Tasks.Get(tx, arn)
	if !ok || store.Phase(t) != store.Unplaced {
		return nil, plan.ErrStale
	}
	return t, nil
}
