package rollout

import (
	"fmt"
	"time"

	"github.com/berthhq/berth/domain/service"
)

// stop is a task to stop.
type stop struct {
	arn     string
	reason  string
	healthy bool   // it counted toward the minimum
	zone    string // that it leaves to even out the zones; empty for others
}

// stop stops n of the members: those that are worth the least, and among equals one
// of the zone, then of the instance, that has the most, the newest first. Protected
// tasks stay, unless they are unhealthy, and healthy ones beyond those to spare.
func (l *look) stop(from []member, n int, reason string) {
	n = min(n, maxStops)
	if n <= 0 {
		return
	}
	crowd := newCrowd(from)
	candidates, shielded := l.unprotected(from)
	for range n {
		if len(candidates) == 0 {
			l.shield(shielded)
			return
		}
		i := crowd.worst(candidates)
		m := candidates[i]
		if m.condition == healthy {
			if l.spare <= 0 {
				return // protection has spared ones that are worth less
			}
			l.spare--
		}
		crowd.leave(m)
		candidates = append(candidates[:i], candidates[i+1:]...)
		why := reason
		if m.condition == unhealthy {
			why = l.why(&m)
		}
		l.stops = append(l.stops, stop{arn: m.task.ARN, reason: why, healthy: m.condition == healthy})
	}
}

// shield says that protection keeps the service from stopping tasks.
func (l *look) shield(protected int) {
	if protected > 0 {
		l.notice("protected", service.Event{Message: l.next.Say("was unable to scale in due to %s", fmt.Sprintf("(reason %d tasks under protection)", protected))})
	}
}

// unprotected leaves out the members under protection, and looks again when the
// first of them comes out of it.
func (l *look) unprotected(from []member) (out []member, shielded int) {
	var ends time.Time
	for _, m := range from {
		until := m.task.ProtectedUntil
		if !until.After(l.now) || m.condition == unhealthy {
			out = append(out, m)
			continue
		}
		shielded++
		if ends.IsZero() || until.Before(ends) {
			ends = until
		}
	}
	if shielded > 0 {
		l.wait(ends)
	}
	return out, shielded
}

// crowd counts tasks by zone and instance.
type crowd struct {
	zones, instances map[string]int
}

func newCrowd(members []member) *crowd {
	c := &crowd{map[string]int{}, map[string]int{}}
	for _, m := range members {
		c.zones[m.zone]++
		c.instances[m.instance]++
	}
	return c
}

func (c *crowd) leave(m member) {
	c.zones[m.zone]--
	c.instances[m.instance]--
}

// worst is the place of the member to stop first.
func (c *crowd) worst(members []member) int {
	best := 0
	for i := 1; i < len(members); i++ {
		if c.before(&members[i], &members[best]) {
			best = i
		}
	}
	return best
}

func (c *crowd) before(a, b *member) bool {
	switch {
	case a.condition != b.condition:
		return a.condition < b.condition
	case a.leaving != b.leaving:
		return a.leaving
	case c.zones[a.zone] != c.zones[b.zone]:
		return c.zones[a.zone] > c.zones[b.zone]
	case c.instances[a.instance] != c.instances[b.instance]:
		return c.instances[a.instance] > c.instances[b.instance]
	}
	return a.task.CreatedAt.After(b.task.CreatedAt)
}
