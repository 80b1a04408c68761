package rollout

import (
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
)

const (
	// firstPause and maxPause bound the waits between attempts to start tasks that
	// fail to: AWS's longest is 27 minutes. Tasks that did start wait less, as
	// they do not wait at all on AWS.
	firstPause = time.Second
	maxPause   = 27 * time.Minute
	maxRest    = time.Minute
	// impairedAfter is the pause from which on a service is said to be impaired:
	// four rounds of failures.
	impairedAfter = 8 * time.Second
	// HealthyAfter is a tag of a service: how long a task without health checks
	// must run before it counts as healthy, "90s" say. One that ends before has
	// failed. It makes a circuit breaker see programs that start and then crash.
	HealthyAfter = "berth:healthy-after"
)

// count takes note of how a task of a deployment ended: whether it failed before it
// was healthy.
func (l *look) count(c *crew, t *task.Task) {
	if !l.failed(c, t) {
		return
	}
	d, limit := c.deployment, maxPause
	if !t.Observed.StartedAt.IsZero() {
		limit = maxRest
	}
	d.Failed++
	d.FailedAt = l.now
	if !d.RetryAt.After(l.now) { // once for all that fail together
		d.Pause = min(max(firstPause, 2*d.Pause), limit)
		d.RetryAt = l.now.Add(d.Pause)
	}
	if t.LacksRole() {
		l.notice("role", service.Event{Message: l.next.SayNotLaunched(t.StoppedReason())})
	}
	if reason := t.StoppedReason(); t.Assignment == nil && strings.HasPrefix(reason, capacityUnavailable) {
		l.notice("capacity", service.Event{Message: l.next.SayNoCapacity(reason), Name: service.PlacementFailure, Reason: "RESOURCE:FARGATE"})
	}
}

// failed tells whether a task that has ended never was healthy, or was stopped
// because it was not any more.
func (l *look) failed(c *crew, t *task.Task) bool {
	switch {
	case t.StopCode() == task.StopTaskFailedToStart || service.ForHealth(t.StoppedReason()):
		return true
	case t.StopCode() != task.StopEssentialContainerExited:
		return false
	case t.Observed.StartedAt.IsZero():
		return true
	case c.definition.Checked():
		return t.Health(c.definition.Essential) != task.Healthy
	}
	return t.StoppingAt().Sub(t.Observed.StartedAt) < l.proof()
}

// proof is how long a task without health checks must run to count as healthy.
func (l *look) proof() time.Duration {
	for _, t := range l.next.Tags {
		if d, err := time.ParseDuration(t.Value); t.Key == HealthyAfter && err == nil && d >= 0 {
			return d
		}
	}
	return l.Proof
}

// capacityUnavailable begins the reason of tasks that found no capacity.
const capacityUnavailable = "Capacity is unavailable"

// recovered forgets failures once a task is healthy that started after them.
func (l *look) recovered(c *crew) {
	d := c.deployment
	if d.FailedAt.IsZero() || !c.proven.After(d.FailedAt) {
		return
	}
	d.Pause, d.RetryAt, d.FailedAt = 0, time.Time{}, time.Time{}
	if b := l.next.Spec.Configuration.Breaker; b == nil || !b.KeepCount {
		d.Failed = 0
	}
	l.resolved("impaired", "capacity", "role")
}

// notice says something unless it was said lately.
func (l *look) notice(key string, e service.Event) {
	i := slices.IndexFunc(l.next.Notices, func(n service.Notice) bool { return n.Key == key })
	switch {
	case i < 0:
		l.next.Notices = append(l.next.Notices, service.Notice{Key: key, At: l.now})
	case l.now.Sub(l.next.Notices[i].At) < noticeFor:
		return
	default:
		l.next.Notices[i].At = l.now
	}
	l.says = append(l.says, e)
}

// resolved lets messages be said again, since their reason has gone.
func (l *look) resolved(keys ...string) {
	l.next.Notices = slices.DeleteFunc(l.next.Notices, func(n service.Notice) bool { return slices.Contains(keys, n.Key) })
}
