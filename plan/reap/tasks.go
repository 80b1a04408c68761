package reap

import (
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// stoppedTasks forgets tasks that stopped long ago, and the oldest where there
// are too many, with the keys they had.
func (l *look) stoppedTasks() {
	excess := l.count() - l.MaxStopped
	for t := range store.Tasks.By(l.view, store.TasksByPhase, store.Ended) {
		if excess <= 0 && !l.due(store.StoppedAt(t).Add(l.KeepStopped)) || !l.more() {
			return
		}
		excess--
		if !settled(t) {
			continue // its address is still held
		}
		l.add(t.ARN, "forget the stopped task", func(tx *store.Tx) error { return forget(tx, t.ARN) })
	}
}

// count is the number of stopped tasks, as far as it matters.
func (l *look) count() int {
	n := 0
	if store.Tasks.Len(l.view) <= l.MaxStopped {
		return n
	}
	for range store.Tasks.By(l.view, store.TasksByPhase, store.Ended) {
		n++
	}
	return n
}

func settled(t *task.Task) bool {
	for i := range t.Attachments {
		if t.Attachments[i].Status != store.AttachmentDeleted {
			return false
		}
	}
	return true
}

func forget(tx *store.Tx, arn string) error {
	t, ok := store.Tasks.Get(tx, arn)
	if !ok || store.Phase(t) != store.Ended || !settled(t) {
		return plan.ErrStale
	}
	for k := range store.AccessKeys.By(tx, store.AccessKeysByTask, arn) {
		store.AccessKeys.Delete(tx, k.ID)
	}
	store.Tasks.Delete(tx, arn)
	return nil
}

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
