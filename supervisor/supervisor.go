// Package supervisor keeps the roles of one machine running as processes of
// their own. A crash of one is not a crash of all: it is started again. Killing
// the supervisor ends none of them: the next one finds them by their pid files.
package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Role is one process to keep.
type Role struct {
	Name string
	Args []string // the program and its arguments
	Env  []string // added to our own environment
	// Ready returns once the role serves; it is asked after each start, and the
	// next role is not started before.
	Ready func(context.Context) error
	// StopTimeout is how long the role may take after SIGTERM.
	StopTimeout time.Duration
}

// Supervisor keeps roles running in the order they were given.
type Supervisor struct {
	Dir   string // of pid files and logs
	Log   *slog.Logger
	Roles []Role
}

// Restart delays: the first crash costs little, a crash loop little CPU.
const (
	firstDelay = 100 * time.Millisecond
	maxDelay   = 10 * time.Second
	// calm is how long a process must have run for its next crash to count as a first.
	calm = time.Minute
	// starts is how often a role is started that ends each time before it is ready.
	starts = 5
)

// Start starts or adopts every role, each once the one before is ready. The
// returned Crew keeps them until it is stopped.
func (s *Supervisor) Start(ctx context.Context) (*Crew, error) {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, err
	}
	keeping, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &Crew{cancel: cancel}
	for _, r := range s.Roles {
		k := &keeper{role: r, dir: s.Dir, log: s.Log.With("role", r.Name), hopeless: make(chan struct{})}
		if err := k.begin(); err != nil {
			return c, fmt.Errorf("start %s: %w", r.Name, err)
		}
		c.keepers = append(c.keepers, k)
		c.running.Go(func() { k.keep(keeping) })
		if err := k.ready(ctx); err != nil {
			return c, err
		}
	}
	return c, nil
}

// Adopt takes in hand the roles that run, to stop what a killed supervisor left. It
// starts none and keeps none.
func (s *Supervisor) Adopt() *Crew {
	c := &Crew{cancel: func() {}}
	for _, r := range s.Roles {
		k := &keeper{role: r, dir: s.Dir, log: s.Log.With("role", r.Name)}
		if p, ok := adopt(k.pidFile()); ok {
			k.process = p
			c.keepers = append(c.keepers, k)
		}
	}
	return c
}

// Crew is the roles of a started supervisor.
type Crew struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
	keepers []*keeper // in order of start
}

// Empty tells whether there is no role to stop.
func (c *Crew) Empty() bool { return len(c.keepers) == 0 }

// Leave stops keeping the roles and lets them run.
func (c *Crew) Leave() {
	c.cancel()
	c.running.Wait()
}

// Stop ends the roles in reverse order: SIGTERM, then SIGKILL when one takes
// longer than its timeout.
func (c *Crew) Stop() error {
	c.Leave()
	var errs []error
	for _, v := range slices.Backward(c.keepers) {
		errs = append(errs, v.stop())
	}
	return errors.Join(errs...)
}

// keeper keeps one role. Its goroutine owns process after begin.
type keeper struct {
	role    Role
	dir     string
	log     *slog.Logger
	process *process
	// hopeless is closed when the role ended as often as it was started in a row.
	hopeless chan struct{}
}

// ready waits until the role serves, unless it ends each time that it is started:
// what it said last is the reason then.
func (k *keeper) ready(ctx context.Context) error {
	if k.role.Ready == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- k.role.Ready(ctx) }()
	select {
	case err := <-answer:
		if err != nil {
			return fmt.Errorf("%s did not become ready (see %s): %w", k.role.Name, k.logFile(), err)
		}
		return nil
	case <-k.hopeless:
		return fmt.Errorf("%s does not start (see %s): %s", k.role.Name, k.logFile(), lastLine(k.logFile()))
	}
}

func (k *keeper) pidFile() string { return filepath.Join(k.dir, k.role.Name+".pid") }
func (k *keeper) logFile() string { return filepath.Join(k.dir, k.role.Name+".log") }

// begin adopts the role's process if it still runs, else starts one.
func (k *keeper) begin() error {
	p, ok := adopt(k.pidFile())
	if !ok && lookFor(k.role.Args, k.pidFile()) {
		p, ok = adopt(k.pidFile())
	}
	if !ok {
		return k.start()
	}
	k.log.Info("adopted", "pid", p.pid)
	k.process = p
	return nil
}

func (k *keeper) start() error {
	out, err := os.OpenFile(k.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(k.role.Args[0], k.role.Args[1:]...)
	cmd.Env = append(os.Environ(), k.role.Env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a signal to our terminal is not for them
	if err := cmd.Start(); err != nil {
		return err
	}
	p, err := started(cmd, k.pidFile())
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if errors.Is(err, os.ErrProcessDone) { // it ended at once
			k.process = ended()
			return nil
		}
		return err
	}
	k.process = p
	k.log.Info("started", "pid", p.pid)
	return nil
}

func (k *keeper) keep(ctx context.Context) {
	delay := firstDelay
	for ends := 1; ; ends++ {
		began := time.Now()
		select {
		case <-ctx.Done():
			return
		case <-k.process.done:
		}
		if time.Since(began) > calm {
			delay, ends = firstDelay, 1
		}
		if ends == starts {
			k.giveUp()
		}
		k.log.Warn("ended, starting again", "pid", k.process.pid, "delay", delay)
		select {
		case <-ctx.Done():
			return
		case <-time.After(delay):
		}
		if delay = min(2*delay, maxDelay); k.start() != nil {
			k.process = ended()
		}
	}
}

func (k *keeper) giveUp() {
	select {
	case <-k.hopeless:
	default:
		close(k.hopeless)
	}
}

// lastLine is the last that a role said.
func lastLine(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	text = bytes.TrimSpace(text)
	return string(text[bytes.LastIndexByte(text, '\n')+1:])
}

func (k *keeper) stop() error {
	defer os.Remove(k.pidFile())
	timeout := k.role.StopTimeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	if err := k.process.signal(syscall.SIGTERM); err != nil {
		return nil // gone already
	}
	select {
	case <-k.process.done:
		return nil
	case <-time.After(timeout):
	}
	_ = k.process.signal(syscall.SIGKILL)
	<-k.process.done
	return fmt.Errorf("%s did not stop within %v and was killed", k.role.Name, timeout)
}
