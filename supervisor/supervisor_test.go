package supervisor

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be the role: it says its pid on a fifo, then
// waits for SIGTERM or death.
func TestMain(m *testing.M) {
	if fifo := os.Getenv("ROLE_FIFO"); fifo != "" {
		f, err := os.OpenFile(fifo, os.O_WRONLY, 0)
		if err != nil {
			os.Exit(2)
		}
		fmt.Fprintln(f, os.Getpid())
		f.Close()
		for { // not select{}: the runtime takes that for a deadlock
			_ = syscall.Pause()
		}
	}
	os.Exit(m.Run())
}

type stage struct {
	t    *testing.T
	fifo string
	sup  *Supervisor
}

func newStage(t *testing.T) *stage {
	dir := t.TempDir()
	s := &stage{t: t, fifo: filepath.Join(dir, "fifo")}
	if err := syscall.Mkfifo(s.fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	s.sup = &Supervisor{Dir: filepath.Join(dir, "run"), Log: slog.New(slog.DiscardHandler), Roles: []Role{{
		Name: "role", Args: []string{os.Args[0]}, Env: []string{"ROLE_FIFO=" + s.fifo}, StopTimeout: 5 * time.Second,
	}}}
	return s
}

func (s *stage) start() *Crew {
	s.t.Helper()
	crew, err := s.sup.Start(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return crew
}

// pid blocks until a role says that it runs.
func (s *stage) pid() int {
	s.t.Helper()
	text, err := os.ReadFile(s.fifo)
	if err != nil {
		s.t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(strings.TrimSpace(string(text)), &pid); err != nil {
		s.t.Fatalf("role said %q", text)
	}
	return pid
}

func TestACrashedRoleIsStartedAgain(t *testing.T) {
	s := newStage(t)
	crew := s.start()
	first := s.pid()
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if second := s.pid(); second == first {
		t.Errorf("pid %d again", second)
	}
	if err := crew.Stop(); err != nil {
		t.Error(err)
	}
}

func TestRolesOutliveTheirSupervisor(t *testing.T) {
	s := newStage(t)
	crew := s.start()
	pid := s.pid()
	crew.Leave()
	if now, ok := Running(filepath.Join(s.sup.Dir, "role.pid")); !ok || now != pid {
		t.Fatalf("after leaving: pid %d, running %v", now, ok)
	}
	next := s.start()
	if got := next.keepers[0].process.pid; got != pid {
		t.Errorf("started %d beside %d", got, pid)
	}
	if err := next.Stop(); err != nil {
		t.Error(err)
	}
	if _, ok := Running(filepath.Join(s.sup.Dir, "role.pid")); ok {
		t.Error("still running after Stop")
	}
}

func TestARoleWithoutItsPidFileIsFound(t *testing.T) {
	s := newStage(t)
	s.start().Leave()
	pid := s.pid()
	if err := os.Remove(filepath.Join(s.sup.Dir, "role.pid")); err != nil {
		t.Fatal(err)
	}
	next := s.start()
	if got := next.keepers[0].process.pid; got != pid {
		t.Errorf("started %d beside %d", got, pid)
	}
	if err := next.Stop(); err != nil {
		t.Error(err)
	}
}

func TestARoleThatDoesNotBecomeReadyIsNamed(t *testing.T) {
	s := newStage(t)
	s.sup.Roles[0].Ready = func(context.Context) error { return context.DeadlineExceeded }
	crew, err := s.sup.Start(t.Context())
	s.pid()
	if err == nil || !strings.Contains(err.Error(), "role did not become ready") {
		t.Errorf("got %v", err)
	}
	if err := crew.Stop(); err != nil {
		t.Error(err)
	}
}

func TestWhatAKilledSupervisorLeftIsStopped(t *testing.T) {
	s := newStage(t)
	if !s.sup.Adopt().Empty() {
		t.Error("something runs before it was started")
	}
	s.start().Leave()
	s.pid()
	crew := s.sup.Adopt()
	if crew.Empty() {
		t.Fatal("nothing was found")
	}
	if err := crew.Stop(); err != nil {
		t.Error(err)
	}
	if _, ok := Running(filepath.Join(s.sup.Dir, "role.pid")); ok || !s.sup.Adopt().Empty() {
		t.Error("still running after Stop")
	}
}

func TestARoleThatNeverStartsSaysWhy(t *testing.T) {
	s := newStage(t)
	s.sup.Roles[0].Args = []string{"/bin/sh", "-c", "echo the port is taken; exit 1"}
	s.sup.Roles[0].Ready = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	crew, err := s.sup.Start(t.Context())
	defer crew.Leave()
	if err == nil || !strings.HasSuffix(err.Error(), ": the port is taken") {
		t.Errorf("%v", err)
	}
}
