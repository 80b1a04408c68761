package rollout

import (
	"time"

	"github.com/berthhq/berth/domain/service"
)

// verdict is why a rollout fails.
type verdict struct {
	what     string // in the words of the event log
	breaker  bool   // the circuit breaker found it
	because  string // of the rollout's reason
	rollback bool
}

// said is the rollout's reason.
func (v *verdict) said() string {
	if v.rollback {
		return "Service deployment rolled back because " + v.because
	}
	return "Service deployment stopped because " + v.because
}

// reason of the deployment.
func (v *verdict) reason() string {
	if v.breaker {
		return service.ReasonBreaker(v.what)
	}
	return "ECS deployment failed: " + v.what
}

// back is the reason of the deployment that a rollback goes to.
func (v *verdict) back(id string) string {
	if v.breaker {
		return service.ReasonBreaker(service.RollingBack(id))
	}
	return "ECS deployment " + service.RollingBack(id)
}

// judge begins a rollout, and ends one that has failed or is asked to stop.
func (l *look) judge() {
	r := l.rollout
	if r == nil {
		return
	}
	d := l.next.Deployment(r.DeploymentID)
	if d == nil {
		return // a rollback goes on, and the target's last task is gone
	}
	r.Failures = max(r.Failures, d.Failed)
	if r.Stage == "" && r.Blue == "" && staged(&r.Configuration) {
		r.Blue = l.blue()
		if blue := l.next.Deployment(r.Blue); blue != nil && r.Configuration.Strategy.Shifts() {
			d.Alternate = !blue.Alternate
		}
	}
	if r.Status == service.Pending {
		r.Status, r.StartedAt, r.UpdatedAt = service.RolloutInProgress, l.now, l.now
		l.minds()
		l.says = append(l.says, service.Event{Name: service.DeploymentBegun, Reason: d.Reason, DeploymentID: d.ID})
	}
	if l.expire(); l.expired {
		return
	}
	switch r.Status {
	case service.StopRequested:
		l.fail(verdict{what: service.StoppedByUser, because: "of a stop request by user."})
	case service.RollbackRequested:
		l.fail(verdict{what: service.StoppedByUser, because: "of a stop request by user.", rollback: true})
	case service.RolloutInProgress:
		if v, failed := l.failing(d); failed {
			l.fail(v)
		}
	}
}

// failing asks the circuit breaker, the alarms, the hooks and the clock.
func (l *look) failing(d *service.Deployment) (verdict, bool) {
	for _, ask := range []func(*service.Deployment) (verdict, bool){l.breaks, l.alarming, l.refused, l.overdue} {
		if v, failed := ask(d); failed {
			return v, true
		}
	}
	return verdict{}, false
}

// fail ends the rollout's way forward: back to the last good deployment, if that is
// wanted, or it stays where it is.
func (l *look) fail(v verdict) {
	r := l.rollout
	d := l.next.Deployment(r.DeploymentID)
	d.State, d.Reason, d.UpdatedAt = service.Failed, v.reason(), l.now
	l.next.Steady = false
	l.says = append(l.says, service.Event{
		Message: l.next.Say("(deployment %s) deployment failed: %s", d.ID, v.what),
		Name:    service.DeploymentFailed, Reason: v.reason(), DeploymentID: d.ID,
	})
	good := l.goal()
	switch {
	case !v.rollback:
		r.StoppedAt = l.now
		r.End(service.Stopped, v.said(), l.now)
		l.next.Rollout = ""
		return
	case good == nil || good.DeploymentID == d.ID:
		r.StoppedAt = l.now
		r.End(service.RollbackFailed, v.said()+" There is no completed deployment to roll back to.", l.now)
		l.next.Rollout = ""
		return
	}
	l.back(good, v)
	l.retreat()
}

// goal is where a rollback goes: what traffic moved from, or what was good last.
func (l *look) goal() *service.Good {
	r := l.rollout
	if d := l.next.Deployment(r.Blue); d != nil && r.Configuration.Strategy.Shifts() {
		return &service.Good{DeploymentID: d.ID, RevisionARN: d.RevisionARN, Alternate: d.Alternate}
	}
	return l.next.Good
}

// back makes the last good deployment the primary one again.
func (l *look) back(good *service.Good, v verdict) {
	r := l.rollout
	r.Status, r.Reason, r.BackTo, r.BackReason, r.BackSince, r.UpdatedAt = service.RollbackInProgress, v.said(), good.RevisionARN, v.said(), l.now, l.now
	r.StableSince = time.Time{}
	d := service.Deployment{ID: good.DeploymentID, RevisionARN: good.RevisionARN, Alternate: good.Alternate, CreatedAt: l.now}
	if have := l.next.Deployment(good.DeploymentID); have != nil {
		d = *have
	}
	d.State, d.Reason, d.UpdatedAt = service.InProgress, v.back(d.ID), l.now
	l.next.Promote(d)
	l.next.Spec.Revision = good.RevisionARN
	if rev, ok := l.revision(good.RevisionARN); ok {
		l.next.Spec.Template = rev.Template
	}
	l.says = append(l.says, service.Event{
		Message: l.next.Say("rolling back to deployment %s.", d.ID), Name: service.DeploymentBegun, Reason: d.Reason, DeploymentID: d.ID,
	})
	l.regroup()
}

// regroup puts the crews in the order of the deployments again.
func (l *look) regroup() {
	byID := map[string]*crew{}
	for _, c := range l.crews {
		byID[c.id] = c
	}
	l.crews = nil
	for i := range l.next.Deployments {
		d := &l.next.Deployments[i]
		c := byID[d.ID]
		if c == nil {
			c = l.newCrew(d)
		}
		c.deployment = d
		l.crews = append(l.crews, c)
	}
}

// finish ends the rollout when the primary deployment is as it is wanted.
func (l *look) finish() {
	c := l.primary()
	d := c.deployment
	if d.State != service.InProgress || !l.lastStage() || !l.arrived(c) || !l.baked() {
		return
	}
	d.State, d.Reason, d.UpdatedAt = service.Completed, d.ReasonCompleted(), l.now
	if d.CompletedAt.IsZero() {
		d.CompletedAt = l.now
	}
	l.next.Good = &service.Good{DeploymentID: d.ID, RevisionARN: d.RevisionARN, Alternate: d.Alternate}
	l.says = append(l.says, service.Event{
		Message: l.next.Say("(deployment %s) deployment completed.", d.ID),
		Name:    service.DeploymentCompleted, Reason: d.Reason, DeploymentID: d.ID,
	})
	if r := l.rollout; r != nil {
		if r.Status == service.RollbackInProgress {
			r.End(service.RollbackSuccessful, r.Reason, l.now)
		} else {
			r.End(service.Successful, "", l.now)
		}
		l.next.Rollout = ""
	}
}

// arrived tells whether the deployment has its tasks, healthy, and no other has any.
func (l *look) arrived(c *crew) bool {
	t := c.tally
	if e := l.next.Spec.Configuration.EarlySuccess; e != nil && e.Enable && t.Healthy*100 >= c.deployment.Want*value(e.HealthyPercent) {
		return e.Cleanup == "DEFERRED" || l.others().Live() == 0
	}
	return l.settled(c)
}

// settled tells whether the service is as it is wanted.
func (l *look) settled(c *crew) bool {
	return c.tally == service.Tally{Healthy: c.deployment.Want} && l.others().Live() == 0 && len(l.starts)+len(l.stops) == 0
}

// baked tells whether a deployment that has arrived has been watched long enough.
func (l *look) baked() bool {
	r := l.rollout
	if r == nil || r.Status != service.RolloutInProgress || r.Stage != "" {
		return true
	}
	if r.StableSince.IsZero() {
		r.StableSince = l.now
	}
	due := r.StableSince.Add(l.bake())
	if l.now.Before(due) {
		l.wait(due)
		return false
	}
	return true
}

// steady says once that the service is as it is wanted, and that it fails to be.
func (l *look) steady() {
	c := l.primary()
	steady := c.deployment.State == service.Completed && l.settled(c) && l.next.Moving == nil
	if steady && !l.next.Steady {
		l.says = append(l.says, service.Event{Message: l.next.Say("has reached a steady state."), Name: service.SteadyState})
		l.resolved("impaired", "capacity", "role", "placement", "protected")
	}
	l.next.Steady = steady
	if d := c.deployment; d.Failed > 0 && d.Pause >= impairedAfter {
		l.notice("impaired", service.Event{Message: l.next.SayImpaired(), Name: service.TaskStartImpaired})
	}
}
