package rollout_test

import (
	"slices"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// zoneOf is where a task runs.
func (w *town) zoneOf(t *task.Task) string {
	if t.Assignment == nil {
		return "nowhere"
	}
	i, _ := store.Instances.Get(w.store.View(), t.Assignment.InstanceARN)
	return i.Zone
}

// lopsided is a service with all its tasks in one zone, and a machine just come in
// another.
func lopsided(t *testing.T, desired int, c service.Configuration, kind workload.LaunchType) *town {
	w := settle(t, service.Spec{Desired: desired, Controller: service.ControllerECS, Rebalancing: service.Enabled, Configuration: c})
	w.update(func(tx *store.Tx) {
		r := *w.revision(tx, "1")
		r.Template.LaunchType = kind
		store.ServiceRevisions.Put(tx, &r)
	})
	w.change(func(_ *store.Tx, s *service.Service) { s.Spec.Template.LaunchType = kind })
	w.update(func(tx *store.Tx) {
		have, _ := store.TaskDefinitions.Get(tx, "app:1")
		next := *have
		next.CPU, next.Memory = "256", "100"
		store.TaskDefinitions.Put(tx, &next)
	})
	w.machine("one", "a", 20)
	w.pass(time.Second)
	w.pass(2 * time.Second)
	if got := w.live(w.zoneOf); !w.service().Steady {
		t.Fatalf("not steady: %s; %q", got, w.events())
	}
	return w
}

// within holds the bounds of the deployment configuration at every step.
func (w *town) within(least, most int) {
	w.watch = func() {
		live, running := 0, 0
		for t := range store.Tasks.All(w.store.View()) {
			if t.DesiredStatus() == task.Running {
				live++
				if t.LastStatus() == task.Running {
					running++
				}
			}
		}
		if running < least || live > most {
			w.Errorf("%d running of %d, not within %d and %d", running, live, least, most)
		}
	}
}

func (w *town) seconds(n int) {
	for range n {
		w.pass(time.Second)
	}
}

func TestZonesAreEvenedOut(t *testing.T) {
	for _, kind := range []workload.LaunchType{workload.EC2, workload.Fargate} {
		t.Run(string(kind), func(t *testing.T) {
			w := lopsided(t, 4, service.Configuration{MinimumPercent: 100, MaximumPercent: 200}, kind)
			w.within(4, 5)
			w.machine("two", "b", 20)
			w.seconds(10)
			if got := w.live(w.zoneOf); got != "a:2 b:2" {
				t.Fatalf("%s; %q", got, w.events())
			}
			for _, line := range []string{
				") is not AZ balanced with 4 tasks in a, 0 tasks in b. AZ Rebalancing in progress.", ") has started 1 tasks in b to AZ Rebalance",
				") has stopped 1 running tasks in a due to AZ rebalancing", ") is AZ balanced with 2 tasks in a, 2 tasks in b.",
			} {
				if !slices.Contains(w.events(), line) {
					t.Errorf("no %q in %q", line, w.events())
				}
			}
			before := store.Tasks.Len(w.store.View())
			w.seconds(30)
			if n := store.Tasks.Len(w.store.View()); n != before || !w.service().Steady {
				t.Errorf("it went on: %d tasks after %d; %q", n, before, w.events())
			}
		})
	}
}

// What keeps a service as it is, with four tasks in one of two zones.
func TestZonesThatStayUneven(t *testing.T) {
	usual := service.Configuration{MinimumPercent: 100, MaximumPercent: 200}
	for name, c := range map[string]struct {
		configuration service.Configuration
		room          int
		change        func(*town)
		says          string
	}{
		"not asked to": {usual, 20, func(w *town) {
			w.change(func(_ *store.Tx, s *service.Service) { s.Spec.Rebalancing = service.Disabled })
		}, ""},
		"the maximum":         {service.Configuration{MinimumPercent: 50, MaximumPercent: 110}, 20, func(*town) {}, ""},
		"no room in the zone": {usual, 0, func(*town) {}, ") is unable to place a task in b because no container instance met all of its requirements."},
		"protected tasks": {usual, 20, func(w *town) {
			w.update(func(tx *store.Tx) {
				for t := range store.Tasks.All(w.store.View()) {
					next := *t
					next.ProtectedUntil = w.now.Add(time.Hour)
					store.Tasks.Put(tx, &next)
				}
			})
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := lopsided(t, 4, c.configuration, workload.EC2)
			c.change(w)
			w.machine("two", "b", c.room)
			w.seconds(30)
			if got := w.live(w.zoneOf); got != "a:4" || store.Tasks.Len(w.store.View()) != 4 {
				t.Errorf("%s; %q", got, w.events())
			}
			if c.says != "" && !slices.Contains(w.events(), c.says) {
				t.Errorf("%q", w.events())
			}
		})
	}
}

func TestATaskThatFailsInItsNewZoneIsGivenUp(t *testing.T) {
	w := lopsided(t, 4, service.Configuration{MinimumPercent: 100, MaximumPercent: 200}, workload.EC2)
	w.within(4, 5)
	w.machine("two", "b", 20)
	w.ill["arn:aws:ecs:us-east-1:000000000000:container-instance/default/two"] = true
	w.seconds(30)
	if n := store.Tasks.Len(w.store.View()); w.live(w.zoneOf) != "a:4" || n > 10 {
		t.Errorf("%s, and %d tasks were tried", w.live(w.zoneOf), n)
	}
}

func TestScalingWhileATaskIsMoved(t *testing.T) {
	w := lopsided(t, 4, service.Configuration{MinimumPercent: 100, MaximumPercent: 200}, workload.EC2)
	w.machine("two", "b", 20)
	w.pass(0)
	if w.service().Moving == nil {
		t.Fatalf("nothing is moved: %q", w.events())
	}
	w.change(func(_ *store.Tx, s *service.Service) { s.Spec.Desired = 1 })
	w.seconds(10)
	if n := w.live(func(*task.Task) string { return "all" }); n != "all:1" || w.service().Moving != nil || !w.service().Steady {
		t.Errorf("%s, moving %v, steady %v", n, w.service().Moving, w.service().Steady)
	}
}
