package secret

import (
	"time"

	"github.com/berthhq/berth/domain/event"
)

// NextAfter is when a rotation is due next, counted from one at last; zero when
// there is no rule. The schedule must be one that ParseSchedule takes.
func (r *Rotation) NextAfter(last time.Time) time.Time {
	switch {
	case !r.Enabled:
		return time.Time{}
	case r.Schedule != "":
		s, err := event.ParseSchedule(r.Schedule)
		if err != nil {
			return time.Time{}
		}
		next, _ := s.Next(last, last)
		return next
	case r.AfterDays > 0:
		return last.AddDate(0, 0, int(r.AfterDays))
	}
	return time.Time{}
}

// Rotating is the secret with a rotation begun: a version without a value, under
// AWSPENDING, that the function is to fill.
func (s *Secret) Rotating(version string, now time.Time) *Secret {
	next := *s
	next.Versions = WithVersion(s.Versions, Version{ID: version, Stages: []string{Pending}, CreatedAt: now, Empty: true})
	next.Rotation.Run = &Run{VersionID: version, Step: CreateSecret, CallAt: now}
	return &next
}

// Stepped is the secret after its function did a step of the run. finished is false
// when the last step left AWSCURRENT where it was.
func (s *Secret) Stepped(now time.Time) (next *Secret, finished bool) {
	next = new(*s)
	run := *s.Rotation.Run
	if after := run.Step.Next(); after != "" {
		next.Rotation.Run = &Run{VersionID: run.VersionID, Step: after, CallAt: now}
		return next, true
	}
	if v, ok := s.Staged(Current); !ok || v.ID != run.VersionID {
		return next, false
	}
	next.Rotation.Run = nil
	next.Rotation.LastAt, next.Rotation.NextAt = now, s.Rotation.NextAfter(now)
	return next, true
}
