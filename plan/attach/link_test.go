package attach_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/attach"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

// quay is one task of a service behind a target group, and what is around it.
type quay struct {
	t    *testing.T
	s    store.Store
	loop *control.Control
	now  time.Time
}

func newQuay(t *testing.T, kind string, edge bool) *quay {
	t.Helper()
	ids := 0
	q := &quay{t: t, s: memory.Open(), now: began}
	q.loop = control.New(q.s, []plan.Planner{attach.Planner(attach.Options{NewID: func() string { ids++; return fmt.Sprintf("%032x", ids) }})}, nil)
	q.update(func(tx *store.Tx) {
		store.Services.Put(tx, &service.Service{Scope: scope, ARN: scope.Service("default", "web"), Name: "web", Status: service.Active})
		store.TaskDefinitions.Put(tx, &workload.Definition{ARN: "def", Containers: []workload.Container{{Name: "app", Essential: true}}})
		store.Instances.Put(tx, &cluster.Instance{ARN: "i", EC2ID: "i-1", Zone: "us-east-1a", Scope: scope})
		store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-1", Zone: "us-east-1b", PrivateIP: netip.MustParseAddr("10.0.0.4")})
		store.TargetGroups.Put(tx, &balancer.TargetGroup{Scope: scope, ARN: "g", TargetType: kind, Protocol: "HTTP"})
		store.Listeners.Put(tx, &balancer.Listener{Scope: scope, ARN: "l", BalancerARN: "b", Default: []balancer.Action{{Type: balancer.Forward, Forward: &balancer.ForwardAction{Groups: []balancer.Weighted{{GroupARN: "g", Weight: 1}}}}}})
		store.Balancers.Put(tx, &balancer.Balancer{Scope: scope, ARN: "b", Name: "b", Zones: []balancer.Zone{{InterfaceID: "eni-b"}}})
		if edge {
			store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-b", InstanceARN: "i", Kind: network.ForBalancer})
		}
		store.Discoveries.Put(tx, &discovery.Service{Scope: scope, ID: "srv-1", ARN: "arn:aws:servicediscovery:us-east-1:000000000000:service/srv-1", CustomCheck: &discovery.CustomCheck{}})
		x := &task.Task{
			Scope: scope, ARN: "t", ID: "t", Desired: task.Desired{Status: task.Running}, Assignment: &task.Assignment{InstanceARN: "i"},
			Spec: task.Spec{ClusterARN: scope.Cluster("default"), Group: "service:web", DefinitionARN: "def", Links: []task.Link{
				{GroupARN: "g", Container: "app", Port: 80},
				{RegistryARN: "arn:aws:servicediscovery:us-east-1:000000000000:service/srv-1", Container: "app", Port: 80},
			}},
		}
		if kind == balancer.TargetIP {
			x.Assignment.InterfaceID = "eni-1"
		}
		store.Tasks.Put(tx, x)
	})
	return q
}

func (q *quay) update(fn func(*store.Tx)) {
	q.t.Helper()
	if _, err := q.s.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		q.t.Fatal(err)
	}
}

func (q *quay) task() *task.Task {
	x, _ := store.Tasks.Get(q.s.View(), "t")
	return x
}

func (q *quay) change(fn func(*task.Task)) {
	q.t.Helper()
	q.update(func(tx *store.Tx) {
		next := *q.task()
		fn(&next)
		store.Tasks.Put(tx, &next)
	})
}

// is takes steps until nothing changes, and looks.
func (q *quay) is(want string) {
	q.t.Helper()
	for range 4 {
		if _, err := q.loop.Step(context.Background(), q.now); err != nil {
			q.t.Fatal(err)
		}
	}
	v, x := q.s.View(), q.task()
	got := fmt.Sprintf("%s agent %s", x.LastStatus(), x.Ordered())
	for t := range store.Targets.All(v) {
		got += fmt.Sprintf(" %s:%d", t.ID, t.Port)
		if !t.DrainingSince.IsZero() {
			got += " draining"
		}
	}
	for i := range store.DiscoveryInstances.All(v) {
		got += fmt.Sprintf(" found at %s:%s", i.Attributes[discovery.InstanceIPv4], i.Attributes[discovery.InstancePort])
		if i.Unhealthy {
			got += " sick"
		}
	}
	if got != want {
		q.t.Errorf("got  %s\nwant %s", got, want)
	}
}

func (q *quay) run() {
	q.change(func(x *task.Task) {
		x.Observed.Status, x.Observed.StartedAt = task.Running, q.now
		x.Observed.Containers = []task.Container{{Name: "app", Bindings: []task.Binding{{ContainerPort: 80, HostPort: 32768}}}}
	})
}

func (q *quay) stop() {
	q.change(func(x *task.Task) { x.Desired = task.Desired{Status: task.Stopped, StoppingAt: q.now} })
}

func (q *quay) report(idle bool) {
	q.update(func(tx *store.Tx) {
		for t := range store.Targets.All(tx) {
			store.TargetHealth.Put(tx, &balancer.Health{Target: t.Key(), Reports: map[string]balancer.Report{"e": {State: balancer.Healthy, Idle: idle}}})
		}
	})
}

// TestTasksStopWhenTheyHaveDrained follows a task through its registration.
// RUNNING follows registration, and SIGTERM waits for the last request.
func TestTasksStopWhenTheyHaveDrained(t *testing.T) {
	q := newQuay(t, balancer.TargetIP, true)
	q.is("PENDING agent RUNNING")
	q.run()
	if s := q.task().LastStatus(); s != task.Activating {
		t.Errorf("%s before it is registered", s)
	}
	q.is("RUNNING agent RUNNING 10.0.0.4:80 found at 10.0.0.4:80")
	q.report(false)
	q.stop()
	q.is("DEACTIVATING agent RUNNING 10.0.0.4:80 draining")
	if again := q.loop.Status()[0].Again; !again.Equal(q.now.Add(300 * time.Second)) {
		t.Errorf("looks again %v later", again.Sub(q.now))
	}
	q.report(true)
	q.is("STOPPING agent STOPPED")
	var said []string
	for e := range store.ServiceEvents.All(q.s.View()) {
		said = append(said, strings.TrimPrefix(e.Message, "(service web) "))
	}
	want := "has registered 1 targets in (target-group g)|has deregistered 1 targets in (target-group g)|has begun draining connections on 1 tasks."
	if got := strings.Join(said, "|"); got != want {
		t.Errorf("said %s", got)
	}
}

func TestWhatEndsDraining(t *testing.T) {
	for name, c := range map[string]struct {
		edge bool
		do   func(*quay)
		want string
	}{
		"the delay":            {true, func(q *quay) { q.now = q.now.Add(300 * time.Second) }, "STOPPING agent STOPPED"},
		"an edge that is busy": {true, func(q *quay) { q.report(false) }, "DEACTIVATING agent RUNNING i-1:32768 draining"},
		"no edge":              {false, func(*quay) {}, "STOPPING agent STOPPED"},
		"the containers' end":  {true, func(q *quay) { q.change(func(x *task.Task) { x.Observed.Status = task.Stopped }) }, "DEPROVISIONING agent STOPPED"},
		"the instance's end": {true, func(q *quay) {
			q.change(func(x *task.Task) { a := *x.Assignment; a.Released = true; x.Assignment = &a })
		}, "STOPPED agent STOPPED"},
		"the target group gone": {true, func(q *quay) { q.update(func(tx *store.Tx) { store.TargetGroups.Delete(tx, "g") }) }, "STOPPING agent STOPPED"},
	} {
		t.Run(name, func(t *testing.T) {
			q := newQuay(t, balancer.TargetInstance, c.edge)
			q.run()
			q.is("RUNNING agent RUNNING i-1:32768 found at :32768")
			q.stop()
			if c.edge {
				q.is("DEACTIVATING agent RUNNING i-1:32768 draining")
			}
			c.do(q)
			q.is(c.want)
		})
	}
}

func TestCloudMapHearsHowTasksAre(t *testing.T) {
	q := newQuay(t, balancer.TargetIP, false)
	q.run()
	q.is("RUNNING agent RUNNING 10.0.0.4:80 found at 10.0.0.4:80")
	ill := func(h task.Health) {
		q.change(func(x *task.Task) { x.Observed.Containers = []task.Container{{Name: "app", Health: h}} })
	}
	ill(task.UnknownHealth)
	q.is("RUNNING agent RUNNING 10.0.0.4:80 found at 10.0.0.4:80 sick")
	ill(task.Unhealthy)
	q.is("RUNNING agent RUNNING 10.0.0.4:80 found at 10.0.0.4:80 sick")
	ill(task.Healthy)
	q.is("RUNNING agent RUNNING 10.0.0.4:80 found at 10.0.0.4:80")
}

// TestDeregisteredTargetsAreForgotten is about targets that no task stands behind.
func TestDeregisteredTargetsAreForgotten(t *testing.T) {
	q := newQuay(t, balancer.TargetIP, true)
	q.update(func(tx *store.Tx) {
		store.Targets.Put(tx, &balancer.Target{Scope: scope, GroupARN: "g", ID: "10.0.0.9", Port: 80, DrainingSince: q.now})
	})
	q.is("PENDING agent RUNNING 10.0.0.9:80 draining")
	q.now = q.now.Add(300 * time.Second)
	q.is("PENDING agent RUNNING")
}
