package history

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

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
	held.Attachments = []task.Attachment{{Status: task.AttachmentDeleted}, {Status: task.AttachmentAttached}}
	lives.Observed.Status = task.Running
	releasing.Assignment.Released = false
	b.add(held, lives, releasing)
	b.step(DefaultKeep)
	for _, x := range []*task.Task{held, lives, releasing} {
		b.want(x.ARN, true, false)
	}
	free := *held
	free.Attachments = []task.Attachment{{Status: task.AttachmentDeleted}}
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
	x.Attachments = []task.Attachment{{ID: "a", Status: task.AttachmentDeleted, Details: []workload.KeyValue{{Name: "subnetId", Value: "s"}}}}
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
