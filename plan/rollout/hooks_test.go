package rollout_test

import (
	"slices"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/service"
)

func lambdaAt(stages ...service.Stage) service.Hook {
	return service.Hook{Type: service.HookLambda, Target: "arn:aws:lambda:us-east-1:000000000000:function:check", Stages: stages}
}

// TestHooksOfAStageRunTogether: a stage goes on until all its hooks are answered.
func TestHooksOfAStageRunTogether(t *testing.T) {
	c := pauseAt(service.PostScaleUp)
	c.Hooks = append(c.Hooks, lambdaAt(service.PostScaleUp, service.PostProductionShift))
	w := play(t, c, 1)
	w.settle()
	r := w.rollout("one")
	if len(r.Hooks) != 2 || r.Hooks[0].Status != service.HookAwaiting || r.Hooks[1].Status != service.HookInProgress || !r.Hooks[1].NextCallAt.Equal(w.now) || r.Hooks[0].ID == r.Hooks[1].ID {
		t.Fatalf("%+v", r.Hooks)
	}
	for i := range r.Hooks {
		if !r.Hooks[i].ExpiresAt.Equal(began.Add(24 * time.Hour)) {
			t.Errorf("%+v", r.Hooks[i])
		}
		w.is("IN_PROGRESS POST_SCALE_UP, one 1/1 0/0")
		w.edit("one", func(r *service.Rollout) { r.Hooks[i].Status = service.HookSucceeded })
		w.settle()
	}
	w.is("IN_PROGRESS POST_PRODUCTION_TRAFFIC_SHIFT, one 1/1 100/100")
	first := r.Hooks[1].ID
	if r = w.rollout("one"); len(r.Hooks) != 1 || r.Hooks[0].ID == first {
		t.Errorf("%+v", r.Hooks)
	}
	w.answer("one", service.HookSucceeded)
	w.settle()
	w.is("SUCCESSFUL CLEAN_UP, one 1/1 100/100")
}

// TestAHookAtEachStep pauses before each share of the traffic, each time anew.
func TestAHookAtEachStep(t *testing.T) {
	c := pauseAt(service.PreProductionShift)
	c.Strategy, c.Linear = service.Linear, &service.Shift{Percent: 40}
	w := play(t, c, 1)
	w.settle()
	w.answer("one", service.HookSucceeded)
	w.settle()
	w.deploy("two")
	w.settle()
	var ids []string
	for _, share := range []string{"0/100, one 1/1 100/0", "40/100, one 1/1 60/0", "80/100, one 1/1 20/0"} {
		w.is("IN_PROGRESS PRE_PRODUCTION_TRAFFIC_SHIFT, two 1/1 " + share)
		ids = append(ids, w.rollout("two").Hooks[0].ID)
		w.answer("two", service.HookSucceeded)
		w.settle()
	}
	w.is("SUCCESSFUL CLEAN_UP, two 1/1 100/100")
	if slices.Sort(ids); len(slices.Compact(ids)) != 3 {
		t.Error(ids)
	}
}

// TestATimeoutMayContinue goes on when nobody has answered.
func TestATimeoutMayContinue(t *testing.T) {
	c := pauseAt(service.PreScaleUp)
	c.Hooks[0].TimeoutMinutes, c.Hooks[0].TimeoutAction = 10, service.Continue
	w := play(t, c, 1)
	w.settle()
	w.pass(10*time.Minute - 1)
	w.is("IN_PROGRESS PRE_SCALE_UP, one 0/0 0/0")
	before := w.rollout("one")
	w.now = w.now.Add(1)
	if _, err := w.loop.Step(t.Context(), w.now); err != nil {
		t.Fatal(err)
	}
	if r := w.rollout("one"); r.Hooks[0].Status != service.HookTimedOut || r.Stage != service.PreScaleUp {
		t.Errorf("nobody sees that the hook has expired: %+v", r)
	}
	if before.Hooks[0].Status != service.HookAwaiting {
		t.Error("a record in the store was changed")
	}
	w.settle()
	w.is("SUCCESSFUL CLEAN_UP, one 1/1 100/100")
}

// TestHooksOfARollback: functions are called again where traffic is given back; that
// they fail keeps nobody from going back.
func TestHooksOfARollback(t *testing.T) {
	c := pauseAt(service.PostProductionShift)
	c.Hooks = append(c.Hooks, lambdaAt(service.ProductionShift, service.TestTrafficShift))
	w := play(t, c, 1)
	for range 3 {
		w.settle()
		w.answer("one", service.HookSucceeded)
	}
	w.settle()
	w.is("SUCCESSFUL CLEAN_UP, one 1/1 100/100")
	w.deploy("two")
	for _, at := range []service.Stage{service.TestTrafficShift, service.ProductionShift} {
		w.settle()
		if r := w.rollout("two"); r.Stage != at || len(r.Hooks) != 1 {
			t.Fatalf("%+v", r)
		}
		w.answer("two", service.HookSucceeded)
	}
	w.settle()
	w.answer("two", service.HookFailed)
	for _, want := range []string{"PRODUCTION_TRAFFIC_SHIFT", "TEST_TRAFFIC_SHIFT"} {
		w.settle()
		w.is("ROLLBACK_IN_PROGRESS " + want + ", one 1/1 100/100, two 1/1 0/0")
		if r := w.rollout("two"); len(r.Hooks) != 1 || r.Hooks[0].Status != service.HookInProgress {
			t.Errorf("%+v", r.Hooks)
		}
		w.answer("two", service.HookFailed)
	}
	w.settle()
	w.is("ROLLBACK_SUCCESSFUL CLEAN_UP, one 1/1 100/100")
}

// TestHooksOfARollingDeployment pauses before the first task and after the last.
func TestHooksOfARollingDeployment(t *testing.T) {
	c := pauseAt(service.PreScaleUp, service.PostScaleUp)
	c.Strategy = service.Rolling
	w := play(t, c, 2)
	for range 2 {
		w.settle()
		w.answer("one", service.HookSucceeded)
	}
	w.settle()
	w.is("SUCCESSFUL CLEAN_UP, one 2/2 0/0")
	w.deploy("two")
	w.settle()
	w.is("IN_PROGRESS PRE_SCALE_UP, two 0/0 0/0, one 2/2 0/0")
	w.answer("two", service.HookSucceeded)
	w.settle()
	w.is("IN_PROGRESS POST_SCALE_UP, two 2/2 0/0")
	w.answer("two", service.HookFailed)
	w.settle()
	w.is("ROLLBACK_SUCCESSFUL, one 2/2 0/0")
}
