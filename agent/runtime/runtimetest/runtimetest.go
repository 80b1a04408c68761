// Package runtimetest gives tests a runtime of their own with small images made on
// the spot. Tests that use it need root; without it they are skipped, and say so.
package runtimetest

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/runtime/gvisor"
	"github.com/berthhq/berth/agent/runtime/shim"
)

// Main runs the tests of a package. The test program serves as the containers'
// shim too: it runs itself again under the shim's name.
func Main(m *testing.M) {
	if filepath.Base(os.Args[0]) == shim.Name {
		shim.Main()
		return
	}
	os.Exit(m.Run())
}

// Need skips the test where containers cannot run.
func Need(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("containers need root: run the tests as root")
	}
	if _, err := exec.LookPath("runc"); err != nil {
		t.Skip("no runc: apt-get install runc")
	}
}

// NeedGVisor skips the test where runsc is missing and returns its path.
func NeedGVisor(t testing.TB) string {
	t.Helper()
	Need(t)
	path := os.Getenv("BERTH_RUNSC")
	if path == "" {
		path = filepath.Join(moduleRoot(t), "bin", "runsc")
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("no runsc: make build builds bin/runsc, or set BERTH_RUNSC")
	}
	return path
}

// Config is for a runtime in a new folder that goes away with the test, together
// with all containers in it.
func Config(t testing.TB) runtime.Config {
	t.Helper()
	if testing.Short() {
		t.Skip("starts containers: left out of the fast tests")
	}
	Need(t)
	c := runtime.Config{Data: t.TempDir(), Init: Build(t, runtime.InitName), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if shim := os.Getenv("BERTH_SHIM"); shim != "" {
		c.Shim = shim
	}
	t.Cleanup(func() { sweep(t, c) })
	return c
}

// Open opens a runtime in a new folder.
func Open(t testing.TB) *runtime.Runtime {
	t.Helper()
	return Reopen(t, Config(t))
}

// OpenGVisor is Open for tests that isolate by gVisor.
func OpenGVisor(t testing.TB) *runtime.Runtime {
	t.Helper()
	runsc := NeedGVisor(t)
	c := Config(t)
	c.GVisor, c.GVisorFront = runsc, Build(t, gvisor.Name)
	return Reopen(t, c)
}

// Reopen opens a runtime in a folder that was used before. Closing it is the
// test's end at the latest.
func Reopen(t testing.TB, c runtime.Config) *runtime.Runtime {
	t.Helper()
	r, err := runtime.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// sweep removes whatever containers the test left, and the folders outside of
// its own.
func sweep(t testing.TB, c runtime.Config) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := runtime.Open(ctx, c)
	if err != nil {
		t.Errorf("clean up: %v", err)
		return
	}
	left, err := r.List(ctx)
	for _, s := range left {
		err = errors.Join(err, r.Delete(ctx, s.ID))
	}
	if err = errors.Join(err, r.Close()); err != nil {
		t.Errorf("clean up: %v", err)
	}
	for { // a shim that is ending may still write there
		err := runtime.Destroy(c.Data)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Errorf("clean up: %v", err)
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Build builds one of the small programs that stand in cmd/ and
// returns its path.
func Build(t testing.TB, name string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", out, "github.com/berthhq/berth/cmd/"+name)
	cmd.Dir, cmd.Env = moduleRoot(t), append(os.Environ(), "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, msg)
	}
	return out
}

func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for ; err == nil && dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("not inside the module")
	return ""
}

// Until polls until ok, and fails the test when that takes longer than a minute.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited a minute for: %s", what)
		case <-tick.C:
		}
	}
}
