package rollout_test

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
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/plan/rollout"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

// everywhere is a cluster with a service of the DAEMON strategy. Its clock moves by
// ten seconds a step, so that what runs has proven itself at the next.
type everywhere struct {
	*testing.T
	store   *store.Leader
	control *control.Control
	scope   arn.Scope
	home    string
	key     string
	now     time.Time
	ids     int
}

func newEverywhere(t *testing.T, machines ...string) *everywhere {
	scope := arn.Scope{Account: "000000000000", Region: "us-east-1"}
	w := &everywhere{
		T: t, store: memory.Open(), scope: scope, home: scope.Cluster("default"), key: scope.Service("default", "log"),
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	w.control = control.New(w.store, []plan.Planner{rollout.Planner(rollout.Options{NewID: w.id})}, nil)
	for _, name := range machines {
		w.machine(name)
	}
	return w
}

func (w *everywhere) id() string { w.ids++; return fmt.Sprintf("%016x%016x", w.ids, w.ids) }

func (w *everywhere) update(fn func(*store.Tx)) {
	w.Helper()
	if _, err := w.store.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		w.Fatal(err)
	}
}

func (w *everywhere) machine(name string) {
	w.update(func(tx *store.Tx) {
		store.Instances.Put(tx, &cluster.Instance{
			Scope: w.scope, ARN: w.scope.ContainerInstance("default", name), ID: name, ClusterARN: w.home, Status: cluster.InstanceActive, Connected: true,
			OffersEC2: true, Registered: cluster.Resources{CPU: 1024, Memory: 1000}, Attributes: []workload.Attribute{{Name: "kind", Value: name}},
		})
	})
}

func (w *everywhere) change(name string, fn func(*cluster.Instance)) {
	w.update(func(tx *store.Tx) {
		have, _ := store.Instances.Get(tx, w.scope.ContainerInstance("default", name))
		next := *have
		fn(&next)
		store.Instances.Put(tx, &next)
	})
}

// deploy makes the service run another revision.
func (w *everywhere) deploy(revision, minimum int, constraint string) {
	w.update(func(tx *store.Tx) {
		def := &workload.Definition{
			Scope: w.scope, ARN: w.scope.TaskDefinition("log", revision), Family: "log", Revision: revision,
			Containers: []workload.Container{{Name: "main", Image: "log", Essential: true, Memory: new(600)}},
		}
		store.TaskDefinitions.Put(tx, def)
		next := service.Service{Scope: w.scope, ARN: w.key, Name: "log", ClusterARN: w.home, Status: service.Active}
		if have, ok := store.Services.Get(tx, w.key); ok {
			next = *have
		}
		next.Spec.Scheduling, next.Spec.Controller, next.Spec.Constraints = service.Daemon, service.ControllerECS, nil
		if constraint != "" {
			next.Spec.Constraints = []workload.Constraint{{Type: "memberOf", Expression: constraint}}
		}
		next.Spec.Configuration = service.Configuration{Strategy: service.Rolling, MaximumPercent: 100, MinimumPercent: minimum}
		r := &service.Revision{
			Scope: w.scope, ARN: w.scope.ServiceRevision("default", "log", fmt.Sprint(revision)), ServiceARN: w.key, ClusterARN: w.home,
			Template: service.Template{DefinitionARN: def.ARN, LaunchType: workload.EC2}, CreatedAt: w.now,
		}
		store.ServiceRevisions.Put(tx, r)
		store.Rollouts.Put(tx, next.Begin(r, fmt.Sprint("ecs-svc/", revision), w.scope.ServiceDeployment("default", "log", fmt.Sprint(revision)), w.now))
		next.Version++
		store.Services.Put(tx, &next)
	})
}

func (w *everywhere) step() {
	w.Helper()
	if _, err := w.control.Step(context.Background(), w.now); err != nil {
		w.Fatal(err)
	}
	w.now = w.now.Add(10 * time.Second)
}

// play is what agents do: what is to run runs, what is to stop has stopped.
func (w *everywhere) play() {
	w.update(func(tx *store.Tx) {
		for t := range store.Tasks.All(w.store.View()) {
			next := *t
			switch {
			case t.LastStatus() == task.Stopped:
				continue
			case t.Desired.Status == task.Stopped:
				next.Observed.Status, next.Observed.StoppedAt = task.Stopped, w.now
				next = *placement.Release(tx, &next)
			case t.Observed.Status != task.Running:
				next.Observed.Status, next.Observed.StartedAt = task.Running, w.now
			}
			store.Tasks.Put(tx, &next)
		}
	})
}

func (w *everywhere) rounds(n int) {
	w.Helper()
	for range n {
		w.step()
		w.play()
	}
}

// expect compares the tasks that are not to stop, as INSTANCE:REVISION, and how
// many the service says it wants.
func (w *everywhere) expect(desired int, want ...string) {
	w.Helper()
	var got []string
	for t := range store.Tasks.All(w.store.View()) {
		if t.DesiredStatus() == task.Running {
			at, def := t.Assignment.InstanceARN, t.Spec.DefinitionARN
			got = append(got, at[strings.LastIndexByte(at, '/')+1:]+def[strings.LastIndexByte(def, ':'):])
		}
	}
	slices.Sort(got)
	s, _ := store.Services.Get(w.store.View(), w.key)
	if !slices.Equal(got, want) || s.Spec.Desired != desired {
		w.Errorf("live: %v of %d, want %v of %d", got, s.Spec.Desired, want, desired)
	}
}

func TestADaemonHasATaskOnEachInstance(t *testing.T) {
	w := newEverywhere(t, "a", "b")
	w.deploy(1, 0, "")
	w.rounds(3)
	w.expect(2, "a:1", "b:1")
	if s, _ := store.Services.Get(w.store.View(), w.key); s.Primary().State != service.Completed || !s.Steady {
		t.Errorf("%+v", s.Primary())
	}
	w.machine("c")
	w.rounds(1)
	w.expect(3, "a:1", "b:1", "c:1")
	w.update(func(tx *store.Tx) { store.Instances.Delete(tx, w.scope.ContainerInstance("default", "c")) })
	w.rounds(1)
	w.expect(2, "a:1", "b:1")
}

func TestADaemonKeepsToItsConstraints(t *testing.T) {
	w := newEverywhere(t, "a", "b")
	w.deploy(1, 0, "attribute:kind == a")
	w.rounds(2)
	w.expect(1, "a:1")
	w.change("b", func(i *cluster.Instance) { i.Attributes[0].Value = "a" })
	w.rounds(1)
	w.expect(2, "a:1", "b:1")
	w.change("a", func(i *cluster.Instance) { i.Attributes = []workload.Attribute{{Name: "kind", Value: "z"}} })
	w.rounds(1)
	w.expect(1, "b:1")
}

func TestADaemonIsUpdatedWithinItsMinimum(t *testing.T) {
	for _, c := range []struct {
		minimum int
		after   []string // the first step
	}{
		{0, nil},
		{50, []string{"a:1", "b:1"}},
		{75, []string{"a:1", "b:1", "c:1"}},
	} {
		w := newEverywhere(t, "a", "b", "c", "d")
		w.deploy(1, 0, "")
		w.rounds(3)
		w.deploy(2, c.minimum, "")
		w.step()
		if got := w.left(1); got != len(c.after) {
			t.Errorf("minimum %d: %d are left after the first step, want %d", c.minimum, got, len(c.after))
		}
		// The task that stops still has its place: none comes beside it.
		w.step()
		if got := w.left(2); got != 0 {
			t.Errorf("minimum %d: %d came beside those that stop", c.minimum, got)
		}
		w.play()
		w.rounds(20)
		w.expect(4, "a:2", "b:2", "c:2", "d:2")
	}
}

// left counts the live tasks of a revision.
func (w *everywhere) left(revision int) (n int) {
	for t := range store.Tasks.All(w.store.View()) {
		if t.DesiredStatus() == task.Running && t.Spec.DefinitionARN == w.scope.TaskDefinition("log", revision) {
			n++
		}
	}
	return n
}

// The minimum counts instances that stay: one that is being drained keeps its task
// for its own reasons.
func TestADrainedInstanceIsNoPartOfTheMinimum(t *testing.T) {
	w := newEverywhere(t, "a", "b", "c")
	w.deploy(1, 0, "")
	w.rounds(3)
	w.change("c", func(i *cluster.Instance) { i.Status = cluster.Draining })
	w.deploy(2, 50, "")
	w.step()
	if got := w.left(1); got != 1 {
		t.Errorf("%d are left, want 1", got)
	}
	w.play()
	w.rounds(10)
	w.expect(2, "a:2", "b:2")
}

func TestADaemonIsTheLastOnADrainedInstance(t *testing.T) {
	w := newEverywhere(t, "a", "b")
	w.deploy(1, 0, "")
	w.rounds(3)
	other := &task.Task{
		Scope: w.scope, ARN: w.scope.Task("default", "other"), ID: "other", Desired: task.Desired{Status: task.Running}, Observed: task.Observed{Status: task.Running},
		Spec:       task.Spec{ClusterARN: w.home, DefinitionARN: w.scope.TaskDefinition("web", 1), Group: "service:web"},
		Assignment: &task.Assignment{InstanceARN: w.scope.ContainerInstance("default", "a")},
	}
	w.update(func(tx *store.Tx) { store.Tasks.Put(tx, other) })
	w.change("a", func(i *cluster.Instance) { i.Status = cluster.Draining })
	w.rounds(2)
	w.expect(1, "a:1", "a:1", "b:1")
	w.update(func(tx *store.Tx) {
		next := *other
		next.Desired.Status = task.Stopped
		store.Tasks.Put(tx, &next)
	})
	w.step()
	w.expect(1, "a:1", "b:1")
	w.play()
	w.step()
	w.expect(1, "b:1")
}

func TestAFullInstanceWaitsForRoom(t *testing.T) {
	w := newEverywhere(t, "a", "b")
	w.change("b", func(i *cluster.Instance) { i.Used.Memory = 900 })
	w.deploy(1, 0, "")
	w.rounds(3)
	w.expect(2, "a:1")
	said := false
	for e := range store.ServiceEvents.Prefix(w.store.View(), store.ServiceEventPrefix(w.key)) {
		said = said || strings.Contains(e.Message, "(container-instance b) has insufficient memory available.")
	}
	if !said {
		t.Error("nothing is said of the instance without room")
	}
	w.change("b", func(i *cluster.Instance) { i.Used.Memory = 0 })
	w.rounds(1)
	w.expect(2, "a:1", "b:1")
}

func TestAnUnhealthyDaemonIsReplacedWhenItHasStopped(t *testing.T) {
	w := newEverywhere(t, "a")
	w.deploy(1, 0, "")
	w.rounds(3)
	w.update(func(tx *store.Tx) {
		for x := range store.Tasks.All(w.store.View()) {
			next := *x
			next.Observed.Containers = []task.Container{{Name: "main", Health: task.Unhealthy}}
			store.Tasks.Put(tx, &next)
		}
	})
	w.step()
	w.step()
	w.expect(1)
	w.play()
	w.rounds(2)
	w.expect(1, "a:1")
}
