package reap

import (
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// reasonLost is why a task of a lost instance stops.
const reasonLost = "Container instance was lost: no agent connection for "

// lostInstances gives up the tasks of instances that have been away too long.
func (l *look) lostInstances() {
	if l.InstanceLost == 0 {
		return
	}
	for i := range store.Instances.All(l.view) {
		if i.Connected || i.DisconnectedAt.IsZero() || !i.DeregisteredAt.IsZero() || i.Used.Tasks == 0 {
			continue
		}
		if l.due(i.DisconnectedAt.Add(l.InstanceLost)) && l.more() {
			l.add(i.ARN, "give up the tasks of the lost instance", func(tx *store.Tx) error { return l.giveUp(tx, i) })
		}
	}
}

func (l *look) giveUp(tx *store.Tx, seen *cluster.Instance) error {
	i, ok := store.Instances.Get(tx, seen.ARN)
	if !ok || i.Connected || !i.DisconnectedAt.Equal(seen.DisconnectedAt) {
		return plan.ErrStale
	}
	for t := range store.Tasks.By(tx, store.TasksByInstance, i.ARN) {
		if t.Assignment.Released {
			continue
		}
		next := *t
		if next.DesiredStatus() != task.Stopped {
			next.Desired = task.Desired{
				Status: task.Stopped, StopCode: task.StopTerminationNotice,
				StoppedReason: reasonLost + l.InstanceLost.Round(time.Second).String(), StoppingAt: l.now,
			}
		}
		placement.Release(tx, &next)
	}
	return nil
}
