package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/domain/task"
)

// adopt takes up the tasks of the journal, before anybody is told of them.
func (e *Engine) adopt(ctx context.Context, records []*record) error {
	var arns, ids []string
	known := map[string]bool{}
	for _, r := range records {
		if r.StoppedAt.IsZero() {
			o := r.Local.Order
			arns, ids = append(arns, o.ARN), append(ids, o.ID)
			known[sandboxID(o.ID)] = true
			for i := range r.Containers {
				known[r.Containers[i].RuntimeID] = true
			}
		}
	}
	if err := e.removeStrangers(ctx, known); err != nil {
		return err
	}
	if err := e.clearGroups(ctx, ids); err != nil {
		e.log.Error("cannot end what tasks of earlier left running", "error", err)
	}
	if err := errors.Join(e.config.Network.Keep(ctx, arns), e.config.Volumes.Keep(ids)); err != nil {
		e.log.Error("cannot give back what tasks of earlier left", "error", err)
	}
	for _, r := range records {
		if err := e.take(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// removeStrangers deletes containers that belong to no task of the journal, and
// ends the logs of containers that are gone.
func (e *Engine) removeStrangers(ctx context.Context, known map[string]bool) error {
	all, err := e.config.Runtime.List(ctx)
	if err != nil {
		return fmt.Errorf("find the containers of earlier: %w", err)
	}
	here := map[string]bool{}
	for _, s := range all {
		here[s.ID] = known[s.ID]
		if known[s.ID] || s.Labels[labelTask] == "" {
			continue
		}
		if err := e.remove(ctx, s.ID); err != nil {
			e.log.Error("cannot remove a container that belongs to no task", "container", s.ID, "error", err)
		}
	}
	open, err := e.config.Logs.Unended()
	if err != nil {
		return fmt.Errorf("find the logs of earlier: %w", err)
	}
	for _, id := range open {
		if !here[id] && !known[id] { // of a known one the keeper makes, or ends, the container
			err = errors.Join(err, e.config.Logs.End(id))
		}
	}
	return err
}

// clearGroups ends what runs in groups of tasks that are no more: a runtime that
// was killed half-way leaves processes that belong to no container.
func (e *Engine) clearGroups(ctx context.Context, taskIDs []string) error {
	all, err := e.config.Cgroups.Children(e.config.Group)
	for _, name := range all {
		if !slices.Contains(taskIDs, name) {
			err = errors.Join(err, e.config.Cgroups.Clear(ctx, filepath.Join(e.config.Group, name)))
		}
	}
	return err
}

// take goes on with one task.
func (e *Engine) take(ctx context.Context, r *record) error {
	k := e.newKeeper(r)
	if r.StoppedAt.IsZero() {
		if r.Local.Prepared != task.WorkNone {
			if err := e.config.Ledger.Claim(r.Local.Order); err != nil {
				e.log.Error("an adopted task holds more than the machine offers", "task", r.Local.Order.ARN, "error", err)
			}
		}
		k.resume(ctx)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.launch(k)
	return nil
}

// resume finds where the task's containers are now, and sets back what was under
// way so that it is done again.
func (k *keeper) resume(ctx context.Context) {
	l := &k.record.Local
	for i := range l.Containers {
		k.resumeContainer(ctx, i)
	}
	switch {
	case l.Prepared == task.WorkUnderway:
		l.Prepared = task.WorkNone
	case l.Prepared == task.WorkDone && k.record.Sandbox != "" && !k.holds(ctx):
		k.lostSandbox()
	}
	if l.Cleaned == task.WorkUnderway {
		l.Cleaned = task.WorkNone
	}
	if l.StopWanted {
		k.cancelPulls()
	}
}

func (k *keeper) resumeContainer(ctx context.Context, i int) {
	c, d := &k.record.Local.Containers[i], &k.record.Containers[i]
	switch c.Phase {
	case task.PhasePulling:
		c.Phase = task.PhaseWaiting
	case task.PhaseStarting, task.PhaseRunning, task.PhaseStopping:
		s, err := k.e.config.Runtime.Status(ctx, d.RuntimeID)
		k.found(ctx, i, s, err)
	}
}

// found takes over what the runtime knows of a container. One that was created and
// never started is made again; one that is gone counts as lost if it had run.
func (k *keeper) found(ctx context.Context, i int, s runtime.Status, err error) {
	c, d := &k.record.Local.Containers[i], &k.record.Containers[i]
	ran := c.Phase != task.PhaseStarting
	switch {
	case err == nil && s.State == runtime.Running, err == nil && s.State == runtime.Exited && !s.Exit.Lost, err == nil && ran:
		since := c.StartedAt
		if !ran {
			since = s.CreatedAt
		}
		d.CreatedAt = s.CreatedAt
		k.running(i, since)
	case ran:
		k.exited(i, d.RuntimeID, runtime.Exit{Code: 137, At: k.e.config.Now(), Lost: true})
	default:
		// Its logs stay: it is made again under the same id, and printed nothing.
		if err := k.e.config.Runtime.Delete(ctx, d.RuntimeID); err != nil {
			k.e.log.Warn("cannot remove a container that was being made", "container", d.RuntimeID, "error", err)
		}
		if err := k.e.config.Cgroups.Clear(ctx, filepath.Join(k.e.group(k.record.Local.Order), d.RuntimeID)); err != nil {
			k.e.log.Warn("cannot end a container that was being made", "container", d.RuntimeID, "error", err)
		}
		c.Phase, d.Remade = task.PhasePulled, true
	}
}

// holds tells whether the task's sandbox is there.
func (k *keeper) holds(ctx context.Context) bool {
	s, err := k.e.config.Runtime.Status(ctx, k.record.Sandbox)
	return err == nil && s.State == runtime.Running
}

// lostSandbox ends a task whose sandbox went with a reboot.
func (k *keeper) lostSandbox() {
	if !k.record.Local.StopWanted {
		k.wantStop(task.StopEssentialContainerExited, "The machine restarted while the task ran")
	}
}
