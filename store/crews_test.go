package store_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

// TestCountCrews counts the tasks of services at random and compares with looking at
// each of them.
func TestCountCrews(t *testing.T) {
	s, r := memory.Open(), rand.New(rand.NewPCG(1, 1))
	names := []string{"a", "a-b", "b"}
	starters := []string{"ecs-svc/1000000000000000007", "ecs-svc/1000000000000000008", "ecs-svc/2152921504606846975", "somebody"}
	var v *store.View
	for range 50 {
		var err error
		v, err = s.Update(context.Background(), func(tx *store.Tx) error {
			for range 20 {
				next := &task.Task{ARN: fmt.Sprint("t", r.IntN(300)), Noted: r.IntN(2) == 0}
				next.Spec = task.Spec{ClusterARN: "c", Group: service.Group(names[r.IntN(3)]), StartedBy: starters[r.IntN(4)]}
				next.Desired.Status = []task.Status{task.Running, task.Stopped}[r.IntN(2)]
				if r.IntN(3) > 0 {
					next.Assignment = &task.Assignment{Released: r.IntN(4) == 0}
					next.Observed.Status = []task.Status{0, task.Pending, task.Running, task.Stopped}[r.IntN(4)]
				}
				store.Tasks.Put(tx, next)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			want := map[string]service.Counts{}
			for x := range store.Tasks.By(v, store.TasksOfService, store.InCluster("c", service.Group(name))) {
				n := want[x.Spec.StartedBy]
				switch last := x.LastStatus(); {
				case last == task.Running:
					n.Running++
				case last < task.Running:
					n.Pending++
				}
				want[x.Spec.StartedBy] = n
			}
			if got := store.CountCrews(v, "c", name); !maps.Equal(got, want) {
				t.Fatalf("%s: counted %v, there are %v", name, got, want)
			}
		}
	}
	if got := store.CountCrews(v, "c", "nobody"); len(got) > 0 {
		t.Errorf("tasks of no service: %v", got)
	}
}
