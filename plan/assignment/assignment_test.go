package assignment_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/assignment"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

type world struct {
	*testing.T
	store   *store.Leader
	control *control.Control
	tasks   int
}

func newWorld(t *testing.T) *world {
	s := memory.Open()
	w := &world{T: t, store: s, control: control.New(s, []plan.Planner{assignment.Planner(assignment.Options{})}, nil)}
	w.update(func(tx *store.Tx) {
		store.TaskDefinitions.Put(tx, &workload.Definition{
			Scope: scope, ARN: scope.TaskDefinition("f", 1), Family: "f", Revision: 1,
			Containers: []workload.Container{{Name: "main", Essential: true}},
		})
	})
	return w
}

func (w *world) update(fn func(*store.Tx)) {
	w.Helper()
	if _, err := w.store.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		w.Fatal(err)
	}
}

func (w *world) instance(id string, cpu, memory, overcommit int) {
	w.update(func(tx *store.Tx) {
		store.Instances.Put(tx, &cluster.Instance{
			Scope: scope, ARN: scope.ContainerInstance("default", id), ID: id, Status: cluster.InstanceActive, Connected: true,
			OffersFargate: true, FargateCPUOvercommit: overcommit, Registered: cluster.Resources{CPU: cpu, Memory: memory},
		})
	})
}

func (w *world) task(cpu, memory string) string {
	w.tasks++
	id := fmt.Sprintf("%016x%016x", w.tasks, w.tasks)
	t := &task.Task{
		Scope: scope, ARN: scope.Task("default", id), ID: id, CreatedAt: began, Desired: task.Desired{Status: task.Running},
		Spec: task.Spec{ClusterARN: scope.Cluster("default"), DefinitionARN: scope.TaskDefinition("f", 1), LaunchType: workload.Fargate, CPU: cpu, Memory: memory},
	}
	w.update(func(tx *store.Tx) { store.Tasks.Put(tx, t) })
	return t.ARN
}

func (w *world) step(at time.Time) control.Status {
	w.Helper()
	if _, err := w.control.Step(context.Background(), at); err != nil {
		w.Fatal(err)
	}
	return w.control.Status()[0]
}

func (w *world) get(arn string) *task.Task {
	t, _ := store.Tasks.Get(w.store.View(), arn)
	return t
}

func TestFargateTasksArePlacedWithinTheMachine(t *testing.T) {
	w := newWorld(t)
	w.instance("a", 1024, 4096, 2)
	var arns []string
	for range 5 {
		arns = append(arns, w.task("512", "1024"))
	}
	st := w.step(began)
	i, _ := store.Instances.Get(w.store.View(), scope.ContainerInstance("default", "a"))
	if i.Used.Tasks != 4 || i.Used.CPU != 1024 || i.Used.Memory != 4096 {
		t.Errorf("ledger %+v", i.Used)
	}
	placed := 0
	for _, key := range arns {
		if x := w.get(key); x.Assignment != nil && x.LastStatus() == task.Pending {
			placed++
		}
	}
	if placed != 4 || len(st.Troubles) != 1 || !strings.Contains(st.Troubles[0].Reason, "RESOURCE:") {
		t.Errorf("%d placed, troubles %+v", placed, st.Troubles)
	}
	if again := w.step(began.Add(time.Second)); again.Made != st.Made {
		t.Error("a second look changed something")
	}
}

func TestATaskWaitsForAPlaceButNotForEver(t *testing.T) {
	w := newWorld(t)
	waits := w.task("256", "512")
	st := w.step(began)
	if w.get(waits).LastStatus() != task.Provisioning || st.Troubles[0].Reason != "no agent offers Fargate capacity" || !st.Again.After(began) {
		t.Fatalf("status %+v", st)
	}
	w.step(st.Again)
	got := w.get(waits)
	if got.LastStatus() != task.Stopped || got.StopCode() != task.StopTaskFailedToStart ||
		got.StoppedReason() != "Capacity is unavailable at this time. Please try again later or in a different availability zone (no agent offers Fargate capacity)" {
		t.Errorf("%v %s %q", got.LastStatus(), got.StopCode(), got.StoppedReason())
	}
}

func TestATaskThatNoMachineCouldTakeStopsAtOnce(t *testing.T) {
	w := newWorld(t)
	w.instance("a", 4096, 1024, 4)
	large, fits := w.task("256", "2048"), w.task("256", "512")
	w.step(began)
	if got := w.get(large); got.LastStatus() != task.Stopped || !strings.Contains(got.StoppedReason(), "MEMORY") {
		t.Errorf("%v %q", got.LastStatus(), got.StoppedReason())
	}
	if w.get(fits).Assignment == nil {
		t.Error("the other one was not placed")
	}
}

// The subnet has three addresses for five tasks.
func TestATaskWaitsForAnAddressButNotForEver(t *testing.T) {
	w := newWorld(t)
	w.instance("a", 4096, 4096, 4)
	w.update(func(tx *store.Tx) {
		store.Subnets.Put(tx, &network.Subnet{Scope: scope, ID: "subnet-1", VPCID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.0.0/29")})
	})
	var keys []string
	for range 5 {
		key := w.task("256", "512")
		next := *w.get(key)
		next.Spec.NetworkConfiguration = &task.NetworkConfiguration{Subnets: []string{"subnet-1"}}
		w.update(func(tx *store.Tx) { store.Tasks.Put(tx, &next) })
		keys = append(keys, key)
	}
	count := func(s task.Status) (n int) {
		for _, key := range keys {
			if w.get(key).LastStatus() == s {
				n++
			}
		}
		return n
	}
	if st := w.step(began); st.Made != 3 || st.Stale != 2 {
		t.Fatalf("first look: %+v", st)
	}
	st := w.step(began)
	if count(task.Pending) != 3 || len(st.Troubles) != 2 || st.Troubles[0].Reason != "No subnet of [subnet-1] has a free address." {
		t.Fatalf("%d placed, %+v", count(task.Pending), st)
	}
	w.update(func(tx *store.Tx) {
		for i := range store.Interfaces.All(tx) {
			store.Interfaces.Delete(tx, network.Key(scope, i.ID))
			break
		}
	})
	if w.step(began.Add(time.Minute)); count(task.Pending) != 4 {
		t.Errorf("%d placed after an address became free", count(task.Pending))
	}
	if w.step(st.Again); count(task.Stopped) != 1 {
		t.Errorf("%d gave up", count(task.Stopped))
	}
}

func TestADecisionThatHasBecomeWrongIsNotWritten(t *testing.T) {
	for name, meanwhile := range map[string]func(w *world, key string){
		"the task was stopped": func(w *world, key string) {
			next := *w.get(key)
			next.Desired.Status = task.Stopped
			w.update(func(tx *store.Tx) { store.Tasks.Put(tx, &next) })
		},
		"the instance left": func(w *world, _ string) {
			w.update(func(tx *store.Tx) { store.Instances.Delete(tx, scope.ContainerInstance("default", "a")) })
		},
		"the instance filled up": func(w *world, _ string) {
			w.update(func(tx *store.Tx) {
				i, _ := store.Instances.Get(tx, scope.ContainerInstance("default", "a"))
				next := *i
				next.Used.Memory = 3800
				store.Instances.Put(tx, &next)
			})
		},
		"the agent disconnected": func(w *world, _ string) {
			w.update(func(tx *store.Tx) {
				i, _ := store.Instances.Get(tx, scope.ContainerInstance("default", "a"))
				next := *i
				next.Connected = false
				store.Instances.Put(tx, &next)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.instance("a", 1024, 4096, 1)
			key := w.task("256", "512")
			d := assignment.Planner(assignment.Options{}).Look(w.store.View(), began)
			meanwhile(w, key)
			if len(d.Changes) != 1 {
				t.Fatalf("%d changes", len(d.Changes))
			}
			w.update(func(tx *store.Tx) {
				if err := d.Changes[0].Apply(tx); !errors.Is(err, plan.ErrStale) {
					t.Errorf("got %v", err)
				}
			})
			if w.get(key).Assignment != nil {
				t.Error("assigned all the same")
			}
		})
	}
}

func TestTasksOfAProviderWaitForItsInstances(t *testing.T) {
	w := newWorld(t)
	ec2 := func(provider string) string {
		key := w.task("512", "1024")
		w.update(func(tx *store.Tx) {
			next := *w.get(key)
			next.Spec.LaunchType, next.Spec.CapacityProvider = workload.EC2, provider
			store.Tasks.Put(tx, &next)
		})
		return key
	}
	machine := func(id, provider string) {
		w.update(func(tx *store.Tx) {
			store.Instances.Put(tx, &cluster.Instance{
				Scope: scope, ARN: scope.ContainerInstance("default", id), ID: id, Status: cluster.InstanceActive, Connected: true,
				OffersEC2: true, CapacityProvider: provider, Registered: cluster.Resources{CPU: 1024, Memory: 2048},
			})
		})
	}
	machine("a", "")
	machine("b", "small")
	big, small := ec2("big"), ec2("small")
	st := w.step(began)
	if at := w.get(small).Assignment; at == nil || at.InstanceARN != scope.ContainerInstance("default", "b") {
		t.Errorf("the task of small is at %+v", at)
	}
	if w.get(big).Assignment != nil || len(st.Troubles) != 1 || st.Troubles[0].Reason != "no instance of the cluster belongs to capacity provider big" {
		t.Errorf("the task of big has a place, or %+v", st.Troubles)
	}
	machine("c", "big")
	w.step(began.Add(time.Second))
	if at := w.get(big).Assignment; at == nil || at.InstanceARN != scope.ContainerInstance("default", "c") {
		t.Errorf("the task of big is at %+v", at)
	}
	late := ec2("gone")
	w.step(began.Add(16 * time.Minute))
	if got := w.get(late); got.StopCode() != task.StopTaskFailedToStart || !strings.HasPrefix(got.StoppedReason(), "Capacity is unavailable at this time.") {
		t.Errorf("%s: %s", got.StopCode(), got.StoppedReason())
	}
}
