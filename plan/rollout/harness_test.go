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
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/rollout"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// stage is where one service plays: its tasks start and stop as soon as they are
// told to, unless their definition is broken.
type stage struct {
	t    *testing.T
	s    store.Store
	plan plan.Planner
	loop *control.Control
	now  time.Time
	ids  int
	// broken are definitions whose tasks fail to start.
	broken map[string]bool
	reason string // that those tasks give
}

func play(t *testing.T, c service.Configuration, desired int) *stage {
	t.Helper()
	if c.MaximumPercent == 0 {
		c.MaximumPercent, c.MinimumPercent = 200, 100
	}
	w := &stage{t: t, s: memory.Open(), now: began, broken: map[string]bool{}}
	w.plan = rollout.Planner(rollout.Options{NewID: w.id, Proof: time.Nanosecond})
	w.loop = control.New(w.s, []plan.Planner{w.plan}, nil)
	w.update(func(tx *store.Tx) {
		store.Services.Put(tx, &service.Service{
			Scope: scope, ARN: w.arn(), Name: "web", ClusterARN: scope.Cluster("default"), Status: service.Active,
			Spec: service.Spec{Desired: desired, Scheduling: service.Replica, Controller: service.ControllerECS, Configuration: c},
		})
	})
	w.deploy("one")
	return w
}

func (w *stage) arn() string { return scope.Service("default", "web") }

func (w *stage) id() string {
	w.ids++
	return fmt.Sprintf("%015x%017x", w.ids, w.ids)
}

func (w *stage) update(fn func(*store.Tx)) {
	w.t.Helper()
	if _, err := w.s.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// change changes the service as the API does.
func (w *stage) change(fn func(*store.Tx, *service.Service)) {
	w.t.Helper()
	w.update(func(tx *store.Tx) {
		next := *w.service()
		next.Deployments = slices.Clone(next.Deployments)
		fn(tx, &next)
		next.Version++
		store.Services.Put(tx, &next)
	})
}

// deploy begins a rollout to a definition.
func (w *stage) deploy(name string) {
	w.t.Helper()
	w.change(func(tx *store.Tx, s *service.Service) {
		def := &workload.Definition{ARN: name, Family: name, Revision: 1, Containers: []workload.Container{{Name: "app", Essential: true}}}
		store.TaskDefinitions.Put(tx, def)
		s.Spec.Template = service.Template{DefinitionARN: name, LaunchType: workload.Fargate}
		r := &service.Revision{Scope: scope, ARN: "revision/" + name, ServiceARN: s.ARN, ClusterARN: s.ClusterARN, Template: s.Spec.Template, CreatedAt: w.now}
		store.ServiceRevisions.Put(tx, r)
		if have, ok := store.Rollouts.Get(tx, s.Rollout); ok && !have.Status.Over() {
			ended := *have
			ended.Supersede(w.now)
			store.Rollouts.Put(tx, &ended)
		}
		store.Rollouts.Put(tx, s.Begin(r, "ecs-svc/"+name, "rollout/"+name, w.now))
	})
}

func (w *stage) service() *service.Service {
	s, _ := store.Services.Get(w.s.View(), w.arn())
	return s
}

func (w *stage) rollout(name string) *service.Rollout {
	r, ok := store.Rollouts.Get(w.s.View(), "rollout/"+name)
	if !ok {
		w.t.Fatal("no rollout", name)
	}
	return r
}

// edit changes a rollout as the API and who answers hooks do.
func (w *stage) edit(name string, fn func(*service.Rollout)) {
	w.t.Helper()
	next := *w.rollout(name)
	next.Hooks = slices.Clone(next.Hooks)
	fn(&next)
	w.update(func(tx *store.Tx) { store.Rollouts.Put(tx, &next) })
}

// answer answers all open hooks.
func (w *stage) answer(name string, status service.HookStatus) {
	w.t.Helper()
	w.edit(name, func(r *service.Rollout) {
		for i := range r.Hooks {
			r.Hooks[i].Status = status
		}
	})
}

// settle lets everything happen that needs no more time. What is seen on the way is
// returned, each once.
func (w *stage) settle() []string {
	w.t.Helper()
	var seen []string
	for range 100 {
		before := w.s.View().Revision()
		if _, err := w.loop.Step(context.Background(), w.now); err != nil {
			w.t.Fatal(err)
		}
		if s := w.seen(); len(seen) == 0 || seen[len(seen)-1] != s {
			seen = append(seen, s)
		}
		w.act()
		if w.s.View().Revision() == before {
			return seen
		}
	}
	w.t.Fatal("it does not settle: ", seen[max(0, len(seen)-10):])
	return nil
}

func (w *stage) pass(d time.Duration) []string {
	w.t.Helper()
	w.now = w.now.Add(d)
	return w.settle()
}

// act lets tasks do what they are told.
func (w *stage) act() {
	w.update(func(tx *store.Tx) {
		for t := range store.Tasks.All(w.s.View()) {
			next := *t
			switch last := t.LastStatus(); {
			case last == task.Stopped || last == task.Activating:
				continue
			case t.DesiredStatus() == task.Stopped:
				next.Assignment = &task.Assignment{Released: true}
				next.Observed.Status, next.Observed.StoppedAt = task.Stopped, w.now
			case t.Assignment == nil:
				next.Assignment = &task.Assignment{}
			case last < task.Running && w.broken[t.Spec.DefinitionARN]:
				next.Observed.Status, next.Observed.StoppedAt, next.Observed.StopCode = task.Stopped, w.now, task.StopTaskFailedToStart
				next.Observed.StoppedReason = w.reason
			case last < task.Running:
				next.Observed.Status, next.Observed.StartedAt = task.Running, w.now.Add(-time.Second)
			default:
				continue
			}
			store.Tasks.Put(tx, &next)
		}
	})
}

// seen is the service in a line: each deployment with its running tasks of those
// wanted, and its production and test traffic.
func (w *stage) seen() string {
	s, running := w.service(), map[string]int{}
	for t := range store.Tasks.All(w.s.View()) {
		if t.LastStatus() == task.Running && t.DesiredStatus() == task.Running {
			running[t.Spec.StartedBy]++
		}
	}
	var out []string
	r, ok := store.Rollouts.Get(w.s.View(), s.LastRollout)
	if ok {
		out = append(out, strings.TrimSpace(string(r.Status)+" "+string(r.Stage)))
	}
	for _, d := range s.Deployments {
		out = append(out, fmt.Sprintf("%s %d/%d %v/%v", strings.TrimPrefix(d.ID, "ecs-svc/"), running[d.ID], d.Want, d.Traffic, d.TestTraffic))
	}
	return strings.Join(out, ", ")
}

// is checks how it stands.
func (w *stage) is(want string) {
	w.t.Helper()
	if got := w.seen(); got != want {
		w.t.Errorf("%s, want %s", got, want)
	}
}

// concerns are the services that an event wakes.
func (w *stage) concerns(e store.Event) []string { return w.plan.Parts.Of(w.s.View(), e) }

// said tells whether the event log has a line.
func (w *stage) said(line string) bool {
	for e := range store.ServiceEvents.Prefix(w.s.View(), store.ServiceEventPrefix(w.arn())) {
		if e.Message == line {
			return true
		}
	}
	return false
}
