package engine_test

import (
	"os"
	"strings"
	"testing"

	"github.com/berthhq/berth/agent/runtime/runtimetest"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

func TestTasksSurviveTheEngine(t *testing.T) {
	h := newHouse(t).open()
	dir := t.TempDir()
	mounts := []workload.MountPoint{{SourceVolume: "v", ContainerPath: "/in"}}
	make := func(c workload.Container) *task.Order {
		c.MountPoints = mounts
		o := h.order(c)
		o.Volumes = hostVolume(dir)
		return o
	}
	stays := make(script("app", "echo begins; until test -e /in/stop; do usleep 1000; done; echo ends; exit 4"))
	gone := make(script("app", "until test -e /in/meanwhile; do usleep 1000; done; exit 5"))
	h.runs(stays)
	h.runs(gone)
	h.printed(stays, "app", "begins")
	h.close()

	h.must(os.WriteFile(dir+"/meanwhile", nil, 0o644))
	h.open()
	if end := h.until(gone.ARN, task.Stopped); exitCode(t, end, "app") != 5 {
		t.Errorf("%+v", end)
	}
	if tasks := h.Tasks(); len(tasks) != 1 || tasks[0] != stays.ARN {
		t.Errorf("%v", tasks)
	}
	h.must(h.Apply(stays)) // the servers send what was not acknowledged again
	h.must(os.WriteFile(dir+"/stop", nil, 0o644))
	if end := h.until(stays.ARN, task.Stopped); exitCode(t, end, "app") != 4 || container(t, end, "app").RestartCount != 0 {
		t.Errorf("%+v", end)
	}
	if out := h.output(stays, "app"); strings.Count(out, "begins") != 1 || strings.Count(out, "ends") != 1 {
		t.Errorf("output %q", out)
	}
	h.nothingLeft()
}

func TestStopWantedBeforeTheEngineEnded(t *testing.T) {
	h := newHouse(t).open()
	c := script("app", "trap '' TERM; echo up; while :; do usleep 1000; done")
	c.StopTimeout = new(2)
	o := h.order(c)
	h.runs(o)
	h.printed(o, "app", "up")
	stop := *o
	stop.Desired = task.Stopped
	h.must(h.Apply(&stop))
	h.close()
	h.open()
	if end := h.until(o.ARN, task.Stopped); exitCode(t, end, "app") != 137 {
		t.Errorf("%+v", end)
	}
	h.nothingLeft()
}

// An engine is ended at random moments of a task's start; whatever it had done,
// the next one brings the task to its end, and its program runs once.
func TestEndedAtAnyMoment(t *testing.T) {
	h := newHouse(t).open()
	for i := range 6 {
		dir := t.TempDir()
		a, b := script("a", "echo ran >> /in/a; exec sleep 1000"), script("b", "echo ran >> /in/b; exec sleep 1000")
		mounts := []workload.MountPoint{{SourceVolume: "v", ContainerPath: "/in"}}
		a.MountPoints, b.MountPoints = mounts, mounts
		b.DependsOn = []workload.Dependency{{ContainerName: "a", Condition: workload.ConditionStart}}
		o := h.order(a, b)
		o.Volumes = hostVolume(dir)
		h.must(h.Apply(o))
		switch i % 3 {
		case 1:
			runtimetest.Until(t, "something to happen", func() bool { return len(h.observed(o.ARN).Containers) > 0 })
		case 2:
			runtimetest.Until(t, "the first to run", func() bool { _, err := os.Stat(dir + "/a"); return err == nil })
		}
		h.close()
		h.open()
		h.until(o.ARN, task.Running)
		for _, name := range []string{"a", "b"} {
			runtimetest.Until(t, name+" to run", func() bool { data, _ := os.ReadFile(dir + "/" + name); return len(data) > 0 })
			if data, _ := os.ReadFile(dir + "/" + name); string(data) != "ran\n" {
				t.Errorf("round %d: %s ran as %q", i, name, data)
			}
		}
		if end := h.stops(o); exitCode(t, end, "a") != 137 && exitCode(t, end, "a") != 143 {
			t.Errorf("%+v", end)
		}
		h.nothingLeft()
	}
}
