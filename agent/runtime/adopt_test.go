package runtime_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/runtime/runtimetest"
)

func TestOneProcessHasTheFolder(t *testing.T) {
	config := runtimetest.Config(t)
	first := runtimetest.Reopen(t, config)
	if r, err := runtime.Open(t.Context(), config); err == nil {
		_ = r.Close()
		t.Fatal("opened twice")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	runtimetest.Reopen(t, config)
}

func TestContainersSurviveClosing(t *testing.T) {
	config := runtimetest.Config(t)
	r := runtimetest.Reopen(t, config)
	image := runtimetest.Busybox(t, r)
	dir := t.TempDir()
	forever := sh("forever", image, "i=0; until test -e /in/stop; do i=$((i+1)); echo $i; usleep 1000; done; exit 4")
	forever.Mounts = bind(dir, "/in", false)
	forever.Labels = map[string]string{"task": "t1"}
	out := begin(t, r, forever)
	ends := sh("ends", image, "until test -e /in/stop; do usleep 1000; done; exit 9")
	ends.Mounts = bind(dir, "/in", false)
	begin(t, r, ends)
	never := sh("never", image, "exit 1")
	if err := r.Create(t.Context(), never); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(dir+"/stop", nil, 0o644); err != nil { // both end while nobody watches
		t.Fatal(err)
	}
	r = runtimetest.Reopen(t, config)
	for id, code := range map[string]int{"forever": 4, "ends": 9} {
		exit, err := r.Wait(t.Context(), id)
		if err != nil || exit.Code != code || exit.Lost {
			t.Errorf("%s: %+v %v", id, exit, err)
		}
	}
	s, err := r.Status(t.Context(), "forever")
	if err != nil || s.State != runtime.Exited || s.Labels["task"] != "t1" || s.Image != image {
		t.Errorf("%+v %v", s, err)
	}
	countsUp(t, out)
	if s, err := r.Status(t.Context(), "never"); err != nil || s.State != runtime.Created {
		t.Errorf("%+v %v", s, err)
	}
	if err := r.Start(t.Context(), "never"); err != nil {
		t.Error(err)
	}
	if exit, err := r.Wait(t.Context(), "never"); err != nil || exit.Code != 1 {
		t.Errorf("%+v %v", exit, err)
	}
}

// countsUp checks that no line is missing.
func countsUp(t *testing.T, path string) {
	t.Helper()
	lines := strings.Fields(read(t, path))
	for i, l := range lines {
		if l != fmt.Sprint(i+1) {
			t.Fatalf("line %d of %d says %s", i+1, len(lines), l)
		}
	}
	if len(lines) == 0 {
		t.Error("no output")
	}
}

// TestOwner is the process that TestSurvivesKill kills: it starts a container and
// says so.
func TestOwner(t *testing.T) {
	data := os.Getenv("BERTH_TEST_OWNER")
	if data == "" {
		t.Skip("only run by TestSurvivesKill, as a process of its own")
	}
	r, err := runtime.Open(t.Context(), runtime.Config{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	image := runtimetest.Busybox(t, r)
	c := sh("orphan", image, "i=0; while :; do i=$((i+1)); echo $i; usleep 1000; done")
	c.Output.File = data + "/out"
	if err := errors.Join(r.Create(t.Context(), c), r.Start(t.Context(), c.ID)); err != nil {
		t.Fatal(err)
	}
	fmt.Println("READY")
	select {}
}

func TestSurvivesKill(t *testing.T) {
	config := runtimetest.Config(t)
	for range 3 {
		owner := exec.Command(os.Args[0], "-test.run=^TestOwner$", "-test.v")
		owner.Env = append(os.Environ(), "BERTH_TEST_OWNER="+config.Data)
		out, err := owner.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := owner.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() && lines.Text() != "READY" {
			t.Log(lines.Text())
		}
		if err := owner.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = owner.Wait()

		r := runtimetest.Reopen(t, config)
		s, err := r.Status(t.Context(), "orphan")
		if err != nil || s.State != runtime.Running || syscall.Kill(s.PID, 0) != nil {
			t.Fatalf("%+v %v", s, err)
		}
		if err := r.Stop(t.Context(), "orphan", "SIGKILL", time.Second); err != nil {
			t.Fatal(err)
		}
		if exit, err := r.Wait(t.Context(), "orphan"); err != nil || exit.Code != 137 || exit.OOMKilled || exit.Lost {
			t.Errorf("%+v %v", exit, err)
		}
		if err := r.Delete(t.Context(), "orphan"); err != nil {
			t.Fatal(err)
		}
		countsUp(t, config.Data+"/out")
		if err := errors.Join(os.Remove(config.Data+"/out"), r.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestShimKilled(t *testing.T) {
	r := runtimetest.Open(t)
	image := runtimetest.Busybox(t, r)
	begin(t, r, sh("bereft", image, "exec sleep 1000"))
	s, err := r.Status(t.Context(), "bereft")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(parent(t, s.PID), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	exit, err := r.Wait(t.Context(), "bereft")
	if err != nil || exit.Code != 137 || !exit.Lost {
		t.Errorf("%+v %v", exit, err)
	}
	runtimetest.Until(t, "the container to be gone", func() bool { return syscall.Kill(s.PID, 0) != nil })
	if err := r.Delete(t.Context(), "bereft"); err != nil {
		t.Error(err)
	}
}

func parent(t *testing.T, pid int) int {
	t.Helper()
	var name, state string
	var p, ppid int
	if _, err := fmt.Sscanf(read(t, fmt.Sprintf("/proc/%d/stat", pid)), "%d %s %s %d", &p, &name, &state, &ppid); err != nil {
		t.Fatal(err)
	}
	return ppid
}
