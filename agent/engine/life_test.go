package engine_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/engine"
	"github.com/berthhq/berth/agent/runtime/runtimetest"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

func TestRunsAndReports(t *testing.T) {
	h := newHouse(t).open()
	o := h.order(script("app", "echo hello $WHO; exit 3"))
	o.Containers[0].Environment = []workload.KeyValue{{Name: "WHO", Value: "world"}}
	end := h.ends(o)
	c := container(t, end, "app")
	if exitCode(t, end, "app") != 3 || end.StoppedReason != "Essential container in task exited" || end.StopCode != task.StopEssentialContainerExited || c.Status != "STOPPED" || c.RuntimeID == "" || c.ImageDigest == "" || end.PullStartedAt.IsZero() || end.ExecutionStoppedAt.IsZero() {
		t.Errorf("%+v", end)
	}
	var statuses []task.Status
	h.mu.Lock()
	for _, r := range h.heard[o.ARN] {
		statuses = append(statuses, r.Status)
	}
	h.mu.Unlock()
	if seen := func(s task.Status) bool {
		return slices.Contains(statuses, s)
	}; !seen(task.Running) || !seen(task.Stopped) {
		t.Errorf("reported %v", statuses)
	}
	if out := h.output(o, "app"); !strings.Contains(out, "hello world") {
		t.Errorf("output %q", out)
	}
	h.nothingLeft()
	h.must(h.Apply(o)) // a repeated order runs nothing, but is answered
	runtimetest.Until(t, "the answer", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(h.heard[o.ARN]) > len(statuses)
	})
}

func TestWhyATaskDoesNotStart(t *testing.T) {
	h := newHouse(t)
	h.offered = cluster.Resources{CPU: 1024, Memory: 512}
	h.open()
	for name, c := range map[string]struct {
		change func(*task.Order)
		want   string
	}{
		"no image":   {func(o *task.Order) { o.Containers[0].Image = "test.invalid/none:v1" }, "CannotPullContainerError: image not found"},
		"no program": {func(o *task.Order) { o.Containers[0].EntryPoint = []string{"/no/such"} }, "/no/such"},
		"no user":    {func(o *task.Order) { o.Containers[0].User = "nobody-here" }, "CannotCreateContainerError: unable to find user nobody-here"},
		"no room":    {func(o *task.Order) { o.Memory = 1000 }, "ResourceInitializationError: the machine has no room for the task: MEMORY needs 1000, has 512"},
		"its files":  {func(o *task.Order) { o.Volumes = hostVolume(h.dir + "/engine/tasks") }, "cannot be mounted"},
		"privileged": {func(o *task.Order) { o.Containers[0].Privileged = new(true) }, "--allow-privileged"},
		"secrets":    {func(o *task.Order) { o.Containers[0].Secrets = []workload.Secret{{Name: "A", ValueFrom: "b"}} }, "ResourceInitializationError: unable to pull secrets"},
		"no gVisor":  {func(o *task.Order) { fargate(o).Memory = 64 }, "gVisor's runsc is not installed"},
		"log driver": {func(o *task.Order) { o.Containers[0].Log = &workload.LogConfiguration{Driver: "syslog"} }, "CannotCreateContainerError"},
	} {
		t.Run(name, func(t *testing.T) {
			o := h.order(script("app", "exec sleep 1000"), script("other", "exec sleep 1000"))
			c.change(o)
			end := h.ends(o)
			if end.StopCode != task.StopTaskFailedToStart || !strings.Contains(end.StoppedReason, c.want) {
				t.Errorf("%s: %s", end.StopCode, end.StoppedReason)
			}
			h.nothingLeft()
		})
	}
}

func hostVolume(path string) []workload.Volume {
	return []workload.Volume{{Name: "v", Host: &workload.HostVolume{SourcePath: path}}}
}

func TestDependencies(t *testing.T) {
	h := newHouse(t).open()
	shared := []workload.MountPoint{{SourceVolume: "scratch", ContainerPath: "/scratch"}}
	setup := script("setup", "sleep 0.2; echo ready > /scratch/state; exit 0")
	setup.Essential, setup.MountPoints = false, shared
	db := script("db", "cat /scratch/state; trap 'echo db ends; exit 0' TERM; touch /tmp/up; while :; do usleep 1000; done")
	db.MountPoints = shared
	db.DependsOn = []workload.Dependency{{ContainerName: "setup", Condition: workload.ConditionSuccess}}
	db.HealthCheck = &workload.HealthCheck{Command: []string{"CMD-SHELL", "test -e /tmp/up"}, Interval: new(1)}
	app := script("app", "echo app begins; trap 'echo app ends; sleep 0.3; exit 0' TERM; while :; do usleep 1000; done")
	app.DependsOn = []workload.Dependency{{ContainerName: "db", Condition: workload.ConditionHealthy}}
	o := h.order(app, db, setup)
	o.Volumes = []workload.Volume{{Name: "scratch", Host: &workload.HostVolume{}}}
	h.runs(o)
	h.printed(o, "db", "ready")
	h.printed(o, "app", "app begins")
	for _, s := range h.Snapshots() {
		if s.Order.ARN == o.ARN && s.Containers[1].Health != task.Healthy {
			t.Errorf("db is %s", s.Containers[1].Health)
		}
	}
	end := h.stops(o)
	for _, name := range []string{"app", "db", "setup"} {
		if code := exitCode(t, end, name); code != 0 {
			t.Errorf("%s exited %d", name, code)
		}
	}
	h.nothingLeft()
}

func TestStopKillsTheStubborn(t *testing.T) {
	h := newHouse(t).open()
	c := script("app", "trap '' TERM; echo up; while :; do usleep 1000; done")
	c.StopTimeout = new(1)
	o := h.order(c)
	h.must(h.Apply(o))
	h.printed(o, "app", "up")
	if end := h.stops(o); exitCode(t, end, "app") != 137 || container(t, end, "app").Reason != "" {
		t.Errorf("%+v", end)
	}
	h.nothingLeft()
}

func TestOutOfMemory(t *testing.T) {
	h := newHouse(t).open()
	c := script("app", "exec tail -c 200000000 /dev/zero")
	c.Memory = new(32)
	end := h.ends(h.order(c))
	if got := container(t, end, "app"); exitCode(t, end, "app") != 137 || got.Reason != "OutOfMemoryError: Container killed due to memory usage" {
		t.Errorf("%+v", got)
	}
}

func TestRestartPolicy(t *testing.T) {
	h := newHouse(t).open()
	c := script("app", "echo once more; sleep 0.1; test -e /scratch/enough && exit 0; exit 1")
	c.RestartPolicy = &workload.RestartPolicy{Enabled: true, IgnoredExitCodes: []int{0}, RestartAttemptPeriod: new(0)}
	c.MountPoints = []workload.MountPoint{{SourceVolume: "v", ContainerPath: "/scratch"}}
	o := h.order(c)
	dir := t.TempDir()
	o.Volumes = hostVolume(dir)
	h.must(h.Apply(o))
	runtimetest.Until(t, "three restarts", func() bool {
		all := h.observed(o.ARN)
		return len(all.Containers) == 1 && all.Containers[0].RestartCount >= 3
	})
	h.must(os.WriteFile(dir+"/enough", nil, 0o644))
	if end := h.until(o.ARN, task.Stopped); exitCode(t, end, "app") != 0 {
		t.Errorf("%+v", end)
	}
	h.nothingLeft()
}

func TestSharedNamespaces(t *testing.T) {
	h := newHouse(t).open()
	a := script("a", "echo mine > /dev/shm/x; exec sleep 1000")
	b := script("b", "until test -e /dev/shm/x; do usleep 1000; done; cat /dev/shm/x; ps | grep -c 'sleep 1000'; exit 0")
	o := h.order(a, b)
	o.PIDMode, o.IPCMode = "task", "task"
	if end := h.ends(o); exitCode(t, end, "b") != 0 {
		t.Fatalf("%+v", end)
	}
	h.printed(o, "b", "mine")
	h.printed(o, "b", "2")
	h.nothingLeft()
}

func TestForgetsTheStopped(t *testing.T) {
	h := newHouse(t)
	h.adjust = func(c *engine.Config) { c.Remember = time.Millisecond }
	h.open()
	o := h.order(script("app", "exit 0"))
	h.ends(o)
	if _, ok := h.Task(o.ARN); !ok {
		t.Skip("already forgotten")
	}
	runtimetest.Until(t, "the task to be forgotten", func() bool { _, ok := h.Task(o.ARN); return !ok })
	if files, err := os.ReadDir(h.dir + "/engine/tasks"); err != nil || len(files) != 0 {
		t.Errorf("%v %v", files, err)
	}
}
