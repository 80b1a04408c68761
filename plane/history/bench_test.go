package history

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// bench is a history beside a store, at a time the test moves.
type bench struct {
	*History
	t     *testing.T
	store store.Store
	dir   string
	now   time.Time
}

func open(t *testing.T, o Options) *bench {
	t.Helper()
	b := &bench{t: t, store: memory.Open(), dir: t.TempDir(), now: began}
	o.Store, o.Now = b.store, func() time.Time { return b.now }
	b.open(o)
	t.Cleanup(func() { must(t, b.Close()) })
	return b
}

func (b *bench) open(o Options) {
	b.t.Helper()
	h, err := Open(b.dir, o)
	must(b.t, err)
	b.History = h
}

// reopen is a new process over the same disk.
func (b *bench) reopen() {
	b.t.Helper()
	o := b.Options
	must(b.t, b.Close())
	b.open(o)
}

func (b *bench) update(fn func(*store.Tx)) {
	b.t.Helper()
	_, err := b.store.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil })
	must(b.t, err)
}

func (b *bench) add(tasks ...*task.Task) {
	b.t.Helper()
	b.update(func(tx *store.Tx) {
		for _, t := range tasks {
			store.Tasks.Put(tx, t)
		}
	})
}

// step looks at a time after the beginning.
func (b *bench) step(after time.Duration) {
	b.t.Helper()
	b.now = began.Add(after)
	must(b.t, b.Step(context.Background()))
}

// where tells whether the store has the task, and whether the history has.
func (b *bench) where(key string) (inStore, inHistory bool) {
	b.t.Helper()
	_, inStore = store.Tasks.Get(b.store.View(), key)
	p, err := b.Task(key)
	must(b.t, err)
	return inStore, p != nil
}

func (b *bench) want(key string, inStore, inHistory bool) {
	b.t.Helper()
	if s, h := b.where(key); s != inStore || h != inHistory {
		b.t.Errorf("%s at %v: in the store %v, in the history %v; want %v, %v", key, b.now.Sub(began), s, h, inStore, inHistory)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ended is a task that stopped so long after the beginning.
func ended(n int, after time.Duration) *task.Task {
	id := fmt.Sprintf("%032x", n)
	return &task.Task{
		Scope: scope, ARN: scope.Task("c", id), ID: id, Version: 3, CreatedAt: began,
		Spec: task.Spec{
			ClusterARN: scope.Cluster("c"), DefinitionARN: scope.TaskDefinition("job", 1), LaunchType: workload.EC2, Group: "family:job",
			Containers: []task.ContainerID{{Name: "app", ID: "x"}},
		},
		Desired:    task.Desired{Status: task.Running},
		Assignment: &task.Assignment{InstanceARN: "instance", Released: true},
		Observed: task.Observed{
			Status: task.Stopped, StoppedAt: began.Add(after), StopCode: task.StopEssentialContainerExited,
			Containers: []task.Container{{Name: "app", Status: "STOPPED", ExitCode: new(3), Reason: "why"}},
		},
	}
}

func BenchmarkList(bench *testing.B) {
	h, err := Open(bench.TempDir(), Options{Store: memory.Open()})
	must(bench, err)
	defer h.Close()
	const tasks = 100_000
	for n := 0; n < tasks; n += 1000 {
		var batch []*task.Task
		for i := range 1000 {
			batch = append(batch, ended(n+i, time.Duration(n+i)*time.Second))
		}
		must(bench, h.write(h.Store.View(), batch))
	}
	for bench.Loop() {
		for range h.List(task.PastQuery{ClusterARN: scope.Cluster("c"), Family: "none"}) {
			bench.Fatal("found one")
		}
	}
	bench.ReportMetric(float64(bench.Elapsed().Microseconds())/float64(bench.N)/tasks*1000, "ns/task")
}
