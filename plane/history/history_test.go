package history

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/network"
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

func TestATaskMovesAnHourAfterItStopped(t *testing.T) {
	b := open(t, Options{})
	one, later := ended(1, 0), ended(2, time.Second)
	b.add(one, later)
	b.update(func(tx *store.Tx) {
		store.AccessKeys.Put(tx, &identity.AccessKey{ID: "mine", Principal: identity.Principal{TaskARN: one.ARN}})
		store.AccessKeys.Put(tx, &identity.AccessKey{ID: "other", Principal: identity.Principal{TaskARN: later.ARN}})
	})
	b.step(time.Hour - 1)
	b.want(one.ARN, true, false)
	b.step(time.Hour)
	b.want(one.ARN, false, true)
	b.want(later.ARN, true, false)
	if _, ok := store.AccessKeys.Get(b.store.View(), "mine"); ok {
		t.Error("the task's key is left")
	}
	if _, ok := store.AccessKeys.Get(b.store.View(), "other"); !ok {
		t.Error("another task's key is gone")
	}
	b.step(DefaultKeep - 1)
	b.want(one.ARN, false, true)
	b.reopen()
	b.step(DefaultKeep)
	b.want(one.ARN, false, false)
	b.want(later.ARN, false, true)
}

func TestWhatLivesOrHoldsSomethingStays(t *testing.T) {
	b := open(t, Options{MaxInStore: 1})
	held, lives, releasing := ended(1, 0), ended(2, 0), ended(3, 0)
	held.Attachments = []task.Attachment{{Status: store.AttachmentDeleted}, {Status: store.AttachmentAttached}}
	lives.Observed.Status = task.Running
	releasing.Assignment.Released = false
	b.add(held, lives, releasing)
	b.step(DefaultKeep)
	for _, x := range []*task.Task{held, lives, releasing} {
		b.want(x.ARN, true, false)
	}
	free := *held
	free.Attachments = []task.Attachment{{Status: store.AttachmentDeleted}}
	b.add(&free)
	b.step(DefaultKeep - 1)
	b.want(held.ARN, false, true)
}

func TestTheOldestOfTooManyMoveEarly(t *testing.T) {
	b := open(t, Options{MaxInStore: 5})
	for n := range 3 * moveAtOnce {
		b.add(ended(n, time.Duration(n)*time.Second))
	}
	b.step(0)
	if n := store.Tasks.Len(b.store.View()); n != 5 {
		t.Errorf("%d tasks are left", n)
	}
	b.want(ended(3*moveAtOnce-6, 0).ARN, false, true)
	b.want(ended(3*moveAtOnce-5, 0).ARN, true, false)
}

// What it shows must not depend on what is gone by the time it is read.
func TestATaskIsRememberedWhole(t *testing.T) {
	b := open(t, Options{})
	x := ended(1, 0)
	x.Spec.Overrides.Containers = []task.ContainerOverride{{Name: "app", Command: []string{}, CPU: new(7)}}
	x.Tags = []workload.Tag{{Key: "k", Value: "v"}}
	x.Attachments = []task.Attachment{{ID: "a", Status: store.AttachmentDeleted, Details: []workload.KeyValue{{Name: "subnetId", Value: "s"}}}}
	b.update(func(tx *store.Tx) {
		store.TaskDefinitions.Put(tx, &workload.Definition{
			ARN: x.Spec.DefinitionARN, Family: "job", NetworkMode: workload.AWSVPC,
			Containers: []workload.Container{{Name: "app", Image: "i", Essential: true, Memory: new(64), Environment: []workload.KeyValue{{Name: "PASSWORD", Value: "p"}}}},
		})
		store.Instances.Put(tx, &cluster.Instance{ARN: "instance", Zone: "z1", Attributes: []workload.Attribute{{Name: "ecs.cpu-architecture", Value: "arm64"}}})
		store.Subnets.Put(tx, &network.Subnet{Scope: scope, ID: "s", Zone: "z2"})
	})
	b.add(x)
	b.step(time.Hour)
	b.reopen()
	got, err := b.Task(x.ARN)
	must(t, err)
	want := &task.Past{
		Task: *x, Zone: "z2", Architecture: "arm64", StoppedAt: began,
		Definition: workload.Definition{
			ARN: x.Spec.DefinitionARN, Family: "job", NetworkMode: workload.AWSVPC,
			Containers: []workload.Container{{Name: "app", Image: "i", Essential: true, Memory: new(64)}},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Killed after the task was written, the next process finds it in both places; it
// has changed meanwhile.
func TestWrittenTwiceIsWrittenOnce(t *testing.T) {
	b := open(t, Options{})
	x := ended(1, 0)
	b.add(x)
	must(t, b.write(b.store.View(), []*task.Task{x}))
	once := b.bytes
	b.reopen()
	must(t, b.write(b.store.View(), []*task.Task{x}))
	if b.bytes != once {
		t.Errorf("%d bytes became %d", once, b.bytes)
	}
	again := *x
	again.Observed.StoppedAt, again.Spec.StartedBy = began.Add(time.Minute), "me"
	b.add(&again)
	b.step(2 * time.Hour)
	b.want(x.ARN, false, true)
	if got := b.list(task.PastQuery{}); len(got) != 1 || got[0].StoppedAt != began.Add(time.Minute).UnixNano() {
		t.Errorf("listed %v", got)
	}
	b.step(DefaultKeep + time.Minute)
	if b.bytes != 0 {
		t.Errorf("%d bytes of nothing", b.bytes)
	}
}

// What changed after it was written is not deleted before it is written anew.
func TestAChangeMeanwhileIsKept(t *testing.T) {
	x := ended(1, 0)
	s := memory.Open()
	changed := *x
	changed.Version++
	for _, c := range []struct {
		now  *task.Task
		gone bool
	}{{x, true}, {&changed, false}, {nil, false}} {
		_, err := s.Update(context.Background(), func(tx *store.Tx) error {
			store.Tasks.Delete(tx, x.ARN)
			if c.now != nil {
				store.Tasks.Put(tx, c.now)
			}
			if got := forget(tx, x); got != c.gone {
				t.Errorf("%+v: deleted %v", c.now, got)
			}
			return nil
		})
		must(t, err)
	}
}

func TestTheOldestGoWhenTheHistoryIsFull(t *testing.T) {
	b := open(t, Options{})
	b.add(ended(0, 0))
	b.step(time.Hour)
	b.Quota = 10*b.bytes + b.bytes/2
	for n := 1; n < 2*sweepAtOnce; n++ {
		b.add(ended(n, time.Duration(n)))
	}
	b.step(2 * time.Hour)
	got := b.list(task.PastQuery{})
	if len(got) != 10 || got[0].ARN != ended(2*sweepAtOnce-1, 0).ARN || b.bytes > b.Quota {
		t.Errorf("%d are left, %d bytes of %d", len(got), b.bytes, b.Quota)
	}
}

func TestANewerHistoryIsRefused(t *testing.T) {
	b := open(t, Options{})
	must(t, b.db.Set(keyTask("t"), []byte{recordVersion + 1, '{', '}'}, nil))
	if p, err := b.Task("t"); p != nil || err == nil {
		t.Errorf("read %+v, %v", p, err)
	}
	must(t, b.db.Set(keySchema(), encodeInt(schemaVersion+1), nil))
	o := b.Options
	must(t, b.Close())
	if _, err := Open(b.dir, o); err == nil {
		t.Error("opened")
	}
	b.dir = t.TempDir()
	b.open(o)
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
