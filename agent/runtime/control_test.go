package runtime_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/image"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/runtime/runtimetest"
)

func TestStop(t *testing.T) {
	r := runtimetest.Open(t)
	image := runtimetest.Busybox(t, r)
	for _, c := range []struct {
		name, script, signal string
		grace                time.Duration
		code                 int
	}{
		{"gentle", "trap 'echo bye; exit 3' TERM; echo up; while :; do usleep 1000; done", "", time.Minute, 3},
		{"own-signal", "trap 'exit 6' USR1; echo up; while :; do usleep 1000; done", "SIGUSR1", time.Minute, 6},
		{"stubborn", "trap '' TERM; echo up; while :; do usleep 1000; done", "", 50 * time.Millisecond, 137},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := begin(t, r, sh(c.name, image, c.script))
			runtimetest.Until(t, "the program to be up", func() bool { return strings.Contains(read(t, out), "up") })
			if err := r.Stop(t.Context(), c.name, c.signal, c.grace); err != nil {
				t.Fatal(err)
			}
			if exit, err := r.Wait(t.Context(), c.name); err != nil || exit.Code != c.code {
				t.Errorf("%+v %v, want %d", exit, err, c.code)
			}
			if err := r.Stop(t.Context(), c.name, "", 0); err != nil {
				t.Errorf("again: %v", err)
			}
		})
	}
}

func TestInitPassesSignalsOn(t *testing.T) {
	r := runtimetest.Open(t)
	c := sh("init", runtimetest.Busybox(t, r), "trap 'exit 3' TERM; echo up; while :; do usleep 1000; done")
	c.Init = true
	out := begin(t, r, c)
	runtimetest.Until(t, "the program to be up", func() bool { return strings.Contains(read(t, out), "up") })
	if err := r.Stop(t.Context(), "init", "", time.Minute); err != nil {
		t.Fatal(err)
	}
	if exit, err := r.Wait(t.Context(), "init"); err != nil || exit.Code != 3 {
		t.Errorf("%+v %v", exit, err)
	}
}

func TestExec(t *testing.T) {
	r := runtimetest.Open(t)
	c := sh("host", runtimetest.Busybox(t, r), "exec sleep 1000")
	c.Env = []string{"GREETING=hello"}
	begin(t, r, c)
	code, out, err := r.Exec(t.Context(), "host", []string{"/bin/sh", "-c", "echo $GREETING; exit 5"}, time.Minute)
	if err != nil || code != 5 || out != "hello\n" {
		t.Errorf("%d %q %v", code, out, err)
	}
	_, _, err = r.Exec(t.Context(), "host", []string{"sleep", "1000"}, 20*time.Millisecond)
	if !errors.Is(err, runtime.ErrTimeout) {
		t.Errorf("slow: %v", err)
	}
	_, _, err = r.Exec(t.Context(), "host", []string{"/no/such"}, time.Minute)
	if err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("missing: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	r := runtimetest.Open(t)
	name := runtimetest.Busybox(t, r)
	ctx := t.Context()
	if err := r.Create(ctx, sh("x", "test.invalid/none:latest", "")); !errors.Is(err, image.ErrNotFound) {
		t.Errorf("no image: %v", err)
	}
	c := sh("x", name, "")
	c.User = "nobody-here"
	if err := r.Create(ctx, c); err == nil || !strings.HasPrefix(err.Error(), "unable to find user nobody-here") {
		t.Errorf("no user: %v", err)
	}
	c = sh("x", name, "")
	c.Mounts = bind("/no/such/place", "/in", false)
	if err := r.Create(ctx, c); err == nil || !strings.Contains(err.Error(), "/no/such/place") {
		t.Errorf("no source: %v", err)
	}
	c = sh("x", name, "")
	c.Isolation = runtime.GVisor
	if err := r.Create(ctx, c); !r.HasGVisor() && !errors.Is(err, runtime.ErrNoGVisor) {
		t.Errorf("no gVisor: %v", err)
	}
	c = runtime.Container{ID: "x", Image: name, Args: []string{"/no/such/program"}}
	if err := r.Create(ctx, c); err == nil {
		err = r.Start(ctx, "x")
		if err == nil || !strings.Contains(err.Error(), "/no/such/program") {
			t.Errorf("no program: %v", err)
		}
		if err := r.Delete(ctx, "x"); err != nil {
			t.Error(err)
		}
	} else if !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("no program: %v", err)
	}
	begin(t, r, sh("x", name, "exec sleep 1000")) // what failed left nothing behind
	if err := r.Create(ctx, sh("x", name, "")); !errors.Is(err, runtime.ErrExists) {
		t.Errorf("twice: %v", err)
	}
	if err := r.Delete(ctx, "x"); err != nil {
		t.Error(err)
	}
	if err := r.Delete(ctx, "x"); err != nil {
		t.Errorf("delete twice: %v", err)
	}
}
