package daemon

import (
	"reflect"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// decision is what the look wants, as one change: all of it or nothing.
func (l *look) decision() plan.Decision {
	d := plan.Decision{Again: l.again}
	if !l.idle() {
		d.Changes = []plan.Change{{Subject: l.was.ARN, Says: "deploy", Apply: l.apply}}
	}
	return d
}

func (l *look) idle() bool {
	return len(l.starts)+len(l.stops)+len(l.noted) == 0 && l.images == nil && reflect.DeepEqual(&l.next, l.was) && !l.progressed()
}

func (l *look) progressed() bool {
	return l.watched != nil && !reflect.DeepEqual(&l.deployment, l.watched)
}

// apply makes the change, unless somebody changed the daemon meanwhile.
func (l *look) apply(tx *store.Tx) error {
	have, ok := store.Daemons.Get(tx, l.was.ARN)
	if !ok || have.Version != l.was.Version {
		return plan.ErrStale
	}
	for _, s := range l.starts {
		_ = tx.Try(func(tx *store.Tx) error { // one whose place was taken meanwhile is left out
			_, err := placement.Take(tx, s.task, s.place, s.demand, l.now)
			return err
		})
	}
	l.stopAll(tx)
	for _, arn := range l.noted {
		if t, ok := store.Tasks.Get(tx, arn); ok {
			noted := *t
			noted.Noted = true
			store.Tasks.Put(tx, &noted)
		}
	}
	if l.images != nil {
		store.DaemonRevisions.Put(tx, l.images)
	}
	if l.progressed() {
		store.DaemonDeployments.Put(tx, &l.deployment)
	}
	next := l.next
	next.Version++
	store.Daemons.Put(tx, &next)
	return nil
}

func (l *look) stopAll(tx *store.Tx) {
	for _, s := range l.stops {
		t, ok := store.Tasks.Get(tx, s.arn)
		if !ok || t.DesiredStatus() == task.Stopped {
			continue
		}
		next := *t
		next.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopServiceSchedulerInitiated, StoppedReason: s.reason, StoppingAt: l.now}
		next.Version++
		store.Tasks.Put(tx, &next)
	}
}

// leave takes a deleted daemon from its instances. When the last task has stopped
// it is gone, with its history.
func (l *look) leave() plan.Decision {
	if l.live > 0 {
		if l.watched != nil {
			l.begun()
		}
		return l.decision()
	}
	return plan.Decision{Changes: []plan.Change{{Subject: l.was.ARN, Says: "forget", Apply: func(tx *store.Tx) error {
		have, ok := store.Daemons.Get(tx, l.was.ARN)
		if !ok || have.Version != l.was.Version {
			return plan.ErrStale
		}
		for _, arn := range l.noted {
			if t, ok := store.Tasks.Get(tx, arn); ok {
				noted := *t
				noted.Noted = true
				store.Tasks.Put(tx, &noted)
			}
		}
		Forget(tx, l.was.ARN)
		return nil
	}}}}
}

// Forget removes a daemon and its history.
func Forget(tx *store.Tx, arn string) {
	store.Daemons.Delete(tx, arn)
	for d := range store.DaemonDeployments.By(tx, store.DaemonDeploymentsByDaemon, arn) {
		store.DaemonDeployments.Delete(tx, d.ARN)
	}
	for r := range store.DaemonRevisions.By(tx, store.DaemonRevisionsByDaemon, arn) {
		store.DaemonRevisions.Delete(tx, r.ARN)
	}
}
