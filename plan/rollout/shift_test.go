package rollout_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

func minutes(n int) *int { return &n }

func pauseAt(stages ...service.Stage) service.Configuration {
	return service.Configuration{Strategy: service.BlueGreen, Hooks: []service.Hook{{Type: service.HookPause, Stages: stages}}}
}

// TestBlueGreen goes from one revision to the next: blue is whole all the time, and
// traffic moves once green is.
func TestBlueGreen(t *testing.T) {
	w := play(t, service.Configuration{Strategy: service.BlueGreen, BakeMinutes: minutes(5)}, 2)
	w.settle()
	w.is("SUCCESSFUL CLEAN_UP, one 2/2 100/100")
	w.deploy("two")
	if s := w.service(); s.Deployments[0].Want != 0 {
		t.Error("green is scaled up before its stage")
	}
	seen := w.settle()
	w.is("IN_PROGRESS BAKE_TIME, two 2/2 100/100, one 2/2 0/0")
	before := strings.Join(seen, "\n")
	for _, step := range []string{
		"IN_PROGRESS PRE_SCALE_UP, two 0/0 0/0, one 2/2 100/100",
		"IN_PROGRESS POST_SCALE_UP, two 2/2 0/0, one 2/2 100/100",
		"IN_PROGRESS TEST_TRAFFIC_SHIFT, two 2/2 0/100, one 2/2 100/0",
		"IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT, two 2/2 100/100, one 2/2 0/0",
	} {
		if !strings.Contains(before, step) {
			t.Errorf("never seen: %s\n%s", step, before)
		}
	}
	w.pass(5*time.Minute - 1)
	w.is("IN_PROGRESS BAKE_TIME, two 2/2 100/100, one 2/2 0/0")
	w.pass(1)
	w.is("SUCCESSFUL CLEAN_UP, two 2/2 100/100")
	for _, line := range []string{"(service web) (deployment ecs-svc/two) deployment completed.", "(service web) has reached a steady state."} {
		if !w.said(line) {
			t.Error("not said:", line)
		}
	}
	if s := w.service(); s.Good.DeploymentID != "ecs-svc/two" || s.Rollout != "" {
		t.Errorf("%+v", s)
	}
}

func TestLinearAndCanary(t *testing.T) {
	for _, c := range []struct {
		of   service.Configuration
		want []string
	}{
		{service.Configuration{Strategy: service.Linear, Linear: &service.Shift{Percent: 50, BakeMinutes: 1}}, []string{"two 1/1 50/100, one 1/1 50/0", "two 1/1 100/100"}},
		{service.Configuration{Strategy: service.Canary, Canary: &service.Shift{Percent: 5, BakeMinutes: 1}}, []string{"two 1/1 5/100, one 1/1 95/0", "two 1/1 100/100"}},
	} {
		w := play(t, c.of, 1)
		w.settle()
		w.is("SUCCESSFUL CLEAN_UP, one 1/1 100/100")
		w.deploy("two")
		w.settle()
		w.is("IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT, " + c.want[0])
		w.pass(time.Minute - 1)
		w.is("IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT, " + c.want[0])
		w.pass(1)
		w.is("SUCCESSFUL CLEAN_UP, " + c.want[1])
	}
}

// TestScalingScalesBoth scales a service in the middle of a rollout.
func TestScalingScalesBoth(t *testing.T) {
	w := play(t, pauseAt(service.PostTestTrafficShift), 1)
	w.settle()
	w.answer("one", service.HookSucceeded)
	w.settle()
	w.deploy("two")
	w.settle()
	for _, n := range []int{3, 1, 0} {
		w.change(func(_ *store.Tx, s *service.Service) { s.Spec.Desired = n })
		w.settle()
		count := string(rune('0' + n))
		w.is("IN_PROGRESS POST_TEST_TRAFFIC_SHIFT, two " + count + "/" + count + " 0/100, one " + count + "/" + count + " 100/0")
	}
}

// TestRollbackAtEachStage asks to roll back wherever a person can be waited for.
func TestRollbackAtEachStage(t *testing.T) {
	for _, at := range []service.Stage{service.PreScaleUp, service.PostScaleUp, service.PostTestTrafficShift, service.PreProductionShift, service.PostProductionShift} {
		for name, how := range map[string]func(*stage){
			"asked":   func(w *stage) { w.edit("two", func(r *service.Rollout) { r.Status = service.RollbackRequested }) },
			"refused": func(w *stage) { w.answer("two", service.HookFailed) },
			"late":    func(w *stage) { w.now = w.now.Add(24 * time.Hour) },
		} {
			t.Run(string(at)+"/"+name, func(t *testing.T) {
				w := play(t, pauseAt(at), 2)
				w.settle()
				w.answer("one", service.HookSucceeded)
				w.settle()
				w.deploy("two")
				w.settle()
				if r := w.rollout("two"); r.Stage != at || len(r.Hooks) != 1 || r.Hooks[0].Status != service.HookAwaiting {
					t.Fatalf("%+v", r)
				}
				how(w)
				seen := w.settle()
				first := seen[slices.IndexFunc(seen, func(s string) bool { return strings.HasPrefix(s, "ROLLBACK_") })]
				if !strings.Contains(first, "one 2/2 100/100") {
					t.Errorf("blue has not all traffic at once: %s", first)
				}
				w.is("ROLLBACK_SUCCESSFUL CLEAN_UP, one 2/2 100/100")
				if r := w.rollout("two"); r.BackTo != "revision/one" || r.BackReason == "" {
					t.Errorf("%+v", r)
				}
				if s := w.service(); s.Spec.Template.DefinitionARN != "one" || !w.said("(service web) rolling back to deployment ecs-svc/one.") {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

// TestTheFirstHasNothingToGoBackTo rolls back the first deployment of a service.
func TestTheFirstHasNothingToGoBackTo(t *testing.T) {
	w := play(t, pauseAt(service.PostScaleUp), 1)
	w.settle()
	w.is("IN_PROGRESS POST_SCALE_UP, one 1/1 0/0")
	w.answer("one", service.HookFailed)
	w.settle()
	w.is("ROLLBACK_FAILED POST_SCALE_UP, one 1/1 0/0")
}

// TestTasksThatFailToStartRollBack needs no circuit breaker.
func TestTasksThatFailToStartRollBack(t *testing.T) {
	w := play(t, service.Configuration{Strategy: service.BlueGreen}, 2)
	w.settle()
	w.broken["two"] = true
	w.deploy("two")
	for range 10 {
		w.pass(10 * time.Second)
	}
	w.is("ROLLBACK_SUCCESSFUL CLEAN_UP, one 2/2 100/100")
	if !w.said("(service web) (deployment ecs-svc/two) deployment failed: tasks failed to start.") {
		t.Error("not said")
	}
}

// TestStageTimesOut gives up a green that never comes up.
func TestStageTimesOut(t *testing.T) {
	w := play(t, service.Configuration{Strategy: service.BlueGreen, Breaker: &service.Breaker{Enable: true, Rollback: true, Threshold: &service.Threshold{Type: service.ThresholdCount, Value: 10000}}}, 1)
	w.settle()
	w.broken["two"] = true
	w.deploy("two")
	w.settle()
	w.pass(24*time.Hour - 1)
	if got := w.rollout("two").Status; got != service.RolloutInProgress {
		t.Error("given up too early:", got)
	}
	w.pass(1)
	w.is("ROLLBACK_SUCCESSFUL CLEAN_UP, one 1/1 100/100")
}

// TestUpdateDuringARollout begins another rollout while one is under way: the
// revision that serves stays, the one that was on its way goes first.
func TestUpdateDuringARollout(t *testing.T) {
	for _, c := range []struct {
		at   service.Stage
		blue string
	}{{service.PostTestTrafficShift, "one"}, {service.PostProductionShift, "two"}} {
		w := play(t, pauseAt(c.at), 1)
		w.settle()
		w.answer("one", service.HookSucceeded)
		w.settle()
		w.deploy("two")
		w.settle()
		w.deploy("three")
		seen := w.settle()
		if !strings.Contains(seen[0], "IN_PROGRESS RECONCILE_SERVICE, three 0/0 0/0") || !strings.Contains(seen[0], c.blue+" 1/1 100/100") {
			t.Error(seen[0])
		}
		if r := w.rollout("two"); r.Status != service.Stopped || len(r.Hooks) != 0 {
			t.Errorf("%+v", r)
		}
		w.answer("three", service.HookFailed)
		w.settle()
		w.is("ROLLBACK_SUCCESSFUL CLEAN_UP, " + c.blue + " 1/1 100/100")
	}
}

// TestStopWithoutRollback leaves both as they are.
func TestStopWithoutRollback(t *testing.T) {
	w := play(t, pauseAt(service.PostTestTrafficShift), 1)
	w.settle()
	w.answer("one", service.HookSucceeded)
	w.settle()
	w.deploy("two")
	w.settle()
	w.edit("two", func(r *service.Rollout) { r.Status = service.StopRequested })
	w.settle()
	w.is("STOPPED POST_TEST_TRAFFIC_SHIFT, two 1/1 0/100, one 1/1 100/0")
	w.deploy("three")
	w.settle()
	w.answer("three", service.HookSucceeded)
	w.settle()
	w.is("SUCCESSFUL CLEAN_UP, three 1/1 100/100")
}

// TestFromRollingToBlueGreen changes the strategy with a deployment.
func TestFromRollingToBlueGreen(t *testing.T) {
	w := play(t, service.Configuration{Strategy: service.Rolling}, 1)
	w.settle()
	w.change(func(_ *store.Tx, s *service.Service) {
		s.Spec.Configuration = pauseAt(service.PostScaleUp)
		s.Spec.Configuration.MaximumPercent = 200
	})
	w.deploy("two")
	w.settle()
	w.is("IN_PROGRESS POST_SCALE_UP, two 1/1 0/0, one 1/1 100/100")
	w.answer("two", service.HookSucceeded)
	w.settle()
	w.is("SUCCESSFUL CLEAN_UP, two 1/1 100/100")
}

// TestRollbackWhileBlueIsGoing brings blue up again before it gets traffic.
func TestRollbackWhileBlueIsGoing(t *testing.T) {
	w := play(t, service.Configuration{Strategy: service.BlueGreen, BakeMinutes: minutes(1)}, 2)
	w.settle()
	w.deploy("two")
	w.settle()
	w.now = w.now.Add(time.Minute)
	if _, err := w.loop.Step(t.Context(), w.now); err != nil {
		t.Fatal(err)
	}
	w.is("IN_PROGRESS CLEAN_UP, two 2/2 100/100, one 0/0 0/0")
	w.edit("two", func(r *service.Rollout) { r.Status = service.RollbackRequested })
	for i, line := range w.settle() {
		served := strings.Contains(line, "one 2/2 100/100") || strings.Contains(line, "two 2/2 100/100")
		if !served || i == 0 && line != "ROLLBACK_IN_PROGRESS SCALE_UP, one 0/2 0/0, two 2/2 100/100" {
			t.Error(line)
		}
	}
	w.is("ROLLBACK_SUCCESSFUL CLEAN_UP, one 2/2 100/100")
}
