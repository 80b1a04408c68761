package rollout

import (
	"time"

	"github.com/berthhq/berth/domain/service"
)

// stuckAfter is how long a task may wait for a place before older tasks make room.
const stuckAfter = 5 * time.Second

// roll moves the service towards its primary deployment.
func (l *look) roll() {
	for _, c := range l.crews {
		l.recovered(c)
	}
	l.resolveImages()
	l.judge()
	l.remember()
	l.advance()
	l.rest()
	l.want()
	if l.beside() {
		l.share()
	} else {
		l.move(l.primary())
	}
	l.clear()
	l.finish()
	l.balance()
	l.steady()
}

// want is how many tasks the service is to have.
func (l *look) want() {
	if l.next.Spec.Scheduling == service.Daemon {
		l.next.Spec.Desired = len(l.eligible())
	}
	for _, c := range l.crews {
		if c.deployment.Status == service.Primary {
			c.deployment.Want = l.next.Spec.Desired
		}
	}
}

// primary is the crew of the primary deployment.
func (l *look) primary() *crew {
	for _, c := range l.crews {
		if c.deployment.Status == service.Primary {
			return c
		}
	}
	return nil
}

// others are the tasks that are not to stay: those of older deployments and those
// on instances that are being drained.
func (l *look) others() service.Tally {
	old := l.primary().leaving
	for _, c := range l.crews {
		if c.deployment.Status != service.Primary {
			old = sum(old, sum(c.tally, c.leaving))
		}
	}
	return old
}

func sum(a, b service.Tally) service.Tally {
	return service.Tally{
		Healthy: a.Healthy + b.Healthy, Unproven: a.Unproven + b.Unproven,
		Unhealthy: a.Unhealthy + b.Unhealthy, Pending: a.Pending + b.Pending,
	}
}

func (l *look) bounds() service.Bounds {
	c := l.next.Spec.Configuration
	return service.BoundsOf(l.primary().deployment.Want, c.MinimumPercent, c.MaximumPercent)
}

// move starts tasks of the primary deployment and stops those that it replaces.
func (l *look) move(c *crew) {
	if l.next.Spec.Scheduling == service.Daemon {
		l.daemon(c)
		return
	}
	old := l.others()
	bounds := l.bounds()
	bounds.Want += l.guests(c)
	moves := service.Roll(bounds, c.tally, old, false)
	if c.deployment.State == service.Failed {
		moves.Start = 0 // a failed deployment launches nothing more
	}
	if l.begin(c, moves.Start) || l.stuck(c) {
		moves = service.Roll(bounds, c.tally, old, true)
	}
	reason := service.ReasonScaling(c.deployment.ID)
	l.spare = l.toSpare(c, old)
	l.stop(l.replaceable(), moves.StopOld, reason)
	l.stop(staying(c), moves.StopFresh, reason)
}

// toSpare is how many healthy tasks there are above the minimum.
func (l *look) toSpare(c *crew, old service.Tally) int {
	return c.tally.Healthy + old.Healthy - l.bounds().Lower
}

// stuck tells whether a task of the deployment waits for a place in vain.
func (l *look) stuck(c *crew) bool {
	if c.waiting.IsZero() {
		return false
	}
	due := c.waiting.Add(stuckAfter)
	if l.now.Before(due) {
		l.wait(due)
		return false
	}
	return true
}

// replaceable are the members that others counts.
func (l *look) replaceable() []member {
	var out []member
	for _, c := range l.crews {
		for _, m := range c.members {
			if m.leaving || c.deployment.Status != service.Primary {
				out = append(out, m)
			}
		}
	}
	return out
}

func staying(c *crew) []member { return c.which(false) }

func leaving(c *crew) []member { return c.which(true) }

// which are the members that are to leave their instance, or those that are not.
func (c *crew) which(leaving bool) []member {
	var out []member
	for _, m := range c.members {
		if m.leaving == leaving {
			out = append(out, m)
		}
	}
	return out
}

// clear forgets older deployments that have no tasks any more.
func (l *look) clear() {
	kept := l.next.Deployments[:0]
	for _, c := range l.crews {
		d := *c.deployment
		if d.Status != service.Primary {
			if !l.beside() {
				d.Want = len(c.members)
			}
			if d.Want+len(c.members) == 0 && !l.held(d.ID) {
				continue
			}
		}
		kept = append(kept, d)
	}
	l.next.Deployments = kept
	l.regroup()
}
