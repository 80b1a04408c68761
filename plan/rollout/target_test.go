package rollout_test

import (
	"slices"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// behind puts the service's template behind a balancer.
func (w *stage) behind() {
	forward := func(groups ...string) []balancer.Action {
		f := &balancer.ForwardAction{Plain: len(groups) == 1}
		for i, g := range groups {
			f.Groups = append(f.Groups, balancer.Weighted{GroupARN: g, Weight: 1 - i})
		}
		return []balancer.Action{{Type: balancer.Forward, Forward: f}}
	}
	w.update(func(tx *store.Tx) {
		for _, g := range []string{"blue", "green"} {
			store.TargetGroups.Put(tx, &balancer.TargetGroup{Scope: scope, ARN: g, TargetType: balancer.TargetIP})
		}
		store.Listeners.Put(tx, &balancer.Listener{Scope: scope, ARN: "listener", BalancerARN: "b", Default: forward("blue")})
		store.ListenerRules.Put(tx, &balancer.Rule{Scope: scope, ARN: "rule", ListenerARN: "listener", Actions: forward("blue", "green")})
	})
	w.connect()
}

// connect says of the newest revision what it is behind.
func (w *stage) connect() {
	w.change(func(tx *store.Tx, s *service.Service) {
		s.Spec.Template.Balancers = []service.Balancer{{GroupARN: "blue", Container: "app", Port: 80, Advanced: &service.Advanced{AlternateARN: "green", ProductionRule: "rule", TestRule: "listener"}}}
		r, _ := store.ServiceRevisions.Get(tx, s.Spec.Revision)
		next := *r
		next.Template = s.Spec.Template
		store.ServiceRevisions.Put(tx, &next)
	})
}

// register does what plan/attach does: a target for each link of a task that runs,
// gone with its end.
func (w *stage) register(state balancer.State) {
	w.update(func(tx *store.Tx) {
		for t := range store.Tasks.All(w.s.View()) {
			next := *t
			for _, l := range t.Spec.Links {
				target := balancer.Target{Scope: scope, GroupARN: l.GroupARN, ID: t.ID, Port: l.Port, TaskARN: t.ARN}
				if t.DesiredStatus() == task.Stopped {
					store.Targets.Delete(tx, target.Key())
					continue
				}
				if t.Observed.Status == task.Running {
					next.Registered.At = w.now
					store.Targets.Put(tx, &target)
					put(tx, target.Key(), state)
				}
			}
			store.Tasks.Put(tx, &next)
		}
	})
}

func put(tx *store.Tx, target string, state balancer.State) {
	store.TargetHealth.Put(tx, &balancer.Health{Target: target, Reports: map[string]balancer.Report{"e": {State: state, Detail: "it says 500"}}})
}

// report is an edge's word about one target.
func (w *stage) report(target string, state balancer.State) {
	w.update(func(tx *store.Tx) { put(tx, target, state) })
}

func (w *stage) targets() (keys []string) {
	for t := range store.Targets.All(w.s.View()) {
		keys = append(keys, t.Key())
	}
	return keys
}

// round lets everything happen while targets are in a state.
func (w *stage) round(state balancer.State, times int) {
	for range times {
		w.settle()
		w.register(state)
	}
	w.settle()
}

func TestTargetGroupsDecide(t *testing.T) {
	w := play(t, service.Configuration{}, 1)
	w.behind()
	w.round(balancer.Initial, 2)
	if s := w.service(); s.Deployments[0].State != service.InProgress {
		t.Error("completed before its target is healthy")
	}
	w.round(balancer.Healthy, 1)
	if s := w.service(); s.Deployments[0].State != service.Completed || !s.Steady {
		t.Errorf("not completed: %+v", s.Deployments)
	}
	w.change(func(_ *store.Tx, s *service.Service) { s.Spec.HealthCheckGrace = minutes(60) })
	w.register(balancer.Unhealthy)
	w.settle()
	const line = "(service web) (port 80) is unhealthy in (target-group blue) due to (reason it says 500)"
	if w.said(line) {
		t.Error("stopped within the grace period")
	}
	first := w.targets()
	w.pass(time.Minute)
	w.register(balancer.Healthy) // the one that takes its place
	w.report(first[0], balancer.Unhealthy)
	w.settle()
	if !w.said(line) {
		t.Error("an unhealthy target is not said")
	}
	reasons := []string{}
	for x := range store.Tasks.All(w.s.View()) {
		reasons = append(reasons, x.StoppedReason())
	}
	if !slices.Contains(reasons, "Task failed ELB health checks in (target-group blue)") {
		t.Error(reasons)
	}
	if w.service().Deployments[0].Failed == 0 {
		t.Error("the failure is not counted")
	}
}

func TestTrafficMovesByWeights(t *testing.T) {
	weights := func(w *stage) [2]int {
		r, _ := store.ListenerRules.Get(w.s.View(), "rule")
		g := r.Actions[0].Forward.Groups
		return [2]int{g[0].Weight, g[1].Weight}
	}
	w := play(t, service.Configuration{Strategy: service.Canary, Canary: &service.Shift{Percent: 12.5, BakeMinutes: 1}}, 1)
	w.behind()
	w.round(balancer.Healthy, 4)
	w.is("SUCCESSFUL CLEAN_UP, one 1/1 100/100")
	if got := weights(w); got != [2]int{100, 0} {
		t.Errorf("at first %v", got)
	}
	w.deploy("two")
	w.connect()
	w.round(balancer.Healthy, 4)
	w.is("IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT, two 1/1 12.5/100, one 1/1 87.5/0")
	if got := weights(w); got != [2]int{875, 125} {
		t.Errorf("after the first shift %v", got)
	}
	l, _ := store.Listeners.Get(w.s.View(), "listener")
	if f := l.Default[0].Forward; f.Plain || len(f.Groups) != 2 || f.Groups[0].Weight != 0 || f.Groups[1].Weight != 100 {
		t.Errorf("test traffic %+v", f)
	}
	w.pass(time.Minute)
	w.round(balancer.Healthy, 3)
	w.is("SUCCESSFUL CLEAN_UP, two 1/1 100/100")
	if got := weights(w); got != [2]int{0, 100} {
		t.Errorf("at last %v", got)
	}
	w.deploy("three")
	w.connect()
	w.round(balancer.Healthy, 4)
	if got := weights(w); got != [2]int{125, 875} {
		t.Errorf("the groups have not changed their parts: %v", got)
	}
	w.edit("three", func(r *service.Rollout) { r.Status = service.RollbackRequested })
	w.round(balancer.Healthy, 3)
	if got := weights(w); got != [2]int{0, 100} {
		t.Errorf("rolled back %v", got)
	}
}

// TestRulesLeadToBothBeforeTasksStart has a service that rolled until now shift traffic:
// its rules know the first target group only, and come to lead to the other one, so that
// its targets are asked before requests come to them.
func TestRulesLeadToBothBeforeTasksStart(t *testing.T) {
	w := play(t, service.Configuration{}, 1)
	w.behind()
	w.update(func(tx *store.Tx) {
		l, _ := store.Listeners.Get(tx, "listener")
		r, _ := store.ListenerRules.Get(tx, "rule")
		next := *r
		next.Actions = l.Default
		store.ListenerRules.Put(tx, &next)
	})
	w.round(balancer.Healthy, 4)
	w.change(func(_ *store.Tx, s *service.Service) { s.Spec.Configuration.Strategy = service.BlueGreen })
	w.deploy("two")
	w.connect()
	w.round(balancer.Initial, 4)
	if r := w.rollout("two"); r.Stage != service.ScaleUp {
		t.Errorf("in %s before the new target is healthy", r.Stage)
	}
	w.round(balancer.Healthy, 4)
	if r := w.rollout("two"); r.Status != service.Successful {
		t.Errorf("%s in %s", r.Status, r.Stage)
	}
}
