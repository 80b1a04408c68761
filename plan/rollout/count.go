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
	// fail to: AWS's longest is 27 minutes.
	firstPause = time.Second
	maxPause   = 27 * time.Minute
	// soon is a life so short that the next one waits, too; at most for maxRest.
	soon    = 10 * time.Second
	maxRest = time.Minute
	// impairedAfter is the pause from which on a service is said to be impaired:
	// four rounds of failures.
	impairedAfter = 8 * time.Second
	// CountCrashes is a tag of a service. With the value true, a circuit breaker
	// counts also tasks that end soon after they started, which AWS's does not.
	CountCrashes = "berth:circuit-breaker-counts-crashes"
)

// count takes note of how a task of a deployment ended: whether it failed to start
// or to be healthy, or ended soon.
func (l *look) count(c *crew, t *task.Task) {
	failed := failedToStart(t) || t.StoppedReason() == service.ReasonUnhealthy
	crashed := !failed && crashedSoon(t)
	if !failed && !crashed {
		return
	}
	d, limit := c.deployment, maxPause
	if crashed {
		limit = maxRest
	}
	if failed || l.countsCrashes() {
		d.Failed++
	}
	d.FailedAt = l.now
	if !d.RetryAt.After(l.now) { // once for all that fail together
		d.Pause = min(max(firstPause, 2*d.Pause), limit)
		d.RetryAt = l.now.Add(d.Pause)
	}
	if reason := t.StoppedReason(); t.Assignment == nil && strings.HasPrefix(reason, capacityUnavailable) {
		l.notice("capacity", service.Event{Message: l.next.SayNoCapacity(reason), Name: service.PlacementFailure, Reason: "RESOURCE:FARGATE"})
	}
}

// capacityUnavailable begins the reason of tasks that found no capacity.
const capacityUnavailable = "Capacity is unavailable"

func failedToStart(t *task.Task) bool {
	return t.StopCode() == task.StopTaskFailedToStart ||
		t.StopCode() == task.StopEssentialContainerExited && t.Observed.StartedAt.IsZero()
}

func crashedSoon(t *task.Task) bool {
	return t.StopCode() == task.StopEssentialContainerExited && t.StoppingAt().Sub(t.Observed.StartedAt) < soon
}

func (l *look) countsCrashes() bool {
	for _, t := range l.next.Tags {
		if t.Key == CountCrashes {
			return t.Value == "true"
		}
	}
	return false
}

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
	l.resolved("impaired", "capacity")
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
