package daemon_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	domain "github.com/berthhq/berth/domain/daemon"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/daemon"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	home  = scope.Cluster("default")
	key   = scope.Daemon("default", "watch")
)

// world is a cluster with a daemon. Its clock moves by ten seconds a step, so that
// what runs has proven itself at the next.
type world struct {
	*testing.T
	store   *store.Leader
	control *control.Control
	now     time.Time
	ids     int
}

func newWorld(t *testing.T, machines ...string) *world {
	w := &world{T: t, store: memory.Open(), now: began}
	w.control = control.New(w.store, []plan.Planner{daemon.Planner(daemon.Options{NewID: w.id})}, nil)
	for _, name := range machines {
		w.machine(name, "metal")
	}
	return w
}

func (w *world) id() string { w.ids++; return fmt.Sprintf("%016x%016x", w.ids, w.ids) }

func (w *world) update(fn func(*store.Tx)) {
	w.Helper()
	if _, err := w.store.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		w.Fatal(err)
	}
}

func (w *world) machine(name, provider string) {
	w.update(func(tx *store.Tx) {
		store.Instances.Put(tx, &cluster.Instance{
			Scope: scope, ARN: scope.ContainerInstance("default", name), ID: name, ClusterARN: home, Status: cluster.InstanceActive, Connected: true,
			OffersEC2: true, CapacityProvider: provider, Registered: cluster.Resources{CPU: 1024, Memory: 1024}, RegisteredAt: w.now,
		})
	})
}

func (w *world) change(name string, fn func(*cluster.Instance)) {
	w.update(func(tx *store.Tx) {
		have, _ := store.Instances.Get(tx, scope.ContainerInstance("default", name))
		next := *have
		fn(&next)
		store.Instances.Put(tx, &next)
	})
}

// deploy makes the daemon run another revision.
func (w *world) deploy(revision int, c domain.Configuration, providers ...string) string {
	if providers == nil {
		providers = []string{"metal"}
	}
	deployment := scope.DaemonDeployment("default", "watch", fmt.Sprint("d", revision))
	w.update(func(tx *store.Tx) {
		def := &workload.Definition{
			Scope: scope, ARN: scope.DaemonTaskDefinition("watch", revision), Family: "watch", Revision: revision, Daemon: true,
			Containers: []workload.Container{{Name: "main", Image: "watch", Essential: true, Memory: new(100)}},
		}
		store.TaskDefinitions.Put(tx, def)
		next := domain.Daemon{Scope: scope, ARN: key, Name: "watch", ClusterARN: home, Status: domain.Active}
		if have, ok := store.Daemons.Get(tx, key); ok {
			next = *have
		}
		r := &domain.Revision{
			Scope: scope, ARN: scope.DaemonRevision("default", "watch", fmt.Sprint(revision)), DaemonARN: key, ClusterARN: home,
			Spec: domain.Spec{DefinitionARN: def.ARN, Providers: providers, Critical: true},
		}
		store.DaemonRevisions.Put(tx, r)
		store.DaemonDeployments.Put(tx, next.Begin(r, deployment, c, w.now))
		next.Version++
		store.Daemons.Put(tx, &next)
	})
	return deployment
}

func (w *world) step() {
	w.Helper()
	if _, err := w.control.Step(context.Background(), w.now); err != nil {
		w.Fatal(err)
	}
	w.now = w.now.Add(10 * time.Second)
}

// live lists the tasks that are not to stop, as INSTANCE:REVISION.
func (w *world) live() []string {
	var out []string
	for t := range store.Tasks.All(w.store.View()) {
		if t.DesiredStatus() == task.Running {
			_, revision, _ := strings.Cut(t.Spec.DefinitionARN, "watch:")
			out = append(out, w.place(t)+":"+revision)
		}
	}
	slices.Sort(out)
	return out
}

func (w *world) place(t *task.Task) string {
	return t.Assignment.InstanceARN[strings.LastIndexByte(t.Assignment.InstanceARN, '/')+1:]
}

// play is what agents do: what is to run runs, what is to stop has stopped. bad
// revisions end at once.
func (w *world) play(bad ...string) {
	w.update(func(tx *store.Tx) {
		for t := range store.Tasks.All(w.store.View()) {
			next := *t
			switch {
			case t.LastStatus() == task.Stopped:
				continue
			case t.Desired.Status == task.Stopped:
				next.Observed.Status, next.Observed.StoppedAt = task.Stopped, w.now
				next = *placement.Release(tx, &next)
			case slices.Contains(bad, t.Spec.DefinitionARN[strings.LastIndexByte(t.Spec.DefinitionARN, ':')+1:]):
				next.Observed = task.Observed{Status: task.Stopped, StoppedAt: w.now, StopCode: task.StopEssentialContainerExited}
				next = *placement.Release(tx, &next)
			case t.Observed.Status != task.Running:
				next.Observed.Status, next.Observed.StartedAt = task.Running, w.now
				next.Observed.Containers = []task.Container{{Name: "main", ImageDigest: "sha256:1"}}
			}
			store.Tasks.Put(tx, &next)
		}
	})
}

func (w *world) rounds(n int, bad ...string) {
	w.Helper()
	for range n {
		w.step()
		w.play(bad...)
	}
}

func (w *world) deployment(key string) *domain.Deployment {
	d, _ := store.DaemonDeployments.Get(w.store.View(), key)
	return d
}

func (w *world) expect(want ...string) {
	w.Helper()
	if got := w.live(); !slices.Equal(got, want) {
		w.Errorf("live: %v, want %v", got, want)
	}
}

func TestEachInstanceOfTheProvidersHasOne(t *testing.T) {
	w := newWorld(t, "a", "b")
	w.machine("other", "wood")
	first := w.deploy(1, domain.Configuration{})
	w.rounds(3)
	w.expect("a:1", "b:1")
	if d := w.deployment(first); d.Status != service.Successful || d.Threshold != 3 || d.Breaker != service.MonitorComplete || d.FinishedAt.IsZero() {
		t.Errorf("%+v", d)
	}
	w.machine("c", "metal")
	w.rounds(1)
	w.expect("a:1", "b:1", "c:1")
	for x := range store.Tasks.All(w.store.View()) {
		if x.Spec.Group != "daemon:watch" || x.Spec.StartedBy != "ecs-daemon/1" || x.Spec.CapacityProvider != "metal" || x.LastStatus() != task.Running {
			t.Errorf("%+v", x.Spec)
		}
		if w.place(x) == "c" && (len(x.Spec.Digests) != 1 || x.Spec.Digests[0].Digest != "sha256:1") {
			t.Errorf("the later task does not run the revision's image: %+v", x.Spec.Digests)
		}
	}
	w.deploy(2, domain.Configuration{}, "wood")
	w.rounds(3)
	w.expect("other:2")
}

func TestAnUpdateGoesStepByStep(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d")
	w.deploy(1, domain.Configuration{})
	w.rounds(3)
	half := 50.0
	second := w.deploy(2, domain.Configuration{DrainPercent: &half, BakeMinutes: new(1)})
	// Nothing is replaced before a minute has shown that all is well.
	w.rounds(6)
	w.expect("a:1", "b:1", "c:1", "d:1")
	w.rounds(1)
	w.expect("c:1", "d:1")
	w.rounds(1)
	w.expect("a:2", "b:2", "c:1", "d:1")
	w.rounds(7)
	w.expect("a:2", "b:2", "c:1", "d:1")
	w.rounds(4)
	w.expect("a:2", "b:2", "c:2", "d:2")
	if d := w.deployment(second); d.Status != service.RolloutInProgress {
		t.Errorf("%s before the last step is baked", d.Status)
	}
	w.rounds(8)
	if d := w.deployment(second); d.Status != service.Successful {
		t.Errorf("%+v", d)
	}
}

func TestABrokenRevisionIsRolledBack(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.deploy(1, domain.Configuration{})
	w.rounds(3)
	second := w.deploy(2, domain.Configuration{})
	w.rounds(20, "2")
	w.expect("a:1", "b:1", "c:1")
	d := w.deployment(second)
	if d.Status != service.RollbackSuccessful || d.Breaker != service.MonitorTriggered || d.Back == nil || d.Back.Target != scope.DaemonRevision("default", "watch", "1") {
		t.Errorf("%+v %+v", d, d.Back)
	}
	if have, _ := store.Daemons.Get(w.store.View(), key); have.Spec.DefinitionARN != scope.DaemonTaskDefinition("watch", 1) || have.Good != d.Back.Target {
		t.Errorf("%+v", have)
	}
}

func TestABrokenFirstRevisionStopsItsDeployment(t *testing.T) {
	w := newWorld(t, "a")
	first := w.deploy(1, domain.Configuration{})
	w.rounds(12, "1")
	d := w.deployment(first)
	if d.Status != service.Stopped || !strings.HasSuffix(d.Reason, "There is no earlier revision to roll back to.") || d.Failures != 3 {
		t.Errorf("%+v", d)
	}
	w.step()
	w.now = w.now.Add(time.Hour)
	w.rounds(1)
	w.expect("a:1") // still tried, ever more rarely
}

func TestAnAlarmTurnsADeploymentBack(t *testing.T) {
	w := newWorld(t, "a", "b")
	w.deploy(1, domain.Configuration{})
	w.rounds(3)
	second := w.deploy(2, domain.Configuration{BakeMinutes: new(2), Alarms: &domain.Alarms{Names: []string{"hot"}, Enable: true}})
	w.rounds(14)
	w.expect("a:2", "b:1")
	w.update(func(tx *store.Tx) {
		store.Alarms.Put(tx, &alarm.Alarm{Scope: scope, Name: "hot", State: alarm.InAlarm})
	})
	w.rounds(1)
	d := w.deployment(second)
	if d.Status != service.RollbackInProgress || d.AlarmStatus != service.MonitorTriggered || !slices.Equal(d.Triggered, []string{"hot"}) {
		t.Errorf("%+v", d)
	}
	w.rounds(40)
	w.expect("a:1", "b:1")
	if d := w.deployment(second); d.Status != service.RollbackSuccessful {
		t.Errorf("%+v", d)
	}
}

// other puts a task of somebody else on a machine.
func (w *world) other(machine string) string {
	id := w.id()
	x := &task.Task{
		Scope: scope, ARN: scope.Task("default", id), ID: id, Desired: task.Desired{Status: task.Running}, Observed: task.Observed{Status: task.Running},
		Spec:       task.Spec{ClusterARN: home, DefinitionARN: scope.TaskDefinition("web", 1), Group: "family:web"},
		Assignment: &task.Assignment{InstanceARN: scope.ContainerInstance("default", machine)},
	}
	w.update(func(tx *store.Tx) { store.Tasks.Put(tx, x) })
	return x.ARN
}

func TestADrainedInstanceLosesItsDaemonLast(t *testing.T) {
	w := newWorld(t, "a", "b")
	w.deploy(1, domain.Configuration{})
	w.rounds(3)
	work := w.other("a")
	w.change("a", func(i *cluster.Instance) { i.Status = cluster.Draining })
	w.rounds(2)
	w.expect("a:", "a:1", "b:1")
	w.update(func(tx *store.Tx) {
		have, _ := store.Tasks.Get(tx, work)
		next := *have
		next.Desired.Status = task.Stopped
		store.Tasks.Put(tx, &next)
	})
	w.step()
	w.expect("a:1", "b:1")
	w.play()
	w.step()
	w.expect("b:1")
	w.change("a", func(i *cluster.Instance) { i.Status = cluster.InstanceActive })
	w.rounds(2)
	w.expect("a:1", "b:1")
}

func TestOtherTasksComeAfterTheDaemon(t *testing.T) {
	w := newWorld(t, "a")
	w.machine("free", "wood")
	w.deploy(1, domain.Configuration{})
	takes := func(machine string) bool {
		b := placement.ClusterBoard(w.store.View(), home)
		at, refusal, err := b.On(b.Index(scope.ContainerInstance("default", machine)), &placement.Request{})
		if err != nil || (at == nil) != (refusal != nil) {
			t.Fatal(at, refusal, err)
		}
		if refusal != nil && refusal.Reason != "DAEMON" {
			t.Errorf("%+v", refusal)
		}
		return at != nil
	}
	w.step()
	if takes("a") || !takes("free") {
		t.Error("a task may come before the daemon runs, or waits where none is to run")
	}
	w.play()
	if !takes("a") {
		t.Error("the daemon runs, and other tasks still wait")
	}
}

func TestADeletedDaemonLeavesNothing(t *testing.T) {
	w := newWorld(t, "a", "b")
	w.deploy(1, domain.Configuration{})
	w.rounds(3)
	w.update(func(tx *store.Tx) {
		have, _ := store.Daemons.Get(tx, key)
		next := *have
		store.DaemonDeployments.Put(tx, next.Delete(scope.DaemonDeployment("default", "watch", "gone"), w.now))
		next.Version++
		store.Daemons.Put(tx, &next)
	})
	w.step()
	w.expect()
	if d := w.deployment(scope.DaemonDeployment("default", "watch", "gone")); d.Status != service.RolloutInProgress {
		t.Errorf("%+v", d)
	}
	w.play()
	w.step()
	v := w.store.View()
	if store.Daemons.Len(v)+store.DaemonRevisions.Len(v)+store.DaemonDeployments.Len(v) != 0 {
		t.Error("records are left")
	}
}

func TestAFullInstanceGetsItsDaemonWhenThereIsRoom(t *testing.T) {
	w := newWorld(t, "a")
	w.change("a", func(i *cluster.Instance) { i.Used.Memory = 1000 })
	first := w.deploy(1, domain.Configuration{})
	w.rounds(2)
	w.expect()
	if d := w.deployment(first); d.Status != service.RolloutInProgress {
		t.Errorf("%+v", d)
	}
	w.change("a", func(i *cluster.Instance) { i.Used.Memory = 0 })
	w.rounds(1)
	w.expect("a:1")
}
