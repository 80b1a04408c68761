package spot_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/assignment"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/plan/spot"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// machine of so much memory, whose Spot tasks hold what is listed, the newest
// first; others hold the rest. Its tasks are named "name0" and so on.
func machine(name string, memory, others int, spots ...int) *spot.Machine {
	m := &spot.Machine{Instance: &cluster.Instance{Registered: cluster.Resources{CPU: 1024, Memory: memory}}, Usage: cluster.Usage{Memory: others}}
	for i, held := range spots {
		m.Usage.Memory += held
		m.Spot = append(m.Spot, &task.Task{
			ARN: fmt.Sprint(name, i), CreatedAt: began.Add(-time.Duration(i) * time.Minute),
			Assignment: &task.Assignment{Held: cluster.Held{Memory: held}},
		})
	}
	return m
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		name     string
		machines []*spot.Machine
		demands  []int
		want     string
	}{
		{"nobody waits", []*spot.Machine{machine("a", 10, 0, 5, 5)}, nil, ""},
		{"there is room", []*spot.Machine{machine("a", 10, 0, 5)}, []int{5}, ""},
		{"no machine", nil, []int{5}, ""},
		{"the newest", []*spot.Machine{machine("a", 10, 0, 5, 5)}, []int{5}, "a0"},
		{"one large rather than several small", []*spot.Machine{machine("a", 10, 0, 1, 1, 2, 6)}, []int{6}, "a3"},
		{"several, without those that do not matter", []*spot.Machine{machine("a", 10, 0, 4, 1, 3, 2)}, []int{7}, "a0 a2"},
		{"what is free counts", []*spot.Machine{machine("a", 10, 3, 2, 2)}, []int{5}, "a0"},
		{"where the fewest go", []*spot.Machine{machine("a", 10, 4, 2, 2, 2), machine("b", 10, 4, 1, 5)}, []int{4}, "b1"},
		{"where the newest goes", []*spot.Machine{machine("a", 10, 0, 1, 9), machine("b", 10, 0, 9, 1)}, []int{9}, "b0"},
		{"nobody, when it would not be enough", []*spot.Machine{machine("a", 10, 8, 1, 1)}, []int{5}, ""},
		{"several demands do not share room", []*spot.Machine{machine("a", 10, 0, 5, 5)}, []int{5, 5}, "a0 a1"},
		{"one interruption serves two", []*spot.Machine{machine("a", 10, 0, 10)}, []int{5, 5}, "a0"},
	} {
		var demands []cluster.Demand
		for _, n := range c.demands {
			demands = append(demands, cluster.Demand{Memory: n})
		}
		var got []string
		for _, victim := range spot.Choose(c.machines, demands) {
			got = append(got, victim.ARN)
		}
		if slices.Sort(got); strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, not %s", c.name, got, c.want)
		}
	}
}

// world is a loop that places and interrupts on one machine of 4096 MiB.
type world struct {
	*testing.T
	store   *store.Leader
	control *control.Control
	tasks   int
}

func newWorld(t *testing.T) *world {
	s := memory.Open()
	w := &world{T: t, store: s, control: control.New(s, []plan.Planner{assignment.Planner(assignment.Options{}), spot.Planner()}, nil)}
	w.update(func(tx *store.Tx) {
		store.TaskDefinitions.Put(tx, &workload.Definition{Scope: scope, ARN: scope.TaskDefinition("f", 1), Family: "f", Revision: 1})
		store.Instances.Put(tx, &cluster.Instance{
			Scope: scope, ARN: scope.ContainerInstance("default", "a"), Status: cluster.InstanceActive, Connected: true,
			OffersFargate: true, FargateCPUOvercommit: 4, Registered: cluster.Resources{CPU: 1024, Memory: 4096},
		})
	})
	return w
}

func (w *world) update(fn func(*store.Tx)) {
	w.Helper()
	if _, err := w.store.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		w.Fatal(err)
	}
}

func (w *world) task(memory, provider string) string {
	w.tasks++
	id := fmt.Sprintf("%032x", w.tasks)
	t := &task.Task{
		Scope: scope, ARN: scope.Task("default", id), ID: id, CreatedAt: began.Add(time.Duration(w.tasks) * time.Second), Desired: task.Desired{Status: task.Running},
		Spec: task.Spec{DefinitionARN: scope.TaskDefinition("f", 1), LaunchType: workload.Fargate, CPU: "256", Memory: memory, CapacityProvider: provider},
	}
	w.update(func(tx *store.Tx) { store.Tasks.Put(tx, t) })
	return t.ARN
}

// step steps until nothing changes.
func (w *world) step() {
	w.Helper()
	for {
		before := w.store.View().Revision()
		if _, err := w.control.Step(context.Background(), began.Add(time.Minute)); err != nil {
			w.Fatal(err)
		}
		if w.store.View().Revision() == before {
			return
		}
	}
}

func (w *world) statuses(arns ...string) string {
	var out []string
	for _, key := range arns {
		t, _ := store.Tasks.Get(w.store.View(), key)
		out = append(out, t.LastStatus().String())
	}
	return strings.Join(out, " ")
}

// gone is what the agent's last word does.
func (w *world) gone(key string) {
	w.update(func(tx *store.Tx) {
		have, _ := store.Tasks.Get(tx, key)
		next := *have
		next.Observed.Status = task.Stopped
		placement.Release(tx, &next)
	})
}

func TestSpotGivesWayToTasksOnDemand(t *testing.T) {
	w := newWorld(t)
	older, newer := w.task("2048", "FARGATE_SPOT"), w.task("2048", "FARGATE_SPOT")
	w.step()
	demand, late := w.task("2048", "FARGATE"), w.task("2048", "FARGATE_SPOT")
	w.step()
	if got := w.statuses(older, newer, demand, late); got != "PENDING STOPPING PROVISIONING PROVISIONING" {
		t.Fatal(got)
	}
	victim, _ := store.Tasks.Get(w.store.View(), newer)
	if victim.StopCode() != "SpotInterruption" || victim.StoppedReason() != "Your Spot Task was interrupted." || victim.StoppingAt().IsZero() {
		t.Errorf("%s: %s", victim.StopCode(), victim.StoppedReason())
	}
	w.gone(newer)
	w.step()
	if got := w.statuses(older, newer, demand, late); got != "PENDING STOPPED PENDING PROVISIONING" {
		t.Error(got)
	}
}

func TestSpotDoesNotTakeTheRoomThatIsMadeForOthers(t *testing.T) {
	w := newWorld(t)
	first := w.task("3072", "FARGATE_SPOT")
	w.step()
	spare, demand := w.task("1024", "FARGATE_SPOT"), w.task("4096", "")
	w.step()
	if got := w.statuses(first, spare, demand); got != "STOPPING PROVISIONING PROVISIONING" {
		t.Fatal(got)
	}
	w.gone(first)
	w.step()
	if got := w.statuses(spare, demand); got != "PROVISIONING PENDING" {
		t.Error(got)
	}
}

func TestSpotNeverInterruptsForSpot(t *testing.T) {
	w := newWorld(t)
	first := w.task("4096", "FARGATE_SPOT")
	w.step()
	second := w.task("2048", "FARGATE_SPOT")
	w.step()
	if got := w.statuses(first, second); got != "PENDING PROVISIONING" {
		t.Error(got)
	}
}
