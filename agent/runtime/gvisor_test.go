package runtime_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/cgroup"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/runtime/gvisor"
	"github.com/berthhq/berth/agent/runtime/runtimetest"
)

func sandboxed(c runtime.Container) runtime.Container {
	c.Isolation = runtime.GVisor
	return c
}

func TestGVisorIsTheKernel(t *testing.T) {
	r := runtimetest.OpenGVisor(t)
	image := runtimetest.Busybox(t, r)
	exit, out := run(t, r, sandboxed(sh("alone", image, "dmesg | head -3; ls -d /proc/[0-9]* | grep -c .; exit 5")))
	if exit.Code != 5 || !strings.Contains(out, "gVisor") {
		t.Errorf("exit %+v, output %q", exit, out)
	}
}

// member is a container in the sandbox of "pause".
func member(c runtime.Container, group string) runtime.Container {
	c = sandboxed(c)
	c.Sandbox, c.Group = "pause", group
	return c
}

// sandbox begins a Pause container called "pause" under limits, as a task has them.
func sandbox(t *testing.T, r *runtime.Runtime, l cgroup.Limits) (group string) {
	t.Helper()
	group = r.Group() + "/task"
	if err := r.Cgroups().Create(group, l); err != nil {
		t.Fatal(err)
	}
	begin(t, r, sandboxed(runtime.Container{ID: "pause", Pause: true, Group: group, Network: loopback(t), Hostname: "task"}))
	return group
}

func TestOneSandboxForTwo(t *testing.T) {
	r := runtimetest.OpenGVisor(t)
	image := runtimetest.Busybox(t, r)
	group := sandbox(t, r, cgroup.Limits{})
	begin(t, r, member(sh("web", image, "nc -l -p 8080 -e echo hello; exec sleep 1000"), group))
	exit, out := run(t, r, member(sh("client", image, "until nc 127.0.0.1 8080; do sleep 0.05; done; set -- /proc/[0-9]*; echo $#; exit 3"), group))
	if exit.Code != 3 || out != "hello\n1\n" {
		t.Errorf("exit %+v, output %q", exit, out)
	}
	if code, out, err := r.Exec(t.Context(), "web", []string{"/bin/sh", "-c", "echo in; exit 8"}, time.Minute); err != nil || code != 8 || out != "in\n" {
		t.Errorf("exec: %d %q %v", code, out, err)
	}
	if err := r.Stop(t.Context(), "web", "SIGKILL", time.Minute); err != nil {
		t.Fatal(err)
	}
	if exit, err := r.Wait(t.Context(), "web"); err != nil || exit.Code != 137 || exit.OOMKilled {
		t.Errorf("killed: %+v %v", exit, err)
	}
	if s, err := r.Status(t.Context(), "pause"); err != nil || s.State != runtime.Running {
		t.Errorf("the sandbox ended with its containers: %+v %v", s, err)
	}
}

// The limit of a whole task holds in its sandbox; the sandbox ends as a whole.
func TestSandboxMemoryLimitKills(t *testing.T) {
	r := runtimetest.OpenGVisor(t)
	image := runtimetest.Busybox(t, r)
	group := sandbox(t, r, cgroup.Limits{Memory: 128 << 20})
	begin(t, r, member(sh("good", image, "exec sleep 1000"), group))
	begin(t, r, member(sh("greedy", image, "dd if=/dev/zero of=/dev/null bs=300M count=1"), group))
	for _, id := range []string{"greedy", "good", "pause"} {
		if exit, err := r.Wait(t.Context(), id); err != nil || exit.Code != 137 || !exit.OOMKilled {
			t.Errorf("%s: %+v %v", id, exit, err)
		}
	}
}

func TestSandboxSurvivesClosing(t *testing.T) {
	runsc := runtimetest.NeedGVisor(t)
	config := runtimetest.Config(t)
	config.GVisor, config.GVisorFront = runsc, runtimetest.Build(t, gvisor.Name)
	r := runtimetest.Reopen(t, config)
	group := sandbox(t, r, cgroup.Limits{})
	dir := t.TempDir()
	c := member(sh("app", runtimetest.Busybox(t, r), "until test -e /in/stop; do sleep 0.05; done; exit 6"), group)
	c.Mounts = bind(dir, "/in", true)
	begin(t, r, c)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/stop", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r = runtimetest.Reopen(t, config)
	if exit, err := r.Wait(t.Context(), "app"); err != nil || exit.Code != 6 {
		t.Errorf("%+v %v", exit, err)
	}
}

// loopback is a network namespace with nothing but a loopback that is up.
func loopback(t *testing.T) runtime.Network {
	t.Helper()
	cmd := exec.Command("unshare", "--net", "/bin/busybox", "sh", "-c", "ip link set lo up && echo ready && exec sleep 1000")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if _, err := io.ReadFull(out, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	return runtime.Network{Path: fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid)}
}
