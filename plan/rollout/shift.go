package rollout

import (
	"slices"
	"time"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// staged tells whether a rollout goes through stages: those that shift traffic do,
// and a rolling one with hooks.
func staged(c *service.Configuration) bool {
	return c.Strategy.Shifts() || slices.ContainsFunc(c.Hooks, func(h service.Hook) bool {
		return slices.Contains(h.Stages, service.PreScaleUp) || slices.Contains(h.Stages, service.PostScaleUp)
	})
}

// ruling is the rollout that says what the deployments are to be: the one under way,
// or the last one, when it stopped half-way. nil when there is none.
func (l *look) ruling() *service.Rollout {
	if l.rollout != nil {
		return l.rollout
	}
	r, ok := store.Rollouts.Get(l.view, l.next.LastRollout)
	if !ok || l.next.Primary().State == service.Completed {
		return nil
	}
	return r
}

// beside tells whether each deployment is kept at its own number of tasks, rather
// than one replaced by the other.
func (l *look) beside() bool {
	r := l.ruling()
	return r != nil && (r.Configuration.Strategy.Shifts() || r.Stage == service.PreScaleUp && r.Status == service.RolloutInProgress)
}

// advance takes the rollout to its next stage, when the present one is over.
func (l *look) advance() {
	r := l.rollout
	if r == nil || l.expired || !staged(&r.Configuration) {
		return
	}
	p := l.position()
	next, again := p, time.Time{}
	switch {
	case r.Status == service.RolloutInProgress:
		next, again = r.Configuration.Forward(p, l.sight())
	case r.Status == service.RollbackInProgress && r.Stage != "":
		next = service.Backward(p, l.sight())
	}
	if !again.IsZero() {
		l.wait(again)
	}
	if next != p {
		l.enter(next)
	}
}

// enter brings the rollout to a position.
func (l *look) enter(p service.Position) {
	r := l.rollout
	r.Stage, r.StageSince, r.UpdatedAt = p.Stage, p.Since, l.now
	l.ask()
	if !r.Configuration.Strategy.Shifts() {
		return
	}
	for i := range l.next.Deployments {
		switch d := &l.next.Deployments[i]; d.ID {
		case r.DeploymentID:
			d.Traffic, d.TestTraffic = p.Production, p.Test
		case r.Blue:
			d.Traffic, d.TestTraffic = 100-p.Production, 100-p.Test
		default:
			d.Traffic, d.TestTraffic = 0, 0
		}
	}
}

// retreat begins the rollback of a rollout with stages.
func (l *look) retreat() {
	r := l.rollout
	switch {
	case r.Configuration.Strategy.Shifts():
		l.enter(service.Retreat(l.position(), l.now))
	case r.Stage != "":
		r.Stage, r.StageSince = "", l.now // it rolls back as it rolled forward
	}
}

func (l *look) position() service.Position {
	p := service.Position{Stage: l.rollout.Stage, Since: l.rollout.StageSince}
	if d := l.next.Deployment(l.rollout.DeploymentID); d != nil {
		p.Production, p.Test = d.Traffic, d.TestTraffic
	}
	return p
}

func (l *look) sight() service.Sight {
	r, c := l.rollout, l.primary()
	s := service.Sight{Now: l.now, Blue: r.Blue != "", Answered: l.answered(), Bake: l.bake()}
	if r.Configuration.Strategy.Shifts() {
		s.Ready = c.tally.Healthy >= l.next.Spec.Desired
	} else {
		s.Ready = l.arrived(c)
	}
	for _, c := range l.crews {
		if c.id != r.DeploymentID && c.id != r.Blue && len(c.members) > 0 {
			s.Several = true
		}
	}
	return s
}

// blue is the deployment that traffic is to move from: the one that has most of it,
// else the last that was good, else one that was rolled out without stages. One that
// was never to serve is none.
func (l *look) blue() string {
	best, most := "", 0.0
	for _, c := range l.crews {
		d := c.deployment
		if d.Status == service.Primary {
			continue
		}
		weight := d.Traffic
		switch {
		case l.next.Good != nil && l.next.Good.DeploymentID == d.ID:
			weight += 0.02
		case len(c.members) > 0 && !l.shifted(d.ID):
			weight += 0.01
		}
		if weight > most {
			best, most = d.ID, weight
		}
	}
	return best
}

// shifted tells whether a deployment's own rollout shifts traffic.
func (l *look) shifted(deployment string) bool {
	for r := range store.Rollouts.By(l.view, store.RolloutsByService, l.was.ARN) {
		if r.DeploymentID == deployment {
			return r.Configuration.Strategy.Shifts()
		}
	}
	return false
}

// share says how many tasks each deployment is to have, and keeps them.
func (l *look) share() {
	r := l.ruling()
	for _, c := range l.crews {
		d := c.deployment
		switch {
		case d.ID == r.DeploymentID:
			d.Want = l.green(r)
		case d.ID == r.Blue:
			d.Want = l.next.Spec.Desired
			if r.Stage == service.CleanUp && r.Status != service.RollbackInProgress {
				d.Want = 0
			}
		case r.Configuration.Strategy.Shifts():
			d.Want = 0
		default:
			d.Want = len(c.members)
		}
		if l.next.Spec.Scheduling != service.Daemon {
			l.keep(c)
		}
	}
}

// green is how many tasks the new revision is to have.
func (l *look) green(r *service.Rollout) int {
	switch r.Stage {
	case "", service.ReconcileService, service.PreScaleUp:
		return 0
	case service.CleanUp:
		if r.Status == service.RollbackInProgress {
			return 0
		}
	}
	return l.next.Spec.Desired
}

// keep starts and stops tasks of a deployment until it has as many as it is to.
func (l *look) keep(c *crew) {
	d, spec := c.deployment, &l.next.Spec.Configuration
	b := service.BoundsOf(d.Want, spec.MinimumPercent, spec.MaximumPercent)
	moves := service.Roll(b, c.tally, c.leaving, false)
	if d.State == service.Failed {
		moves.Start = 0 // a failed deployment launches nothing more
	}
	if l.begin(c, moves.Start) || l.stuck(c) {
		moves = service.Roll(b, c.tally, c.leaving, true)
	}
	reason := service.ReasonScaling(d.ID)
	l.spare = c.tally.Healthy + c.leaving.Healthy - b.Lower
	l.stop(leaving(c), moves.StopOld, reason)
	l.stop(staying(c), moves.StopFresh, reason)
}

// held tells whether a deployment without tasks still has its part in a rollout.
func (l *look) held(deployment string) bool {
	r := l.ruling()
	return l.beside() && r.Stage != service.CleanUp && (deployment == r.Blue || deployment == r.DeploymentID)
}

// lastStage tells whether nothing of a rollout's stages is left to do but to end.
func (l *look) lastStage() bool {
	r := l.rollout
	if r == nil || !staged(&r.Configuration) {
		return true
	}
	return r.Stage == service.CleanUp || r.Stage == "" && r.Status == service.RollbackInProgress
}

// overdue gives up a stage that goes on for too long.
func (l *look) overdue(*service.Deployment) (verdict, bool) {
	if !l.rollout.Configuration.Strategy.Shifts() {
		return verdict{}, false
	}
	due, over := l.position().Overdue(l.now)
	if over {
		return verdict{what: service.StageExpired, because: "a lifecycle stage timed out.", rollback: true}, true
	}
	if !due.IsZero() {
		l.wait(due)
	}
	return verdict{}, false
}
