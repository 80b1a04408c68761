package service

import (
	"slices"
	"time"
)

// Begin makes a revision what the service moves to: a deployment of its own before
// the others, and the rollout that brings it up. id is the deployment's, arn the
// rollout's. What was under way before is the caller's to end.
func (s *Service) Begin(r *Revision, id, arn string, now time.Time) *Rollout {
	out := &Rollout{
		Scope: s.Scope, ARN: arn, ServiceARN: s.ARN, ClusterARN: s.ClusterARN, DeploymentID: id, Target: r.ARN,
		Configuration: s.Spec.Configuration, Status: Pending, Breaker: MonitorDisabled, AlarmStatus: MonitorDisabled,
		CreatedAt: now, UpdatedAt: now,
	}
	if b := s.Spec.Configuration.Breaker; b != nil && b.Enable {
		out.Breaker = MonitorMonitoring
	}
	if a := s.Spec.Configuration.Alarms; a != nil && a.Enable {
		out.AlarmStatus = MonitorMonitoring
	}
	for i := range s.Deployments {
		out.Sources = append(out.Sources, Source{RevisionARN: s.Deployments[i].RevisionARN, DeploymentID: s.Deployments[i].ID})
	}
	d := Deployment{
		ID: id, RevisionARN: r.ARN, Status: Primary, State: InProgress, Want: s.Spec.Desired, CreatedAt: now, UpdatedAt: now,
	}
	if s.Spec.Configuration.Strategy.Shifts() {
		d.Want = 0 // until it is scaled up
	}
	if before := s.Primary(); before != nil {
		d.Alternate = before.Alternate
	}
	d.Reason = d.ReasonInProgress()
	s.Promote(d)
	s.Spec.Revision, s.Spec.Template = r.ARN, r.Template
	s.Rollout, s.LastRollout, s.Steady = arn, arn, false
	return out
}

// Promote makes a deployment the primary one, in place of the entry with its id
// where there is one.
func (s *Service) Promote(d Deployment) {
	rest := slices.DeleteFunc(slices.Clone(s.Deployments), func(x Deployment) bool { return x.ID == d.ID })
	for i := range rest {
		rest[i].Status = Older
	}
	d.Status = Primary
	s.Deployments = append([]Deployment{d}, rest...)
}

// Supersede ends a rollout that another one takes the place of.
func (r *Rollout) Supersede(now time.Time) {
	r.End(Stopped, "Service deployment stopped because a new service deployment was started.", now)
	r.StoppedAt = now
}

// End settles the rollout. Hooks that nobody has answered are not asked any more.
func (r *Rollout) End(status RolloutStatus, reason string, now time.Time) {
	r.Status, r.Reason, r.FinishedAt, r.UpdatedAt = status, reason, now, now
	r.Hooks = slices.DeleteFunc(slices.Clone(r.Hooks), func(h HookRun) bool { return h.Status.Open() })
	for _, m := range []*MonitorStatus{&r.Breaker, &r.AlarmStatus} {
		if *m == MonitorMonitoring {
			*m = MonitorComplete
		}
	}
}
