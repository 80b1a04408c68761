package runtime_test

import (
	"testing"
	"time"

	"github.com/berthhq/berth/agent/cgroup"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/runtime/runtimetest"
)

func TestMemoryLimitKills(t *testing.T) {
	r := runtimetest.Open(t)
	image := runtimetest.Busybox(t, r)
	t.Run("its own", func(t *testing.T) {
		c := sh("own", image, "exec tail -c 200000000 /dev/zero")
		c.Resources.Memory = 32 << 20
		if exit, out := run(t, r, c); exit.Code != 137 || !exit.OOMKilled {
			t.Errorf("exit %+v, output %q", exit, out)
		}
	})
	t.Run("its task's", func(t *testing.T) {
		group := r.Group() + "/small"
		if err := r.Cgroups().Create(group, cgroup.Limits{Memory: 32 << 20}); err != nil {
			t.Fatal(err)
		}
		c := sh("task", image, "exec tail -c 200000000 /dev/zero")
		c.Group = group
		if exit, out := run(t, r, c); exit.Code != 137 || !exit.OOMKilled {
			t.Errorf("exit %+v, output %q", exit, out)
		}
		if err := r.Cgroups().Remove(group); err != nil {
			t.Error(err)
		}
	})
	t.Run("killed by hand", func(t *testing.T) {
		c := sh("hand", image, "kill -9 $$")
		c.Init, c.Resources.Memory = true, 32<<20
		if exit, out := run(t, r, c); exit.Code != 137 || exit.OOMKilled {
			t.Errorf("exit %+v, output %q", exit, out)
		}
	})
}

// A container that spins is held to its quota: in each wall-clock second it gets
// the quota's part, wherever the quota is set.
func TestCPUQuotaHolds(t *testing.T) {
	r := runtimetest.Open(t)
	image := runtimetest.Busybox(t, r)
	group := r.Group() + "/quarter"
	if err := r.Cgroups().Create(group, cgroup.Limits{CPUQuota: cgroup.QuotaOf(256)}); err != nil {
		t.Fatal(err)
	}
	own := sh("own", image, "while :; do :; done")
	own.Resources.CPUQuota = cgroup.QuotaOf(256)
	task := sh("task", image, "while :; do :; done & while :; do :; done")
	task.Group = group
	for _, c := range []runtime.Container{own, task} {
		begin(t, r, c)
		s, err := r.Status(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		// A busy machine may give less than the quota, never more.
		if used := share(t, r, s.Group, 20); used > 0.35 {
			t.Errorf("%s: used %.2f of a core, want at most 0.25", c.ID, used)
		}
	}
	if exit, err := r.Status(t.Context(), "own"); err != nil || exit.State != runtime.Running {
		t.Errorf("%+v %v", exit, err)
	}
}

// share measures how much of a core a group gets while its quota runs out n times.
func share(t *testing.T, r *runtime.Runtime, group string, n uint64) float64 {
	t.Helper()
	first := usage(t, r, group)
	last := first
	runtimetest.Until(t, "the quota to run out", func() bool {
		last = usage(t, r, group)
		return last.CPU-first.CPU > time.Duration(n)*cgroup.Period*time.Microsecond/4
	})
	return float64(last.CPU-first.CPU) / float64(last.At.Sub(first.At))
}

func usage(t *testing.T, r *runtime.Runtime, group string) *cgroup.Usage {
	t.Helper()
	u, err := r.Cgroups().Usage(group, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return u
}
