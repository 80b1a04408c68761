package rollout_test

import (
	"context"
	"fmt"
	"maps"
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
	"github.com/berthhq/berth/plan/assignment"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/plan/rollout"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	country = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	dawn    = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// town is a cluster of machines in zones with one service, web. Tasks do as they
// are told in the moment they are placed.
type town struct {
	*testing.T
	store *store.Leader
	loop  *control.Control
	now   time.Time
	ids   int
	// ill are machines on which tasks do not start.
	ill map[string]bool
	// watch is called after each step.
	watch func()
}

func settle(t *testing.T, spec service.Spec) *town {
	w := &town{T: t, store: memory.Open(), now: dawn, ill: map[string]bool{}, watch: func() {}}
	w.loop = control.New(w.store, []plan.Planner{
		rollout.Planner(rollout.Options{NewID: w.id, Proof: time.Second}), assignment.Planner(assignment.Options{}),
	}, nil)
	if spec.Configuration.MaximumPercent == 0 {
		spec.Configuration.MaximumPercent, spec.Configuration.MinimumPercent = 200, 100
	}
	spec.Scheduling = service.Replica
	w.update(func(tx *store.Tx) {
		store.TaskDefinitions.Put(tx, &workload.Definition{ARN: "app:1", Family: "app", Revision: 1, Containers: []workload.Container{{Name: "app", Essential: true, Memory: new(100)}}})
		s := &service.Service{Scope: country, ARN: w.arn(), Name: "web", ClusterARN: country.Cluster("default"), Status: service.Active, Spec: spec}
		if !spec.BySets() {
			r := w.revision(tx, "1")
			store.Rollouts.Put(tx, s.Begin(r, "ecs-svc/1", "rollout/1", w.now))
		}
		store.Services.Put(tx, s)
	})
	return w
}

func (w *town) arn() string { return country.Service("default", "web") }

func (w *town) id() string {
	w.ids++
	return fmt.Sprintf("%032x", w.ids)
}

func (w *town) update(fn func(*store.Tx)) {
	w.Helper()
	if _, err := w.store.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		w.Fatal(err)
	}
}

func (w *town) revision(tx *store.Tx, id string) *service.Revision {
	r := &service.Revision{
		Scope: country, ARN: "revision/" + id, ServiceARN: w.arn(), ClusterARN: country.Cluster("default"), CreatedAt: w.now,
		Template: service.Template{DefinitionARN: "app:1", LaunchType: workload.EC2},
	}
	store.ServiceRevisions.Put(tx, r)
	return r
}

// machine adds one, with room for so many tasks.
func (w *town) machine(id, zone string, room int) {
	w.update(func(tx *store.Tx) {
		store.Instances.Put(tx, &cluster.Instance{
			Scope: country, ARN: country.ContainerInstance("default", id), ClusterARN: country.Cluster("default"), ID: id, Zone: zone,
			Status: cluster.InstanceActive, Connected: true, OffersEC2: true, OffersFargate: true, FargateCPUOvercommit: 10,
			Registered: cluster.Resources{CPU: 10000, Memory: room * 100}, Attributes: []workload.Attribute{{Name: "ecs.availability-zone", Value: zone}},
		})
	})
}

// change changes the service as the API does.
func (w *town) change(fn func(*store.Tx, *service.Service)) {
	w.Helper()
	w.update(func(tx *store.Tx) {
		next := *w.service()
		fn(tx, &next)
		next.Version++
		store.Services.Put(tx, &next)
	})
}

func (w *town) service() *service.Service {
	s, _ := store.Services.Get(w.store.View(), w.arn())
	return s
}

// pass lets time go by, and all happen that needs no more of it.
func (w *town) pass(d time.Duration) {
	w.Helper()
	w.now = w.now.Add(d)
	for range 200 {
		before := w.store.View().Revision()
		if _, err := w.loop.Step(context.Background(), w.now); err != nil {
			w.Fatal(err)
		}
		w.watch()
		w.act()
		if w.store.View().Revision() == before {
			return
		}
	}
	w.Fatal("it goes on and on: ", w.events())
}

// act lets tasks do what they are told.
func (w *town) act() {
	w.update(func(tx *store.Tx) {
		for t := range store.Tasks.All(w.store.View()) {
			next := *t
			switch last := t.LastStatus(); {
			case last == task.Stopped || t.Assignment == nil:
				continue
			case t.DesiredStatus() == task.Stopped && last < task.Deprovisioning:
				next.Observed.Status, next.Observed.StoppedAt = task.Stopped, w.now
			case last == task.Deprovisioning:
				next = *placement.Release(tx, t)
			case last < task.Running && w.ill[t.Assignment.InstanceARN]:
				next.Observed.Status, next.Observed.StoppedAt, next.Observed.StopCode = task.Stopped, w.now, task.StopTaskFailedToStart
			case last < task.Running:
				next.Observed.Status, next.Observed.StartedAt = task.Running, w.now
			default:
				continue
			}
			store.Tasks.Put(tx, &next)
		}
	})
}

// live are the tasks that are there to stay, by what of says of them.
func (w *town) live(of func(*task.Task) string) string {
	n := map[string]int{}
	for t := range store.Tasks.All(w.store.View()) {
		if t.DesiredStatus() == task.Running {
			n[of(t)]++
		}
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(n)) {
		out = append(out, fmt.Sprintf("%s:%d", k, n[k]))
	}
	return strings.Join(out, " ")
}

// events are the lines of the event log, ids of tasks left out.
func (w *town) events() []string {
	var out []string
	for e := range store.ServiceEvents.Prefix(w.store.View(), store.ServiceEventPrefix(w.arn())) {
		if e.Message != "" {
			line, _, _ := strings.Cut(e.Message, ": (task ")
			out = append(out, strings.TrimPrefix(line, "(service web"))
		}
	}
	return out
}
