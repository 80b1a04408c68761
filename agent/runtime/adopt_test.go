package runtime_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

// TestOwner is the process that other tests kill: it makes a container and says so
// before and after.
func TestOwner(t *testing.T) {
	data := os.Getenv("BERTH_TEST_OWNER")
	if data == "" {
		t.Skip("only run by other tests, as a process of its own")
	}
	r, err := runtime.Open(t.Context(), runtime.Config{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	image := runtimetest.Busybox(t, r)
	c := sh("orphan", image, "i=0; while :; do i=$((i+1)); echo $i; usleep 1000; done")
	c.Output.File = data + "/out"
	fmt.Println("CREATING")
	if err := errors.Join(r.Create(t.Context(), c), r.Start(t.Context(), c.ID)); err != nil {
		t.Fatal(err)
	}
	fmt.Println("READY")
	select {}
}

// killOwner starts an owner and kills it some time after it said a word.
func killOwner(t *testing.T, data, word string, later time.Duration) {
	t.Helper()
	owner := exec.Command(os.Args[0], "-test.run=^TestOwner$", "-test.v")
	owner.Env = append(os.Environ(), "BERTH_TEST_OWNER="+data)
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != word {
		t.Log(lines.Text())
	}
	<-time.After(later)
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()
}

func TestSurvivesKill(t *testing.T) {
	config := runtimetest.Config(t)
	for range 3 {
		killOwner(t, config.Data, "READY", 0)
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

// Whatever was made of a container when its owner was killed, it can be made again
// under its id, by a shim of its own.
func TestKilledWhileCreating(t *testing.T) {
	config := runtimetest.Config(t)
	for n := range 8 {
		killOwner(t, config.Data, "CREATING", time.Duration(n)*8*time.Millisecond)
		r := runtimetest.Reopen(t, config)
		if err := r.Delete(t.Context(), "orphan"); err != nil {
			t.Fatal(err)
		}
		for _, pid := range shimsOf(t, config.Data) {
			runtimetest.Until(t, "the end of the shim", func() bool { return syscall.Kill(pid, 0) != nil })
		}
		begin(t, r, sh("orphan", runtimetest.BusyboxName, "exit 7"))
		if exit, err := r.Wait(t.Context(), "orphan"); err != nil || exit.Code != 7 || exit.Lost {
			t.Errorf("%+v %v", exit, err)
		}
		if err := errors.Join(r.Delete(t.Context(), "orphan"), r.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func shimsOf(t *testing.T, data string) (pids []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if text, _ := os.ReadFile(f); strings.Contains(string(text), "-address\x00"+data+"\x00") {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			pids = append(pids, pid)
		}
	}
	return pids
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
