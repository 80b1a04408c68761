package rollout_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// TestRolloutsAgainstEverything deploys, scales, answers, stops and waits at random.
// All traffic always goes somewhere, to deployments that are to be whole, and once
// nothing more goes wrong the service comes to rest with one.
func TestRolloutsAgainstEverything(t *testing.T) {
	stages := []service.Stage{
		service.ReconcileService, service.PreScaleUp, service.PostScaleUp, service.PostTestTrafficShift, service.PreProductionShift, service.PostProductionShift,
	}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		c := service.Configuration{
			Strategy: []service.Strategy{service.BlueGreen, service.Linear, service.Canary}[r.IntN(3)], BakeMinutes: minutes(r.IntN(3)),
			Linear: &service.Shift{Percent: 30, BakeMinutes: 1}, Canary: &service.Shift{Percent: 10, BakeMinutes: 1},
			Hooks: []service.Hook{{Type: service.HookPause, Stages: []service.Stage{stages[r.IntN(len(stages))]}}},
		}
		w := play(t, c, 1+r.IntN(3))
		w.rest()
		w.shares(seed, "the first")
		newest := "one"
		for step := range 12 {
			what := ""
			switch r.IntN(8) {
			case 0, 1:
				newest = fmt.Sprint("v", step)
				w.broken[newest] = r.IntN(3) == 0
				w.deploy(newest)
				what = fmt.Sprint("deploy ", newest, " broken ", w.broken[newest])
			case 2:
				n := r.IntN(4)
				w.change(func(_ *store.Tx, s *service.Service) { s.Spec.Desired = n })
				what = fmt.Sprint("scale to ", n)
			case 3, 4:
				status := []service.HookStatus{service.HookSucceeded, service.HookSucceeded, service.HookFailed}[r.IntN(3)]
				w.answer(newest, status)
				what = fmt.Sprint("answer ", status)
			case 5:
				what = "stop"
				status := []service.RolloutStatus{service.StopRequested, service.RollbackRequested}[r.IntN(2)]
				if got := w.rollout(newest).Status; got == service.RolloutInProgress {
					w.edit(newest, func(r *service.Rollout) { r.Status = status })
				}
			default:
				what = "wait"
				w.now = w.now.Add(time.Duration(r.IntN(90)) * time.Second)
			}
			w.settle()
			w.shares(seed, what)
		}
		w.change(func(_ *store.Tx, s *service.Service) { s.Spec.Desired = 2 })
		w.deploy("last")
		w.rest()
		if got, want := w.seen(), "SUCCESSFUL CLEAN_UP, last 2/2 100/100"; got != want {
			t.Fatalf("seed %d: %s, want %s", seed, got, want)
		}
	}
}

// rest answers every hook and waits until the service rests.
func (w *stage) rest() {
	w.t.Helper()
	for range 60 {
		w.settle()
		r := w.service().Rollout
		if r == "" {
			return
		}
		w.answer(r[len("rollout/"):], service.HookSucceeded)
		w.pass(time.Minute)
	}
	w.t.Fatal("it does not come to rest: ", w.seen())
}

// shares checks that all traffic goes to deployments that are whole.
func (w *stage) shares(seed uint64, after string) {
	w.t.Helper()
	s, all := w.service(), 0.0
	for _, d := range s.Deployments {
		all += d.Traffic
		if d.Traffic > 0 && d.Want != s.Spec.Desired {
			w.t.Fatalf("seed %d after %s: %s", seed, after, w.seen())
		}
	}
	if all != 100 {
		w.t.Fatalf("seed %d after %s: %v%% of the traffic: %s", seed, after, all, w.seen())
	}
}
