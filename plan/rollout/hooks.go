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

// answered tells whether no hook of the stage is open any more, after it has ended
// those whose time is over.
func (l *look) answered() bool {
	r := l.rollout
	open := false
	for i := range r.Hooks {
		h := &r.Hooks[i]
		if !h.Status.Open() {
			continue
		}
		if l.now.Before(h.ExpiresAt) {
			l.wait(h.ExpiresAt)
			open = true
			continue
		}
		h.Status = service.HookTimedOut
	}
	return !open
}

// refused asks the hooks whether one has failed, or was to roll back in time.
func (l *look) refused(*service.Deployment) (verdict, bool) {
	l.answered()
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
