package task

import (
	"slices"
	"time"
)

// Fold applies an observation to what was observed before. Statuses never move
// back and facts once known are kept, so that a repeated or late report is
// harmless. changed is false when it said nothing new.
func Fold(prev Observed, o *Observation, now time.Time) (next Observed, changed bool) {
	next = prev
	next.Containers = slices.Clone(prev.Containers)
	if next.ConnectivityAt.IsZero() {
		next.ConnectivityAt, changed = now, true
	}
	if prev.Status == Stopped {
		return prev, false
	}
	for i := range o.Containers {
		changed = foldContainer(&next, &o.Containers[i]) || changed
	}
	changed = earliest(&next.PullStartedAt, o.PullStartedAt) || changed
	changed = earliest(&next.PullStoppedAt, o.PullStoppedAt) || changed
	changed = earliest(&next.ExecutionStoppedAt, o.ExecutionStoppedAt) || changed
	if o.Status <= next.Status {
		return next, changed
	}
	next.Status = o.Status
	switch o.Status {
	case Running:
		next.StartedAt = now
	case Stopped:
		next.StoppedAt = now
		next.StopCode, next.StoppedReason = o.StopCode, o.Reason
		if next.StopCode == "" {
			next.StopCode, next.StoppedReason = inferStop(&next, o.Reason)
		}
	}
	return next, true
}

func earliest(at *time.Time, t time.Time) bool {
	if t.IsZero() || !at.IsZero() {
		return false
	}
	*at = t
	return true
}

func foldContainer(next *Observed, c *ContainerObservation) bool {
	i := slices.IndexFunc(next.Containers, func(x Container) bool { return x.Name == c.Name })
	if i < 0 {
		next.Containers = append(next.Containers, Container{Name: c.Name})
		i = len(next.Containers) - 1
	}
	was := next.Containers[i]
	now := was
	if containerRank(c.Status) >= containerRank(was.Status) || c.RestartCount > was.RestartCount {
		now.Status = c.Status
	}
	keep(&now.RuntimeID, c.RuntimeID)
	keep(&now.ImageDigest, c.ImageDigest)
	if c.Status == "RUNNING" && now.Status == "RUNNING" {
		now.Reason = c.Reason // of what runs it is a complaint, which may end
	} else {
		keep(&now.Reason, c.Reason)
	}
	if c.ExitCode != nil {
		now.ExitCode = c.ExitCode
	}
	if len(c.Bindings) > 0 {
		now.Bindings = c.Bindings
	}
	now.RestartCount = max(now.RestartCount, c.RestartCount)
	next.Containers[i] = now
	return !sameContainer(&was, &now)
}

func keep(have *string, said string) {
	if said != "" {
		*have = said
	}
}

func containerRank(status string) int {
	switch status {
	case "RUNNING":
		return 2
	case "STOPPED":
		return 3
	default:
		return 1
	}
}

func sameContainer(a, b *Container) bool {
	return a.Status == b.Status && a.RuntimeID == b.RuntimeID && a.ImageDigest == b.ImageDigest && a.Reason == b.Reason &&
		(a.ExitCode == nil) == (b.ExitCode == nil) && (a.ExitCode == nil || *a.ExitCode == *b.ExitCode) &&
		slices.Equal(a.Bindings, b.Bindings) && a.RestartCount == b.RestartCount
}

// inferStop names the stop code for an agent whose dialect carries none: a task
// that never ran failed to start, one that ran, or says so, lost an essential
// container.
func inferStop(o *Observed, reason string) (code, text string) {
	if reason == "" {
		reason = reasonEssentialExited
	}
	if o.StartedAt.IsZero() && reason != reasonEssentialExited {
		return StopTaskFailedToStart, reason
	}
	return StopEssentialContainerExited, reason
}
