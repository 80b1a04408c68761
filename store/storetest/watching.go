package storetest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// follower applies what a watcher tells to the view it began with.
type follower struct {
	have map[string]*task.Task
	at   store.Revision
}

func newFollower(v *store.View) *follower {
	f := &follower{have: map[string]*task.Task{}, at: v.Revision()}
	for t := range store.Tasks.All(v) {
		f.have[t.ARN] = t
	}
	return f
}

func (f *follower) apply(d store.Delta) error {
	if d.View == nil {
		return nil
	}
	if d.View.Revision() <= f.at {
		return fmt.Errorf("revision %d after %d", d.View.Revision(), f.at)
	}
	f.at = d.View.Revision()
	for _, e := range d.Events {
		old, next, ok := store.Tasks.Of(e)
		if !ok {
			return fmt.Errorf("an event of %s", e.Table.Name())
		}
		if f.have[e.Key] != old {
			return fmt.Errorf("%s: the old value is not the one before", e.Key)
		}
		if next == nil {
			delete(f.have, e.Key)
		} else {
			f.have[e.Key] = next
		}
	}
	return f.same(d.View)
}

func (f *follower) same(v *store.View) error {
	if n := store.Tasks.Len(v); n != len(f.have) {
		return fmt.Errorf("followed to %d records, the view has %d", len(f.have), n)
	}
	for t := range store.Tasks.All(v) {
		if f.have[t.ARN] != t {
			return fmt.Errorf("%s differs from the view", t.ARN)
		}
	}
	return nil
}

func watchIsGapFree(t *testing.T, open func() Store) {
	s := opened(t, open)
	stop := make(chan struct{})
	var writers, watchers sync.WaitGroup
	for w := range 10 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			for range 60 {
				update(t, s, func(tx *store.Tx) { churn(tx, r) })
			}
		})
	}
	for w := range 10 {
		watchers.Go(func() {
			for range 10 * w { // begin at different moments
				update(t, s, func(tx *store.Tx) {})
			}
			v, watch := s.Watch(store.Tasks.Topic())
			defer watch.Close()
			f := newFollower(v)
			for going := true; going; {
				select {
				case <-watch.Ready():
				case <-stop:
					going = false
				}
				if err := f.apply(watch.Take()); err != nil {
					t.Errorf("watcher %d: %v", w, err)
					return
				}
			}
			if err := f.same(s.View()); err != nil {
				t.Errorf("watcher %d at the end: %v", w, err)
			}
		})
	}
	writers.Wait()
	close(stop)
	watchers.Wait()
}

// churn puts and deletes a few of a few records.
func churn(tx *store.Tx, r *rand.Rand) {
	for range 1 + r.IntN(3) {
		key := fmt.Sprint(r.IntN(20))
		if r.IntN(3) == 0 {
			store.Tasks.Delete(tx, key)
		} else {
			putTask(tx, key, r.Int64())
		}
	}
}

func slowWatcher(t *testing.T, open func() Store) {
	s := opened(t, open)
	update(t, s, func(tx *store.Tx) { putTask(tx, "stays", 1); putTask(tx, "goes", 1) })
	_, w := s.Watch()
	defer w.Close()
	for n := range 400 {
		update(t, s, func(tx *store.Tx) { putTask(tx, fmt.Sprint(n), 1); putTask(tx, "stays", int64(n)) })
		update(t, s, func(tx *store.Tx) { store.Tasks.Delete(tx, fmt.Sprint(n)) })
	}
	update(t, s, func(tx *store.Tx) { store.Tasks.Delete(tx, "goes") })
	d := w.Take()
	if len(d.Events) != 2 || cap(d.Events) > 300 {
		t.Fatalf("%d events with room for %d, want 2", len(d.Events), cap(d.Events))
	}
	old, next, _ := store.Tasks.Of(d.Events[0])
	if d.Events[0].Key != "stays" || old.Version != 1 || next.Version != 399 {
		t.Errorf("got %+v", d.Events[0])
	}
	if old, next, _ := store.Tasks.Of(d.Events[1]); old == nil || next != nil {
		t.Errorf("got %+v", d.Events[1])
	}
}

func topics(t *testing.T, open func() Store) {
	s := opened(t, open)
	key := store.InCluster("c", "g")
	_, w := s.Watch(store.Tasks.TopicBy(store.TasksByGroup, key), store.Clusters.Topic())
	defer w.Close()
	put := func(group string) {
		update(t, s, func(tx *store.Tx) {
			store.Tasks.Put(tx, &task.Task{ARN: "a", Spec: task.Spec{ClusterARN: "c", Group: group}})
		})
	}
	for _, step := range []struct {
		group string
		told  bool
	}{{"other", false}, {"g", true}, {"g", true}, {"other", true}, {"another", false}} {
		put(step.group)
		if d := w.Take(); (len(d.Events) == 1) != step.told {
			t.Errorf("moved to %q: told %d events", step.group, len(d.Events))
		}
	}
	w.Close()
	put("g")
	if d := w.Take(); d.View != nil {
		t.Error("told after Close")
	}
}
