package rollout

import (
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// ScaleToZero is a tag of a service behind an Application Load Balancer: how long
// no request has come before it has no tasks any more, "10m" say. The next request
// is held while a task is started for it.
const ScaleToZero = "berth:scale-to-zero"

// leastIdle is the least that ScaleToZero may say: edges tell of requests once a
// minute.
const leastIdle = 2 * time.Minute

// idleness is what the service's tag says; zero for none.
func (l *look) idleness() time.Duration {
	for _, t := range l.next.Tags {
		if d, err := time.ParseDuration(t.Value); t.Key == ScaleToZero && err == nil && d > 0 {
			return max(d, leastIdle)
		}
	}
	return 0
}

// rest lets a service sleep that nobody has asked anything for long enough, and
// notes that one is awake: a held request has a task to go to.
func (l *look) rest() {
	after, c := l.idleness(), l.primary()
	switch {
	case l.next.Asleep && (after == 0 || c.tally.Healthy > 0 && l.next.Spec.Desired > 0):
		l.next.Asleep = false
	case l.next.Asleep || after == 0 || l.next.Spec.Desired == 0 || l.rollout != nil || c.deployment.State != service.Completed:
	default:
		l.sleep(c, after)
	}
}

func (l *look) sleep(c *crew, after time.Duration) {
	used, ok := l.used(c)
	if !ok {
		return
	}
	if due := used.Add(after); l.now.Before(due) {
		l.wait(due)
		return
	}
	l.next.Asleep, l.next.Spec.Desired = true, 0
	l.says = append(l.says, service.Event{Message: l.next.Say("has had no requests for %s and has no tasks until the next one.", after)})
}

// used is when the service was of use last. It is not ok where requests are not
// counted by target group.
func (l *look) used(c *crew) (last time.Time, ok bool) {
	last = c.deployment.CompletedAt
	groups := l.next.Spec.Template.Groups(c.deployment.Alternate)
	for _, arn := range groups {
		g, ok := store.TargetGroups.Get(l.view, arn)
		if !ok || !g.Application() || store.EngineOf(l.view, arn) != balancer.EngineBerth {
			return last, false
		}
		if u, ok := store.GroupUses.Get(l.view, arn); ok && u.At.After(last) {
			last = u.At
		}
	}
	return last, len(groups) > 0
}
