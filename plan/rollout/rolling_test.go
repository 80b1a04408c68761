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

// wait lets so much time pass, second by second.
func (w *stage) wait(d time.Duration) {
	w.t.Helper()
	for end := w.now.Add(d); w.now.Before(end); {
		w.pass(time.Second)
	}
}

// tasks are all there ever were, in order of making.
func (w *stage) tasks() []*task.Task {
	all := slices.Collect(store.Tasks.All(w.s.View()))
	slices.SortFunc(all, func(a, b *task.Task) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return all
}

// failures is how many tasks of a deployment failed to start.
func (w *stage) failures(name string) (n int) {
	for _, t := range w.tasks() {
		if t.Spec.StartedBy == "ecs-svc/"+name && t.StopCode() == task.StopTaskFailedToStart {
			n++
		}
	}
	return n
}

// times is how often the event log has a line.
func (w *stage) times(line string) (n int) {
	for e := range store.ServiceEvents.Prefix(w.s.View(), store.ServiceEventPrefix(w.arn())) {
		if e.Message == line {
			n++
		}
	}
	return n
}

// put writes a changed copy of a task.
func (w *stage) put(t *task.Task, fn func(*task.Task)) {
	w.t.Helper()
	next := *t
	fn(&next)
	w.update(func(tx *store.Tx) { store.Tasks.Put(tx, &next) })
}

func TestBreakerOpensAtItsThreshold(t *testing.T) {
	for _, c := range []struct {
		name      string
		threshold *service.Threshold
		desired   int
		failures  int
	}{
		{"by default at half, but no less than three", nil, 1, 3},
		{"a count", &service.Threshold{Type: service.ThresholdCount, Value: 2}, 1, 2},
		{"a large count", &service.Threshold{Type: service.ThresholdCount, Value: 5}, 1, 5},
		{"a bounded percentage below the bound", &service.Threshold{Type: service.ThresholdBounded, Value: 1}, 1, 3},
		{"an unbounded percentage", &service.Threshold{Type: service.ThresholdUnbounded, Value: 1}, 1, 1},
		{"of two tasks, both must fail twice", &service.Threshold{Type: service.ThresholdCount, Value: 4}, 2, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := play(t, service.Configuration{Breaker: &service.Breaker{Enable: true, Threshold: c.threshold}}, c.desired)
			w.broken["one"] = true
			w.settle()
			w.wait(2 * time.Minute)
			if n := w.failures("one"); n != c.failures {
				t.Errorf("opened after %d failures, want %d", n, c.failures)
			}
			if r, d := w.rollout("one"), w.service().Primary(); r.Status != service.Stopped || r.Breaker != service.MonitorTriggered || d.State != service.Failed {
				t.Errorf("rollout %s, breaker %s, deployment %s", r.Status, r.Breaker, d.State)
			}
		})
	}
}

// Tasks that get no role fail the deployment, and the event log says why, once.
func TestTasksWithoutTheirRoleAreToldOf(t *testing.T) {
	w := play(t, service.Configuration{Breaker: &service.Breaker{Enable: true}}, 1)
	w.broken["one"], w.reason = true, task.RoleRefused("arn:aws:iam::123456789012:role/gone")
	w.settle()
	w.wait(time.Minute)
	if n := w.times("(service web) failed to launch a task with (error " + w.reason + ")."); n != 1 {
		t.Errorf("said %d times", n)
	}
	if d := w.service().Primary(); d.State != service.Failed {
		t.Errorf("the deployment is %s", d.State)
	}
}

func TestAHealthyTaskResetsTheBreakerUnlessItKeepsCount(t *testing.T) {
	for _, keeps := range []bool{false, true} {
		w := play(t, service.Configuration{Breaker: &service.Breaker{Enable: true, KeepCount: keeps, Threshold: &service.Threshold{Type: service.ThresholdCount, Value: 9}}}, 1)
		w.broken["one"] = true
		w.settle()
		w.pass(time.Second)
		if n := w.service().Primary().Failed; n != 2 {
			t.Fatal(n, "failures")
		}
		w.broken["one"] = false
		w.wait(5 * time.Second)
		if n, want := w.service().Primary().Failed, map[bool]int{false: 0, true: 2}[keeps]; n != want {
			t.Errorf("keeps count %v: %d failures left, want %d", keeps, n, want)
		}
	}
}

func TestPausesGrowAndEnd(t *testing.T) {
	w := play(t, service.Configuration{}, 1)
	w.broken["one"] = true
	w.settle()
	want := time.Second
	for range 14 {
		d := w.service().Primary()
		if d.Pause != want || !d.RetryAt.Equal(w.now.Add(want)) {
			t.Fatalf("after %d failures a pause of %v until %v, want %v", d.Failed, d.Pause, d.RetryAt.Sub(w.now), want)
		}
		made := len(w.tasks())
		w.pass(want - 1)
		if len(w.tasks()) != made {
			t.Fatalf("a task was started before the pause of %v was over", want)
		}
		w.pass(1)
		if len(w.tasks()) != made+1 {
			t.Fatalf("no task was started after the pause of %v", want)
		}
		want = min(2*want, 27*time.Minute)
	}
	impaired := "(service web) is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
	if n := w.times(impaired); n != 1 {
		t.Errorf("said %d times that it is impaired", n)
	}
	w.broken["one"] = false
	w.pass(27 * time.Minute)
	w.pass(time.Second)
	if d := w.service().Primary(); d.Pause != 0 || !d.RetryAt.IsZero() || d.State != service.Completed {
		t.Errorf("%+v", d)
	}
	w.broken["one"] = true
	w.put(w.tasks()[len(w.tasks())-1], func(t *task.Task) {
		t.Observed.Status, t.Observed.StopCode = task.Stopped, task.StopEssentialContainerExited
	})
	if w.settle(); w.service().Primary().Pause > time.Second {
		t.Errorf("the pauses do not begin anew: %v", w.service().Primary().Pause)
	}
}

func TestARollbackGoesToTheLastCompletedDeployment(t *testing.T) {
	for _, c := range []struct {
		name   string
		broken []string
		back   string
	}{
		{"the one before", []string{"three"}, "two"},
		{"not one that has failed itself", []string{"two", "three"}, "one"},
	} {
		w := play(t, service.Configuration{Breaker: &service.Breaker{Enable: true, Rollback: true}}, 2)
		for _, name := range c.broken {
			w.broken[name] = true
		}
		w.settle()
		for _, name := range []string{"two", "three"} {
			w.deploy(name)
			w.settle()
			w.wait(time.Minute)
		}
		if r := w.rollout("three"); r.Status != service.RollbackSuccessful || r.BackTo != "revision/"+c.back || r.Target != "revision/three" {
			t.Errorf("%s: %s, back to %s of %s", c.name, r.Status, r.BackTo, r.Target)
		}
		if !w.said("(service web) rolling back to deployment ecs-svc/" + c.back + ".") {
			t.Errorf("%s: not said", c.name)
		}
		if s := w.service(); s.Primary().ID != "ecs-svc/"+c.back || s.Primary().State != service.Completed || s.Spec.Template.DefinitionARN != c.back || len(s.Deployments) != 1 {
			t.Errorf("%s: %+v", c.name, s.Deployments)
		}
	}
}

func TestANewRolloutTakesThePlaceOfOneUnderWay(t *testing.T) {
	w := play(t, service.Configuration{}, 3)
	w.settle()
	w.broken["two"] = true
	w.deploy("two")
	w.settle()
	w.deploy("three")
	w.settle()
	w.is("SUCCESSFUL, three 3/3 0/0")
	r := w.rollout("two")
	if r.Status != service.Stopped || r.Reason != "Service deployment stopped because a new service deployment was started." || r.FinishedAt.IsZero() {
		t.Errorf("%s %q", r.Status, r.Reason)
	}
	if three := w.rollout("three"); len(three.Sources) != 2 {
		t.Errorf("three began with %v", three.Sources)
	}
}

func TestStopsOfARollout(t *testing.T) {
	for _, c := range []struct {
		asked, ended service.RolloutStatus
		is           string
	}{
		{service.StopRequested, service.Stopped, "STOPPED, two 0/2 0/0, one 2/2 0/0"},
		{service.RollbackRequested, service.RollbackSuccessful, "ROLLBACK_SUCCESSFUL, one 2/2 0/0"},
	} {
		w := play(t, service.Configuration{}, 2)
		w.settle()
		w.broken["two"] = true
		w.deploy("two")
		w.settle()
		w.edit("two", func(r *service.Rollout) { r.Status = c.asked })
		w.settle()
		w.is(c.is)
		made := len(w.tasks())
		w.wait(time.Minute)
		if r := w.rollout("two"); r.Status != c.ended || len(w.tasks()) != made {
			t.Errorf("%s: %s, and %d tasks more", c.asked, r.Status, len(w.tasks())-made)
		}
		if !w.said("(service web) (deployment ecs-svc/two) deployment failed: deployment stopped by user.") {
			t.Errorf("%s: not said", c.asked)
		}
	}
}

func TestEarlySuccess(t *testing.T) {
	half := 50
	for _, c := range []struct {
		cleanup string
		early   bool
	}{{"DEFERRED", true}, {"BLOCKING", false}} {
		w := play(t, service.Configuration{MaximumPercent: 100, MinimumPercent: 50, EarlySuccess: &service.EarlySuccess{Enable: true, HealthyPercent: &half, Cleanup: c.cleanup}}, 4)
		w.settle()
		w.deploy("two")
		early := slices.ContainsFunc(w.settle(), func(line string) bool {
			return slices.Contains([]string{"SUCCESSFUL, two 2/4 0/0, one 2/2 0/0", "SUCCESSFUL, two 2/4 0/0, one 0/2 0/0", "SUCCESSFUL, two 2/4 0/0, one 2/4 0/0"}, line)
		})
		if early != c.early {
			t.Errorf("%s: early %v", c.cleanup, early)
		}
		w.is("SUCCESSFUL, two 4/4 0/0")
	}
}

func TestProtectedTasksStay(t *testing.T) {
	w := play(t, service.Configuration{}, 2)
	w.settle()
	until := w.now.Add(10 * time.Minute)
	for _, x := range w.tasks() {
		w.put(x, func(t *task.Task) { t.ProtectedUntil = until })
	}
	w.change(func(_ *store.Tx, s *service.Service) { s.Spec.Desired = 0 })
	w.settle()
	w.is("SUCCESSFUL, one 2/0 0/0")
	w.pass(time.Minute)
	if n := w.times("(service web) was unable to scale in due to (reason 2 tasks under protection)"); n != 1 {
		t.Errorf("said %d times", n)
	}
	if again := w.loop.Status()[0].Again; !again.Equal(until) {
		t.Errorf("looks again at %v, protection ends at %v", again, until)
	}
	w.pass(until.Sub(w.now))
	w.is("SUCCESSFUL, one 0/0 0/0")
}

func TestUnhealthyTasksAreReplacedAfterTheGracePeriod(t *testing.T) {
	w := play(t, service.Configuration{}, 1)
	w.update(func(tx *store.Tx) {
		store.TaskDefinitions.Put(tx, &workload.Definition{ARN: "one", Family: "one", Revision: 1, Containers: []workload.Container{
			{Name: "app", Essential: true, HealthCheck: &workload.HealthCheck{Command: []string{"CMD", "true"}}},
		}})
	})
	grace := 60
	w.change(func(_ *store.Tx, s *service.Service) { s.Spec.HealthCheckGrace = &grace })
	w.settle()
	w.is("IN_PROGRESS, one 1/1 0/0") // its health is not known
	first := w.tasks()[0]
	report := func(t *task.Task, h task.Health) {
		w.put(t, func(t *task.Task) {
			t.Observed.Containers = []task.Container{{Name: "app", Status: "RUNNING", Health: h}}
		})
	}
	report(first, task.Unhealthy)
	w.pass(58 * time.Second)
	if n := len(w.tasks()); n != 1 {
		t.Fatalf("%d tasks in the grace period", n)
	}
	w.pass(time.Second) // it started a second before
	if len(w.tasks()) != 2 {
		t.Fatal("it is not replaced")
	}
	for _, x := range w.tasks() {
		if x.ARN != first.ARN {
			report(x, task.Healthy)
		}
	}
	w.settle()
	first, _ = store.Tasks.Get(w.s.View(), first.ARN)
	if first.StoppedReason() != service.ReasonUnhealthy || first.StopCode() != task.StopServiceSchedulerInitiated {
		t.Errorf("stopped by %s: %s", first.StopCode(), first.StoppedReason())
	}
	w.is("SUCCESSFUL, one 1/1 0/0")
}

func TestImagesAreFixedByWhatTheFirstTaskFound(t *testing.T) {
	w := play(t, service.Configuration{}, 1)
	w.settle()
	w.put(w.tasks()[0], func(t *task.Task) {
		t.Observed.Containers = []task.Container{{Name: "app", Status: "RUNNING", ImageDigest: "sha256:1"}}
	})
	w.settle()
	w.change(func(_ *store.Tx, s *service.Service) { s.Spec.Desired = 2 })
	w.pass(time.Second)
	all := w.tasks()
	want := []task.ImageDigest{{Container: "app", Digest: "sha256:1"}}
	if len(all) != 2 || len(all[0].Spec.Digests) != 0 || !slices.Equal(all[1].Spec.Digests, want) {
		t.Errorf("%d tasks, %v and %v", len(all), all[0].Spec.Digests, all[len(all)-1].Spec.Digests)
	}
	w.deploy("two")
	w.pass(time.Second)
	if last := w.tasks()[3]; len(last.Spec.Digests) != 0 {
		t.Errorf("another revision has %v", last.Spec.Digests)
	}
}
