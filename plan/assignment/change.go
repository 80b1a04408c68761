package assignment

import (
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// assign writes the decision, unless the task or the instance is no longer as it
// was.
func (l *look) assign(t *task.Task, p *placement.Placement, demand cluster.Demand) {
	now := l.now
	l.out.Changes = append(l.out.Changes, plan.Change{
		Subject: t.ARN, Says: "place on " + p.Instance.ARN,
		Apply: func(tx *store.Tx) error {
			have, err := waiting(tx, t.ARN)
			if err != nil {
				return err
			}
			_, err = placement.Take(tx, have, p.Instance, demand, now)
			return err
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
