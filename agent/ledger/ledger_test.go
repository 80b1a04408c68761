package ledger_test

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/agent/ledger"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

func TestDemand(t *testing.T) {
	two := []task.OrderContainer{
		{Container: workload.Container{CPU: 100, Memory: new(64)}},
		{Container: workload.Container{CPU: 50, Memory: new(64), MemoryReservation: new(32)}},
	}
	for _, c := range []struct {
		name  string
		order task.Order
		want  cluster.Demand
	}{
		{"containers", task.Order{Containers: two}, cluster.Demand{CPU: 150, Memory: 96}},
		{"task", task.Order{Containers: two, CPU: 256, Memory: 512}, cluster.Demand{CPU: 256, Memory: 512}},
		{"fargate", task.Order{Containers: two, CPU: 258, Memory: 512, Isolation: task.Sandbox}, cluster.Demand{CPU: 65, Memory: 512}},
	} {
		if got := ledger.Demand(&c.order, 4); got.CPU != c.want.CPU || got.Memory != c.want.Memory {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestNeverMoreThanOffered(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		offered := cluster.Resources{CPU: 1000, Memory: 1000}
		l := ledger.New(offered, 2)
		for range 50 {
			arn := fmt.Sprint(rapid.IntRange(0, 9).Draw(r, "task"))
			if rapid.Bool().Draw(r, "release") {
				l.Release(arn)
				continue
			}
			before, beforeMemory, _ := l.Held()
			o := &task.Order{ARN: arn, CPU: rapid.IntRange(1, 900).Draw(r, "cpu"), Memory: rapid.IntRange(1, 900).Draw(r, "memory"),
				Isolation: rapid.SampledFrom([]task.Isolation{task.Namespaces, task.Sandbox}).Draw(r, "isolation")}
			err := l.Claim(o)
			cpu, memory, _ := l.Held()
			if cpu > offered.CPU || memory > offered.Memory {
				r.Fatalf("holds %d and %d", cpu, memory)
			}
			var full *ledger.NoRoomError
			d := ledger.Demand(o, 2)
			fits := before+d.CPU <= offered.CPU && beforeMemory+d.Memory <= offered.Memory
			if err != nil && (fits || !errors.As(err, &full)) {
				r.Fatalf("refused what fits: %v", err)
			}
		}
	})
}
