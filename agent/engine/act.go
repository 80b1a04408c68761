package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/berthhq/berth/agent/image"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/secret"
	"github.com/berthhq/berth/domain/task"
)

// begin marks an action as under way and does it in the background. It is true
// when the action was done at once and the next decision can be made.
func (k *keeper) begin(a task.Action) bool {
	l := &k.record.Local
	switch a.Verb {
	case task.Prepare:
		l.Prepared = task.WorkUnderway
		k.prepare()
	case task.Pull:
		l.Containers[a.Container].Phase = task.PhasePulling
		k.pull(a.Container)
	case task.Start, task.Restart:
		k.beginAttempt(a)
	case task.Stop:
		l.Containers[a.Container].Phase = task.PhaseStopping
		k.stopContainer(a.Container)
	case task.Abandon:
		l.Containers[a.Container].Phase = task.PhaseExited
		return true
	case task.Fail:
		l.StopWanted, l.StopCode, l.StopReason = true, a.Code, a.Reason
		k.stopping()
		return true
	case task.Clean:
		l.Cleaned = task.WorkUnderway
		k.clean()
	}
	return false
}

// beginAttempt starts a container, anew when it ran before.
func (k *keeper) beginAttempt(a task.Action) {
	c, d := &k.record.Local.Containers[a.Container], &k.record.Containers[a.Container]
	last := d.RuntimeID
	if a.Verb == task.Restart {
		c.Attempt++
		c.ExitCode, c.OOMKilled, c.Failure = nil, false, ""
		d.Reason, d.LogProblem = "", ""
	}
	c.Phase = task.PhaseStarting
	d.RuntimeID = containerID(k.record.Local.Order.ID, k.order(a.Container).Name, c.Attempt)
	if k.order(a.Container).HealthCheck != nil {
		c.Health, d.HealthSince = task.UnknownHealth, k.e.config.Now()
	}
	k.write(false) // before anything of it exists
	k.start(a.Container, last)
}

func (k *keeper) order(i int) *task.OrderContainer { return &k.record.Local.Order.Containers[i] }

// pull gets a container's image.
func (k *keeper) pull(i int) {
	o, c := k.record.Local.Order, k.order(i)
	begun := k.e.config.Now()
	if k.record.PullStartedAt.IsZero() {
		k.record.PullStartedAt = begun
	}
	k.do(func(context.Context) func() {
		img, err := k.e.pull(k.pulls, o, c)
		return func() {
			local := &k.record.Local.Containers[i]
			switch {
			case err == nil:
				local.Phase = task.PhasePulled
				k.record.Containers[i].Image, k.record.Containers[i].ImageDigest = img.Name, img.Digest
				k.record.PullStoppedAt = k.e.config.Now()
			case k.pulls.Err() != nil: // the task shall stop, or the engine closes
				local.Phase = task.PhaseExited
			default:
				k.failed(i, err.Error())
			}
		}
	})
}

// pull fails in AWS's words.
func (e *Engine) pull(ctx context.Context, o *task.Order, c *task.OrderContainer) (*image.Image, error) {
	var login *secret.Login
	if c.RepositoryCredentials != "" {
		told, err := e.confidence(ctx, o, c)
		if err != nil {
			return nil, fmt.Errorf("ResourceInitializationError: %w", err)
		}
		login = told.Login
	}
	img, err := e.config.Images.Pull(ctx, o, c, login)
	if err != nil {
		return nil, fmt.Errorf("CannotPullContainerError: %w", err)
	}
	return img, nil
}

// failed ends a container that could not be pulled, created or started.
func (k *keeper) failed(i int, reason string) {
	c := &k.record.Local.Containers[i]
	c.Phase, c.Failure, c.ExitedAt = task.PhaseExited, reason, k.e.config.Now()
	k.record.Containers[i].Reason = reason
}

// watch waits for a container's end.
func (k *keeper) watch(i int) {
	id := k.record.Containers[i].RuntimeID
	k.do(func(ctx context.Context) func() {
		exit, err := k.e.config.Runtime.Wait(ctx, id)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			exit = runtime.Exit{Code: 137, At: k.e.config.Now(), Lost: true}
		}
		return func() { k.exited(i, id, exit) }
	})
}

func (k *keeper) exited(i int, id string, exit runtime.Exit) {
	c, d := &k.record.Local.Containers[i], &k.record.Containers[i]
	if d.RuntimeID != id || c.Phase == task.PhaseExited {
		return
	}
	c.Phase, c.ExitedAt, c.ExitCode, c.OOMKilled = task.PhaseExited, exit.At, &exit.Code, exit.OOMKilled
	switch {
	case exit.OOMKilled:
		d.Reason = "OutOfMemoryError: Container killed due to memory usage"
	case exit.Lost:
		d.Reason = "CannotInspectContainerError: the container ended while it could not be watched"
	}
	if c.Health != "" {
		c.Health, d.HealthSince = task.UnknownHealth, k.e.config.Now()
	}
}

// stopContainer asks a container to end; its watch tells when it has.
func (k *keeper) stopContainer(i int) {
	id, c := k.record.Containers[i].RuntimeID, k.order(i)
	name := k.record.Containers[i].Image
	grace := k.e.config.StopTimeout
	if c.StopTimeout != nil {
		grace = time.Duration(*c.StopTimeout) * time.Second
	}
	k.do(func(ctx context.Context) func() {
		signal := ""
		if img, err := k.e.config.Images.Get(ctx, name); err == nil {
			signal = img.Config.StopSignal
		}
		err := k.e.config.Runtime.Stop(ctx, id, signal, grace)
		if err == nil || ctx.Err() != nil || errors.Is(err, runtime.ErrNotFound) {
			return nil
		}
		k.e.log.Error("cannot stop a container; it is killed with its removal", "container", id, "error", err)
		_ = k.e.config.Runtime.Delete(ctx, id)
		return func() { k.exited(i, id, runtime.Exit{Code: 137, At: k.e.config.Now(), Lost: true}) }
	})
}
