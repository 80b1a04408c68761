package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/runtime/runtimetest"
	"github.com/berthhq/berth/domain/task"
)

func TestFargateRunsInASandbox(t *testing.T) {
	h := gvisorHouse(t).open()
	t.Run("alone", func(t *testing.T) {
		o := fargate(h.order(script("app", "dmesg | head -1; exit 3")))
		if end := h.ends(o); exitCode(t, end, "app") != 3 {
			t.Errorf("%+v", end)
		}
		if out := h.output(o, "app"); !strings.Contains(out, "gVisor") {
			t.Errorf("output %q", out)
		}
		h.nothingLeft()
	})
	t.Run("two", func(t *testing.T) {
		web, client := script("web", "dmesg | head -1; exec sleep 1000"), script("client", "ps; hostname; exit 5")
		client.Essential = false
		o := fargate(h.order(web, client))
		h.must(h.Apply(o))
		h.until(o.ARN, task.Running)
		h.printed(o, "web", "gVisor")
		end := h.stops(o)
		if exitCode(t, end, "client") != 5 || exitCode(t, end, "web") == 0 {
			t.Errorf("%+v", end)
		}
		if out := h.output(o, "client"); strings.Contains(out, "sleep 1000") {
			t.Errorf("output %q", out)
		}
		h.nothingLeft()
	})
	t.Run("held to its CPU", func(t *testing.T) {
		o := fargate(h.order(script("app", "while :; do :; done")))
		o.CPU = 256
		h.must(h.Apply(o))
		h.until(o.ARN, task.Running)
		runtimetest.Until(t, "the task to use up its part of a period", func() bool {
			u, err := h.runtime.Cgroups().Usage(h.runtime.Group()+"/"+o.ID, time.Now())
			return err == nil && u.Throttled > 0
		})
		h.stops(o)
		h.nothingLeft()
	})
	t.Run("out of memory", func(t *testing.T) {
		o := fargate(h.order(script("app", "dd if=/dev/zero of=/dev/null bs=300M count=1")))
		o.Memory, o.CPU = 128, 2048
		end := h.ends(o)
		if got := container(t, end, "app"); exitCode(t, end, "app") != 137 || !strings.Contains(got.Reason, "OutOfMemoryError") {
			t.Errorf("%+v", got)
		}
	})
}
