package daemon

import (
	"time"

	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/daemon"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// recover forgets failures once a task is healthy that started after them.
func (l *look) recover() {
	if !l.next.FailedAt.IsZero() && l.proven.After(l.next.FailedAt) {
		l.next.Pause, l.next.RetryAt, l.next.FailedAt = 0, time.Time{}, time.Time{}
	}
}

// judge begins the deployment, and turns back one that has failed.
func (l *look) judge() {
	if !l.underway() {
		return
	}
	l.begun()
	d := &l.deployment
	if d.Threshold == 0 {
		d.Threshold = (&service.Breaker{}).Limit(len(l.instances))
	}
	if d.Failures >= d.Threshold {
		d.Breaker = service.MonitorTriggered
		l.fail("the circuit breaker threshold was exceeded.")
		return
	}
	if a := d.Configuration.Alarms; a == nil || !a.Enable || d.Status == service.RollbackInProgress {
		return
	}
	for _, name := range d.Configuration.Alarms.Names {
		if a, ok := store.Alarms.Get(l.view, alarm.Key(l.was.Scope, name)); ok && a.State == alarm.InAlarm {
			d.Triggered = append(d.Triggered, name)
		}
	}
	if len(d.Triggered) > 0 {
		d.AlarmStatus = service.MonitorTriggered
		l.fail("an alarm was triggered.")
	}
}

// fail goes back to the revision that was deployed last, or ends where it is when
// there is none.
func (l *look) fail(why string) {
	d, good := &l.deployment, l.next.Good
	rev, ok := store.DaemonRevisions.Get(l.view, good)
	switch {
	case d.Status == service.RollbackInProgress:
		d.End(service.RollbackFailed, "The rollback of the daemon deployment failed because "+why, l.now)
	case !ok || good == d.Target:
		d.End(service.Stopped, "The daemon deployment was stopped because "+why+" There is no earlier revision to roll back to.", l.now)
	default:
		d.Status, d.Reason = service.RollbackInProgress, "The daemon deployment is rolled back because "+why
		d.Back = &daemon.Rollback{Target: good, Reason: d.Reason, Since: l.now, Providers: rev.Spec.Providers}
		d.Failures, d.StableSince = 0, time.Time{}
		l.turn(rev)
	}
}

// turn makes another revision the one to have, and looks at the tasks anew.
func (l *look) turn(rev *daemon.Revision) {
	l.next.Revision, l.next.Spec, l.next.UpdatedAt = rev.ARN, rev.Spec, l.now
	l.next.Pause, l.next.RetryAt, l.next.FailedAt = 0, time.Time{}, time.Time{}
	l.proven = time.Time{}
	l.load()
	l.survey()
	noted := l.noted
	l.gather()
	l.noted = noted
}

// finish ends the deployment whose revision runs everywhere.
func (l *look) finish() {
	if !l.underway() {
		return
	}
	l.next.Good = l.next.Revision
	if l.deployment.Status == service.RollbackInProgress {
		l.deployment.End(service.RollbackSuccessful, l.deployment.Reason, l.now)
		return
	}
	l.deployment.End(service.Successful, "", l.now)
}
