package rollout

import (
	"reflect"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// set is a task set of the service that is looked at.
type set struct {
	was  *service.TaskSet
	next service.TaskSet // was, with what changes
	gone bool
}

// keepSets keeps each task set at its share of what the service is to have.
func (l *look) keepSets() {
	l.resolveImages()
	steady := len(l.sets) > 0
	for i := range l.sets {
		s, c := &l.sets[i], l.crews[i]
		l.portion(&s.next)
		if s.next.Deployment.Status == service.Leaving {
			l.leave(s, c)
			steady = steady && s.gone
			continue
		}
		l.recovered(c)
		l.fit(c)
		l.settle(&s.next, c)
		steady = steady && s.next.Steady
	}
	if steady && !l.next.Steady {
		l.says = append(l.says, service.Event{Message: l.next.Say("has reached a steady state."), Name: service.SteadyState})
		l.resolved("impaired", "capacity", "role", "placement", "protected")
	}
	l.next.Steady = steady
}

// portion settles how many tasks the set is to have.
func (l *look) portion(s *service.TaskSet) {
	want := s.Share(l.next.Spec.Desired)
	if want == s.Deployment.Want {
		return
	}
	s.Deployment.Want, s.Deployment.UpdatedAt = want, l.now
	l.says = append(l.says, service.Event{
		Message: l.next.Say("updated computedDesiredCount for taskSet %s to %d.", s.Deployment.ID, want), Name: service.DesiredCountUpdated,
	})
}

// leave stops what a deleted set still runs; then it is gone.
func (l *look) leave(s *set, c *crew) {
	l.dismiss(c)
	s.gone = len(c.members) == 0
}

// dismiss stops every task of a crew, protected or not.
func (l *look) dismiss(c *crew) {
	for _, m := range c.members {
		l.stops = append(l.stops, stop{arn: m.task.ARN, reason: l.reason(c)})
	}
}

// fit starts the tasks that the set lacks, replaces those on instances that are
// drained, and stops what is too much.
func (l *look) fit(c *crew) {
	conf := l.next.Spec.Configuration
	bounds := service.BoundsOf(c.deployment.Want, conf.MinimumPercent, conf.MaximumPercent)
	moves := service.Roll(bounds, c.tally, c.leaving, false)
	if l.begin(c, moves.Start) || l.stuck(c) {
		moves = service.Roll(bounds, c.tally, c.leaving, true)
	}
	l.spare = c.tally.Healthy + c.leaving.Healthy - bounds.Lower
	l.stop(leaving(c), moves.StopOld, l.reason(c))
	l.stop(staying(c), moves.StopFresh, l.reason(c))
}

// settle tells whether the set is as it is wanted, and says so once.
func (l *look) settle(s *service.TaskSet, c *crew) {
	d := c.deployment
	steady := c.tally == service.Tally{Healthy: d.Want} && c.leaving.Live() == 0
	if steady != s.Steady {
		s.Steady, s.SteadyAt = steady, l.now
		if steady {
			l.says = append(l.says, service.Event{Message: l.next.SayOf(d.ID, "updated state to STEADY_STATE."), Name: service.SetSteadyState})
		}
	}
	if d.Failed > 0 && d.Pause >= impairedAfter {
		l.notice("impaired", service.Event{Message: l.next.SayImpaired(), Name: service.TaskStartImpaired})
	}
}

// reason is the stoppedReason of a task that its crew does not need.
func (l *look) reason(c *crew) string {
	if l.was.Spec.BySets() {
		return service.ReasonSetScaling(c.deployment.ID)
	}
	return service.ReasonScaling(c.deployment.ID)
}

func (l *look) setsChanged() bool {
	for i := range l.sets {
		if l.sets[i].changed() {
			return true
		}
	}
	return false
}

func (s *set) changed() bool { return s.gone || !reflect.DeepEqual(s.was, &s.next) }

// putSets stores what has changed. Nobody else changes a set without its service,
// whose version has been checked.
func (l *look) putSets(tx *store.Tx) {
	for i := range l.sets {
		switch s := &l.sets[i]; {
		case s.gone:
			store.TaskSets.Delete(tx, s.was.ARN)
			store.ServiceRevisions.Delete(tx, s.was.Deployment.RevisionARN)
		case s.changed():
			next := s.next
			store.TaskSets.Put(tx, &next)
		}
	}
}
