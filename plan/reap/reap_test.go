package reap_test

import (
	"context"
	"testing"
	"time"

	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/reap"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// What there is before, when it is forgotten, and that the planner asks to be
// heard just then.
func TestForgetting(t *testing.T) {
	for _, c := range []struct {
		name  string
		put   func(*store.Tx)
		there func(store.Reader) bool
		after time.Duration // zero: never
		asks  bool
	}{
		{"a stopped task, which is the history's", func(tx *store.Tx) {
			store.Tasks.Put(tx, &task.Task{ARN: "t", Desired: task.Desired{Status: task.Stopped, StoppingAt: began}})
		}, func(r store.Reader) bool { return store.Tasks.Len(r) == 1 }, 0, false},
		{"a deregistered instance", func(tx *store.Tx) {
			store.Instances.Put(tx, &cluster.Instance{ARN: "i", DeregisteredAt: began})
		}, func(r store.Reader) bool { return store.Instances.Len(r) == 1 }, time.Hour, true},
		{"a key that ends", func(tx *store.Tx) { store.AccessKeys.Put(tx, &identity.AccessKey{ID: "k", ExpiresAt: began}) },
			func(r store.Reader) bool { return store.AccessKeys.Len(r) == 1 }, 5 * time.Minute, true},
		{"a key without end", func(tx *store.Tx) { store.AccessKeys.Put(tx, &identity.AccessKey{ID: "k"}) },
			func(r store.Reader) bool { return store.AccessKeys.Len(r) == 1 }, 0, false},
		{"a join token", func(tx *store.Tx) { store.JoinTokens.Put(tx, &identity.JoinToken{Hash: "h", ExpiresAt: began}) },
			func(r store.Reader) bool { return store.JoinTokens.Len(r) == 1 }, 5 * time.Minute, true},
		{"a client token", func(tx *store.Tx) {
			store.ClientTokens.Put(tx, &store.ClientToken{Scope: scope, Operation: "RunTask", Token: "x", ExpiresAt: began})
		}, func(r store.Reader) bool { return store.ClientTokens.Len(r) == 1 }, 5 * time.Minute, true},
		{"a doomed definition", func(tx *store.Tx) {
			store.TaskDefinitions.Put(tx, &workload.Definition{ARN: "d", Status: workload.DeleteInProgress})
		}, func(r store.Reader) bool { return store.TaskDefinitions.Len(r) == 1 }, time.Nanosecond, false},
		{"a doomed definition in use", func(tx *store.Tx) {
			store.TaskDefinitions.Put(tx, &workload.Definition{ARN: "d", Status: workload.DeleteInProgress})
			store.Tasks.Put(tx, &task.Task{ARN: "t", Spec: task.Spec{DefinitionARN: "d"}, Desired: task.Desired{Status: task.Running}})
		}, func(r store.Reader) bool { return store.TaskDefinitions.Len(r) == 1 }, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := memory.Open()
			update(t, s, c.put)
			loop := control.New(s, []plan.Planner{reap.Planner(reap.Options{})}, nil)
			step(t, loop, began.Add(max(c.after, 1)-1))
			if c.after == time.Nanosecond {
				c.after = 0
				if c.there(s.View()) {
					t.Error("still there")
				}
				return
			}
			if !c.there(s.View()) {
				t.Fatal("forgotten too early")
			}
			if again := loop.Status()[0].Again; c.asks && !again.Equal(began.Add(c.after)) {
				t.Errorf("asks to look again %v later, want %v", again.Sub(began), c.after)
			}
			at := began.Add(c.after)
			if c.after == 0 {
				at = began.Add(1000 * time.Hour)
			}
			step(t, loop, at)
			if c.there(s.View()) != (c.after == 0) {
				t.Errorf("there: %v", c.there(s.View()))
			}
		})
	}
}

func update(t *testing.T, s store.Store, fn func(*store.Tx)) {
	t.Helper()
	if _, err := s.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func step(t *testing.T, loop *control.Control, at time.Time) {
	t.Helper()
	if _, err := loop.Step(context.Background(), at); err != nil {
		t.Fatal(err)
	}
}

func TestLostInstancesAreGivenUpOnlyWhenTold(t *testing.T) {
	for _, lost := range []time.Duration{0, time.Minute} {
		s := memory.Open()
		held := cluster.Held{CPU: 10, Memory: 20}
		update(t, s, func(tx *store.Tx) {
			store.Instances.Put(tx, &cluster.Instance{ARN: "i", DisconnectedAt: began, Used: cluster.Usage{CPU: 10, Memory: 20, Tasks: 1}})
			store.Tasks.Put(tx, &task.Task{
				ARN: "t", Assignment: &task.Assignment{InstanceARN: "i", Held: held},
				Desired: task.Desired{Status: task.Running}, Observed: task.Observed{Status: task.Running},
			})
		})
		loop := control.New(s, []plan.Planner{reap.Planner(reap.Options{InstanceLost: lost})}, nil)
		step(t, loop, began.Add(59*time.Second))
		step(t, loop, began.Add(time.Minute))
		x, _ := store.Tasks.Get(s.View(), "t")
		i, _ := store.Instances.Get(s.View(), "i")
		if lost == 0 {
			if x.LastStatus() != task.Running || i.Used.Tasks != 1 {
				t.Errorf("given up without being told: %v", x.LastStatus())
			}
			continue
		}
		if x.LastStatus() != task.Stopped || x.StoppedReason() != "Container instance was lost: no agent connection for 1m0s" || i.Used.Tasks != 0 || i.Used.Memory != 0 {
			t.Errorf("%v %q, ledger %+v", x.LastStatus(), x.StoppedReason(), i.Used)
		}
	}
}
