package engine

import (
	"context"
	"reflect"
	"time"

	"github.com/berthhq/berth/domain/task"
)

// snapshot is a task as others see it. It is never changed once made.
type snapshot struct {
	Order      *task.Order
	Status     task.Status // Pending, Running or Stopped
	StopWanted bool
	Containers []Container
	record     record // a copy

	StoppedAt time.Time
}

// Container is a container of a snapshot.
type Container struct {
	task.ContainerObservation
	Health      task.Health // empty without a health check
	HealthSince time.Time
	Group       string // its cgroup
}

func (r *record) snapshot(status task.Status) snapshot {
	s := snapshot{Order: r.Local.Order, Status: status, StopWanted: r.Local.StopWanted, StoppedAt: r.StoppedAt, record: *r}
	s.record.Local.Containers = append([]task.LocalContainer{}, r.Local.Containers...)
	s.record.Containers = append([]detail{}, r.Containers...)
	for i := range r.Containers {
		s.Containers = append(s.Containers, Container{
			ContainerObservation: r.observeContainer(i), Health: r.Local.Containers[i].Health, HealthSince: r.Containers[i].HealthSince,
		})
	}
	return s
}

func (r *record) observeContainer(i int) task.ContainerObservation {
	c, d, name := &r.Local.Containers[i], &r.Containers[i], r.Local.Order.Containers[i].Name
	out := task.ContainerObservation{Name: name, Status: "PENDING", RuntimeID: d.RuntimeID, ImageDigest: d.ImageDigest, Reason: d.Reason,
		RestartCount: c.Attempt}
	switch {
	case c.Phase == task.PhaseRunning, c.Phase == task.PhaseStopping, c.Phase == task.PhaseStarting && c.Attempt > 0:
		out.Status, out.Reason = "RUNNING", first(d.Reason, d.LogProblem)
	case c.Phase == task.PhaseExited:
		out.Status, out.ExitCode = "STOPPED", c.ExitCode
	}
	if !c.StartedAt.IsZero() {
		out.Bindings = r.Endpoints[name].Bindings
	}
	return out
}

// observe is what the servers are told of the task.
func (r *record) observe(status task.Status) task.Observation {
	o := task.Observation{TaskARN: r.Local.Order.ARN, Status: status,
		PullStartedAt: r.PullStartedAt, PullStoppedAt: r.PullStoppedAt, ExecutionStoppedAt: r.ExecutionStoppedAt}
	if status == task.Stopped {
		o.Reason, o.StopCode = r.Local.StopReason, r.Local.StopCode
	}
	for i := range r.Containers {
		o.Containers = append(o.Containers, r.observeContainer(i))
	}
	return o
}

// publish shows where the task is, and queues a report when there is news.
func (k *keeper) publish(status task.Status) {
	s := k.record.snapshot(status)
	for i := range s.Containers {
		s.Containers[i].Group = k.e.containerGroup(s.Order, k.record, i)
	}
	o := k.record.observe(status)
	k.e.mu.Lock()
	defer k.e.mu.Unlock()
	k.snapshot = s
	if k.reported(&o) {
		return
	}
	if n := len(k.unsent); n > 0 && k.unsent[n-1].Status == status && !restarted(&k.unsent[n-1], &o) {
		k.unsent[n-1] = o // nobody heard the earlier one yet
	} else {
		k.unsent = append(k.unsent, o)
	}
	k.e.news.Broadcast()
}

// reported tells whether the observation says nothing new.
func (k *keeper) reported(o *task.Observation) bool {
	if n := len(k.unsent); n > 0 {
		return reflect.DeepEqual(&k.unsent[n-1], o)
	}
	return k.told != nil && reflect.DeepEqual(k.told, o)
}

// restarted tells whether a container began a new attempt between two reports.
func restarted(a, b *task.Observation) bool {
	for i := range a.Containers {
		if a.Containers[i].RestartCount != b.Containers[i].RestartCount {
			return true
		}
	}
	return false
}

// Report is an observation to tell the servers. Told says that they know.
type Report struct {
	Observation task.Observation
	keeper      *keeper
}

// Reports waits for news and returns what the servers were not told yet, in order
// for each task. It returns ErrClosed once the engine is.
func (e *Engine) Reports(ctx context.Context) ([]Report, error) {
	stop := context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.news.Broadcast()
	})
	defer stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if e.ctx.Err() != nil {
			return nil, ErrClosed
		}
		var out []Report
		for _, k := range e.keepers {
			for _, o := range k.unsent {
				out = append(out, Report{Observation: o, keeper: k})
			}
		}
		if len(out) > 0 {
			return out, nil
		}
		e.news.Wait()
	}
}

// Told notes that the servers know of the reports, which are not returned again.
func (e *Engine) Told(reports ...Report) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range reports {
		k := r.keeper
		if len(k.unsent) == 0 {
			continue
		}
		o := r.Observation
		k.told = &o
		if k.unsent[0].Status == o.Status && reflect.DeepEqual(k.unsent[0], o) {
			k.unsent = k.unsent[1:]
		} // else it was replaced by a newer one meanwhile
	}
}

// RepeatAll queues the present state of every task again, for servers that may
// have forgotten.
func (e *Engine) RepeatAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, k := range e.keepers {
		k.repeat()
	}
}

// repeat queues the task's present state again; the engine's mutex is held.
func (k *keeper) repeat() {
	if len(k.unsent) == 0 {
		k.unsent = []task.Observation{k.snapshot.record.observe(k.snapshot.Status)}
		k.e.news.Broadcast()
	}
}
