package sim

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// proof is how long a task must run before it counts as healthy.
const proof = 5 * time.Second

// moves are what became of a service between two views.
type moves struct {
	l        *laws
	was      *service.Service // nil for a new one
	now      *service.Service
	started  []*task.Task
	stopped  []*task.Task // by the service, as they were before
	live     int          // wanted running and not stopped
	healthy  int          // of those, running for long enough
	occupied map[string]int
}

// services: what the planner did between two views is within bounds.
func (l *laws) services(was, v *store.View) error {
	if was == nil {
		return nil
	}
	var errs []error
	for s := range store.Services.All(v) {
		m := l.movesOf(was, v, s)
		errs = append(errs, m.speaks(v))
		if s.Spec.BySets() {
			continue // how many tasks it has, and when, is decided elsewhere
		}
		errs = append(errs, m.lives())
		if l.w.server.life == l.life { // else what happened is known, but not in which order
			errs = append(errs, m.rests(), m.bounded(v), m.spares())
		}
	}
	return errors.Join(append(errs, l.rollouts(v))...)
}

func (l *laws) movesOf(was, v *store.View, s *service.Service) *moves {
	m := &moves{l: l, now: s, occupied: map[string]int{}}
	m.was, _ = store.Services.Get(was, s.ARN)
	for t := range store.Tasks.By(v, store.TasksOfService, store.InCluster(s.ClusterARN, service.Group(s.Name))) {
		before, known := store.Tasks.Get(was, t.ARN)
		if !known {
			m.started = append(m.started, t)
		}
		if t.DesiredStatus() != task.Stopped && t.LastStatus() != task.Stopped {
			m.live++
			if m.proven(t) {
				m.healthy++
			}
			if t.Assignment != nil {
				m.occupied[t.Assignment.InstanceARN]++
			}
		} else if known && before.DesiredStatus() != task.Stopped && t.StopCode() == task.StopServiceSchedulerInitiated {
			m.stopped = append(m.stopped, before)
		}
	}
	return m
}

// proven tells whether a task counted as healthy when the planners looked last.
func (m *moves) proven(t *task.Task) bool {
	return t.LastStatus() == task.Running && !m.l.w.server.looked.Before(t.Observed.StartedAt.Add(proof))
}

func (m *moves) broken(format string, args ...any) error {
	return errors.New(m.l.w.rename("service " + m.now.Name + " " + fmt.Sprintf(format, args...)))
}

// speaks: its events tell of as many tasks as were started and stopped.
func (m *moves) speaks(v *store.View) error {
	started, stopped := 0, 0
	for e := range store.ServiceEvents.Prefix(v, store.ServiceEventPrefix(m.now.ARN)) {
		if m.was != nil && e.Sequence <= m.was.Sequence {
			continue
		}
		if e.Message != "" {
			m.l.w.say("event: %s", e.Message)
		}
		var n int
		_, said, _ := strings.Cut(e.Message, ") ")
		if _, err := fmt.Sscanf(said, "has started %d tasks:", &n); err == nil {
			started += n
		} else if _, err := fmt.Sscanf(said, "has stopped %d running tasks:", &n); err == nil {
			stopped += n
		} else {
			continue
		}
		if n != strings.Count(said, "(task ") {
			return m.broken("says %q and lists another number", e.Message)
		}
	}
	if started != len(m.started) {
		return m.broken("says it started %d tasks, there are %d", started, len(m.started))
	}
	running := 0
	for _, t := range m.stopped {
		if t.LastStatus() == task.Running {
			running++
		}
	}
	if m.l.w.server.life == m.l.life && stopped != running {
		return m.broken("says it stopped %d running tasks, it were %d", stopped, running)
	}
	return nil
}

// lives: a service goes from ACTIVE to DRAINING to INACTIVE, and has one primary
// deployment as long as it is ACTIVE.
func (m *moves) lives() error {
	order := map[service.Status]int{service.Active: 0, service.Draining: 1, service.Inactive: 2}
	if m.was != nil && m.was.CreatedAt.Equal(m.now.CreatedAt) && order[m.now.Status] < order[m.was.Status] {
		return m.broken("was %s and is %s", m.was.Status, m.now.Status)
	}
	primary := 0
	for i := range m.now.Deployments {
		if m.now.Deployments[i].Status == service.Primary {
			primary++
		}
	}
	if m.now.Status == service.Active && primary != 1 {
		return m.broken("has %d primary deployments", primary)
	}
	return nil
}

// rests: a deleted service starts nothing, neither does a failed deployment, nor one
// that waits after failures.
func (m *moves) rests() error {
	if m.was == nil || !m.was.CreatedAt.Equal(m.now.CreatedAt) {
		return nil
	}
	for _, t := range m.started {
		d := m.now.Deployment(t.Spec.StartedBy)
		switch {
		case m.was.Status != service.Active:
			return m.broken("is %s and started %s", m.was.Status, t.ARN)
		case d == nil:
			return m.broken("started %s for a deployment that is gone", t.ARN)
		case d.State == service.Failed:
			return m.broken("started %s though its deployment has failed", t.ARN)
		case d.RetryAt.After(m.l.w.server.looked):
			return m.broken("started %s though it waits until %v", t.ARN, d.RetryAt)
		}
	}
	return nil
}

// bounded: what the service started is not beyond its maximum, and what it stopped
// not below its minimum. Of a DAEMON service, no two tasks are on one instance.
func (m *moves) bounded(v *store.View) error {
	s := m.now
	if s.Status != service.Active {
		return nil
	}
	want, daemon := s.Spec.Desired, s.Spec.Scheduling == service.Daemon
	if upper := want * s.Spec.Configuration.MaximumPercent / 100; !daemon && len(m.started) > 0 && m.live > upper {
		return m.broken("started %d and has %d tasks, at most %d are allowed", len(m.started), m.live, upper)
	}
	given := 0 // healthy tasks that the service gave up
	for _, t := range m.stopped {
		if m.proven(t) && !(daemon && unfit(v, t)) {
			given++
		}
	}
	if lower := (want*s.Spec.Configuration.MinimumPercent + 99) / 100; given > 0 && m.healthy < lower {
		return m.broken("(%s, wants %d) stopped %d healthy tasks and has %d, at least %d must be", s.Spec.Scheduling, want, given, m.healthy, lower)
	}
	for instance, n := range m.occupied {
		if daemon && n > 1 {
			return m.broken("has %d tasks on %s", n, instance)
		}
	}
	return nil
}

// unfit tells that a task is on an instance that is to have none.
func unfit(v *store.View, t *task.Task) bool {
	if t.Assignment == nil {
		return true
	}
	i, ok := store.Instances.Get(v, t.Assignment.InstanceARN)
	return !ok || i.Status != cluster.InstanceActive
}

// spares: protected tasks are not stopped, as long as the service is there.
func (m *moves) spares() error {
	for _, t := range m.stopped {
		if m.now.Status == service.Active && t.ProtectedUntil.After(m.l.w.server.now()) {
			return m.broken("stopped %s, which is protected until %v", t.ARN, t.ProtectedUntil)
		}
	}
	return nil
}

// after are the statuses that may follow one of a rollout.
func after(s service.RolloutStatus) []service.RolloutStatus {
	ends := []service.RolloutStatus{service.Stopped, service.RollbackInProgress, service.RollbackSuccessful, service.RollbackFailed}
	switch s {
	case service.Pending:
		return append(ends, service.RolloutInProgress, service.StopRequested, service.RollbackRequested, service.Successful)
	case service.RolloutInProgress:
		return append(ends, service.StopRequested, service.RollbackRequested, service.Successful)
	case service.StopRequested:
		return ends[:1]
	case service.RollbackRequested:
		return ends
	}
	return []service.RolloutStatus{service.Stopped, service.RollbackSuccessful, service.RollbackFailed} // from ROLLBACK_IN_PROGRESS
}

// rollouts: one at a time is under way in a service, and what is over stays as it
// is.
func (l *laws) rollouts(v *store.View) error {
	underway := map[string]string{}
	for r := range store.Rollouts.All(v) {
		was := l.rolls[r.ARN]
		switch {
		case was == nil || reflect.DeepEqual(was, r):
		case was.Status.Over():
			return fmt.Errorf("rollout %s was over as %s and is %s: %+v", r.ARN, was.Status, r.Status, r)
		case was.Status != r.Status && !slices.Contains(after(was.Status), r.Status):
			return fmt.Errorf("rollout %s went from %s to %s", r.ARN, was.Status, r.Status)
		}
		if was == nil || was.Status != r.Status {
			l.w.say("server: rollout of %s is %s %s", r.DeploymentID, r.Status, r.Reason)
		}
		l.rolls[r.ARN] = r
		if r.Status.Over() {
			continue
		}
		if other := underway[r.ServiceARN]; other != "" {
			return fmt.Errorf("%s and %s are both under way", other, r.ARN)
		}
		underway[r.ServiceARN] = r.ARN
		if s, _ := store.Services.Get(v, r.ServiceARN); s == nil || s.Rollout != r.ARN {
			return fmt.Errorf("rollout %s is %s and nobody's", r.ARN, r.Status)
		}
	}
	return nil
}
