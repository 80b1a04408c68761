package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"
)

// Start lets the container's program run. It fails when the program is not there
// or must not be executed.
func (r *Runtime) Start(ctx context.Context, id string) error {
	t, err := r.task(id)
	if err != nil {
		return err
	}
	return t.Start(r.quiet(ctx))
}

// Stop asks the container to end by its signal ("SIGTERM" when empty) and kills it
// when it has not after the grace.
func (r *Runtime) Stop(ctx context.Context, id, signal string, grace time.Duration) error {
	if signal == "" {
		signal = "SIGTERM"
	}
	if err := r.Kill(ctx, id, signal); err != nil {
		return err
	}
	gentle, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	_, err := r.Wait(gentle, id)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	if err := r.Kill(ctx, id, "SIGKILL"); err != nil {
		return err
	}
	_, err = r.Wait(ctx, id)
	return err
}

// Kill sends a signal to the container's first process. That it has ended already
// is no error.
func (r *Runtime) Kill(ctx context.Context, id, signal string) error {
	p, err := r.find(id)
	if err != nil {
		return err
	}
	n, err := signalNumber(signal)
	if err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	default:
	}
	err = p.task.Kill(r.quiet(ctx), uint32(n), n == unix.SIGKILL)
	if err == nil || errdefs.IsNotFound(err) {
		return nil
	}
	if p.endsWithin(ctx, endNotice) {
		return nil
	}
	return err
}

// endNotice is how long after a container's end we may learn of it: meanwhile
// signals to it fail in many ways.
const endNotice = 5 * time.Second

func (p *process) endsWithin(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// signalNumber reads "SIGTERM", "TERM" and "15".
func signalNumber(s string) (syscall.Signal, error) {
	name := strings.ToUpper(s)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if n := unix.SignalNum(name); n != 0 {
		return n, nil
	}
	var n int
	if _, err := fmt.Sscanf(s, "%d", &n); err != nil || n < 1 || n > 64 {
		return 0, fmt.Errorf("%q is not a signal", s)
	}
	return syscall.Signal(n), nil
}

// Delete kills the container if it runs and removes it: its processes, its record
// and its file system. Deleting one that is not there is no error.
func (r *Runtime) Delete(ctx context.Context, id string) error {
	p, err := r.find(id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	ctx = r.quiet(ctx)
	if p.task != nil {
		if err := r.deleteTask(ctx, p); err != nil {
			return fmt.Errorf("delete container %s: %w", id, err)
		}
	}
	if p.group != "" { // the OCI runtime has cleared it, unless it or its shim was killed
		if err := r.cgroups.Clear(ctx, p.group); err != nil {
			return fmt.Errorf("delete container %s: %w", id, err)
		}
	}
	if err := r.storage.Containers.Delete(ctx, id); err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("delete container %s: %w", id, err)
	}
	if err := r.storage.Snapshots.Remove(ctx, id); err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("delete the file system of container %s: %w", id, err)
	}
	r.mu.Lock()
	delete(r.live, id)
	r.mu.Unlock()
	r.soil()
	return nil
}

func (r *Runtime) deleteTask(ctx context.Context, p *process) error {
	id := p.record.ID
	if err := r.Kill(ctx, id, "SIGKILL"); err != nil {
		return err
	}
	if _, err := r.Wait(ctx, id); err != nil {
		return err
	}
	_, err := r.tasks.Delete(ctx, id)
	if errdefs.IsNotFound(err) {
		err = nil
	}
	return err
}
