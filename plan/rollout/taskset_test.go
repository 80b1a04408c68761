package rollout_test

import (
	"slices"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// add makes a task set as CreateTaskSet does.
func (w *town) add(id string, scale float64) {
	w.change(func(tx *store.Tx, s *service.Service) {
		store.TaskSets.Put(tx, &service.TaskSet{
			Scope: country, ARN: "set/" + id, ServiceARN: s.ARN, ClusterARN: s.ClusterARN, Scale: scale, SteadyAt: w.now,
			Deployment: service.Deployment{ID: "ecs-svc/" + id, RevisionARN: w.revision(tx, id).ARN, Status: service.Older, CreatedAt: w.now, UpdatedAt: w.now},
		})
	})
}

func (w *town) edit(id string, fn func(*service.TaskSet)) {
	w.change(func(tx *store.Tx, s *service.Service) {
		have, _ := store.TaskSets.Get(tx, "set/"+id)
		next := *have
		fn(&next)
		store.TaskSets.Put(tx, &next)
	})
}

func (w *town) set(id string) *service.TaskSet {
	s, _ := store.TaskSets.Get(w.store.View(), "set/"+id)
	return s
}

func bySet(t *task.Task) string { return t.Spec.StartedBy[len("ecs-svc/"):] }

func TestTaskSets(t *testing.T) {
	w := settle(t, service.Spec{Desired: 3, Controller: service.ControllerExternal})
	w.machine("one", "a", 20)
	w.pass(time.Second)
	if got := w.events(); got != nil {
		t.Errorf("a service without task sets says %q", got)
	}

	w.add("blue", 100)
	w.pass(time.Second)
	if s := w.set("blue"); s.Deployment.Want != 3 || s.Steady {
		t.Errorf("just begun: wants %d, steady %v", s.Deployment.Want, s.Steady)
	}
	w.pass(2 * time.Second)
	if s := w.set("blue"); !s.Steady || !s.SteadyAt.Equal(w.now) || w.live(bySet) != "blue:3" {
		t.Errorf("steady %v since %v, tasks %s", s.Steady, s.SteadyAt, w.live(bySet))
	}
	for want := range slices.Values([]string{
		") updated computedDesiredCount for taskSet ecs-svc/blue to 3.", ", taskSet ecs-svc/blue) has started 3 tasks",
		", taskSet ecs-svc/blue) updated state to STEADY_STATE.", ") has reached a steady state.",
	}) {
		if !slices.Contains(w.events(), want) {
			t.Errorf("%q, without %q", w.events(), want)
		}
	}

	w.add("green", 40)
	w.pass(time.Second)
	w.pass(2 * time.Second)
	if w.live(bySet) != "blue:3 green:2" || !w.set("green").Steady {
		t.Errorf("tasks %s", w.live(bySet))
	}
	w.edit("blue", func(s *service.TaskSet) { s.Scale = 0 })
	w.pass(time.Second)
	if w.live(bySet) != "green:2" || !w.set("blue").Steady || !slices.Contains(w.events(), ", taskSet ecs-svc/blue) has stopped 3 running tasks") {
		t.Errorf("tasks %s, events %q", w.live(bySet), w.events())
	}
	w.change(func(_ *store.Tx, s *service.Service) { s.Spec.Desired = 6 })
	w.pass(time.Second)
	if w.live(bySet) != "green:3" {
		t.Errorf("40%% of 6: %s", w.live(bySet))
	}
	w.edit("blue", func(s *service.TaskSet) { s.Deployment.Status = service.Leaving })
	w.pass(time.Second)
	if w.set("blue") != nil {
		t.Error("a deleted set without tasks is still there")
	}
}

func TestADeletedTaskSetGoesAfterItsTasks(t *testing.T) {
	w := settle(t, service.Spec{Desired: 2, Controller: service.ControllerExternal})
	w.machine("one", "a", 20)
	w.add("blue", 100)
	w.pass(time.Second)
	gone := 0
	w.watch = func() {
		if w.set("blue") != nil {
			return
		}
		for t := range store.Tasks.All(w.store.View()) {
			if t.DesiredStatus() == task.Running {
				w.Error("it is gone before its tasks were stopped")
			}
		}
		gone++
	}
	w.edit("blue", func(s *service.TaskSet) { s.Deployment.Status = service.Leaving })
	w.pass(time.Second)
	if gone == 0 || w.live(bySet) != "" {
		t.Errorf("seen gone %d times, tasks %s", gone, w.live(bySet))
	}
}

func TestTaskSetsReplaceWhatIsLost(t *testing.T) {
	w := settle(t, service.Spec{Desired: 2, Controller: service.ControllerCodeDeploy})
	w.machine("one", "a", 20)
	w.add("blue", 100)
	w.pass(time.Second)
	w.pass(2 * time.Second)
	w.machine("two", "a", 20)
	w.update(func(tx *store.Tx) {
		have, _ := store.Instances.Get(tx, country.ContainerInstance("default", "one"))
		next := *have
		next.Status = cluster.Draining
		store.Instances.Put(tx, &next)
	})
	w.pass(time.Second)
	if w.set("blue").Steady {
		t.Error("steady while tasks run on an instance that is drained")
	}
	w.pass(2 * time.Second)
	on := w.live(func(t *task.Task) string { return t.Assignment.InstanceARN[len(t.Assignment.InstanceARN)-3:] })
	if on != "two:2" || !w.set("blue").Steady {
		t.Errorf("tasks on %s, steady %v", on, w.set("blue").Steady)
	}
}

func TestATaskSetThatFailsIsTriedMoreAndMoreSeldom(t *testing.T) {
	w := settle(t, service.Spec{Desired: 1, Controller: service.ControllerExternal})
	w.machine("one", "a", 20)
	w.ill[country.ContainerInstance("default", "one")] = true
	w.add("blue", 100)
	for range 60 {
		w.pass(time.Second)
	}
	if n := store.Tasks.Len(w.store.View()); n < 4 || n > 8 {
		t.Errorf("%d tasks in a minute", n)
	}
	if !slices.Contains(w.events(), w.service().SayImpaired()[len("(service web"):]) {
		t.Errorf("%q", w.events())
	}
}

func TestADeletedServiceDrainsItsTaskSets(t *testing.T) {
	w := settle(t, service.Spec{Desired: 2, Controller: service.ControllerExternal})
	w.machine("one", "a", 20)
	w.add("blue", 100)
	w.pass(time.Second)
	w.change(func(_ *store.Tx, s *service.Service) { s.Status, s.Spec.Desired = service.Draining, 0 })
	w.pass(time.Second)
	if s := w.service(); s.Status != service.Inactive || w.live(bySet) != "" || w.set("blue") != nil {
		t.Errorf("%s, tasks %s, set %v", s.Status, w.live(bySet), w.set("blue"))
	}
}

func TestPendingTasksOfATaskSetAreStopped(t *testing.T) {
	w := settle(t, service.Spec{Desired: 3, Controller: service.ControllerExternal})
	w.machine("one", "a", 20)
	w.add("blue", 100)
	if _, err := w.loop.Step(t.Context(), w.now); err != nil {
		t.Fatal(err)
	}
	w.edit("blue", func(s *service.TaskSet) { s.Scale = 0 })
	w.pass(0)
	if w.live(bySet) != "" || !slices.Contains(w.events(), ", taskSet ecs-svc/blue) stopped 3 pending tasks.") {
		t.Errorf("%s, %q", w.live(bySet), w.events())
	}
}
