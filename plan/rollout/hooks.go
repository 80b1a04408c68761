package rollout

import (
	"slices"

	"github.com/berthhq/berth/domain/service"
)

// ask makes the hooks of the stage that the rollout has come to. They all run at the
// same time. In a rollback nobody waits for a person.
func (l *look) ask() {
	r := l.rollout
	r.Hooks = nil
	for i := range r.Configuration.Hooks {
		h := &r.Configuration.Hooks[i]
		if !slices.Contains(h.Stages, r.Stage) || r.Status == service.RollbackInProgress && h.Type == service.HookPause {
			continue
		}
		run := service.HookRun{Hook: i, StartedAt: l.now, ExpiresAt: l.now.Add(h.Timeout())}
		if h.Type == service.HookPause {
			run.ID, run.Status = "ecs-pause-"+l.NewID(), service.HookAwaiting
		} else {
			run.ID, run.Status, run.NextCallAt = l.uuid(), service.HookInProgress, l.now
		}
		r.Hooks = append(r.Hooks, run)
	}
}

// expire ends the hooks whose time is over. What follows from it is the next look's,
// so that who watches hooks sees that one has expired.
func (l *look) expire() {
	for i := range l.rollout.Hooks {
		h := &l.rollout.Hooks[i]
		switch {
		case !h.Status.Open():
		case l.now.Before(h.ExpiresAt):
			l.wait(h.ExpiresAt)
		default:
			h.Status, l.expired = service.HookTimedOut, true
		}
	}
}

// answered tells whether no hook of the stage is open any more.
func (l *look) answered() bool {
	return !slices.ContainsFunc(l.rollout.Hooks, func(h service.HookRun) bool { return h.Status.Open() })
}

// refused asks the hooks whether one has failed, or was to roll back in time.
func (l *look) refused(*service.Deployment) (verdict, bool) {
	r := l.rollout
	for i := range r.Hooks {
		switch h := &r.Hooks[i]; {
		case h.Status == service.HookFailed:
			because := "a lifecycle hook failed."
			if h.Reason != "" {
				because = "a lifecycle hook failed: " + h.Reason + "."
			}
			return verdict{what: service.HookHasFailed, because: because, rollback: true}, true
		case h.Status == service.HookTimedOut && r.Configuration.Hooks[h.Hook].OnTimeout() == service.Rollback:
			return verdict{what: service.HookHasExpired, because: "a lifecycle hook timed out.", rollback: true}, true
		}
	}
	return verdict{}, false
}
