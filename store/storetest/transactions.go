package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

func errorChangesNothing(t *testing.T, open func() Store) {
	s := opened(t, open)
	before := update(t, s, func(tx *store.Tx) { putTask(tx, "kept", 1) })
	stop := errors.New("stop")
	_, err := s.Update(context.Background(), func(tx *store.Tx) error {
		putTask(tx, "kept", 2)
		putTask(tx, "new", 1)
		store.Tasks.Delete(tx, "kept")
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatalf("got %v", err)
	}
	after := update(t, s, func(tx *store.Tx) {
		if version(tx, "kept") != 1 || version(tx, "new") != 0 {
			t.Error("the next transaction sees what failed")
		}
	})
	if after.Revision() != before.Revision() {
		t.Errorf("revision moved from %d to %d", before.Revision(), after.Revision())
	}
}

func aPartFails(t *testing.T, open func() Store) {
	s := opened(t, open)
	v := update(t, s, func(tx *store.Tx) {
		putTask(tx, "before", 1)
		stop := errors.New("stop")
		if err := tx.Try(func(tx *store.Tx) error {
			putTask(tx, "before", 2)
			putTask(tx, "part", 1)
			return stop
		}); !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
		if err := tx.Try(func(tx *store.Tx) error { putTask(tx, "good", 1); return nil }); err != nil {
			t.Error(err)
		}
	})
	if version(v, "before") != 1 || version(v, "part") != 0 || version(v, "good") != 1 {
		t.Error("the failed part was not undone alone")
	}
}

func panicChangesNothing(t *testing.T, open func() Store) {
	s := opened(t, open)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		s.Update(context.Background(), func(tx *store.Tx) error {
			putTask(tx, "a", 1)
			panic("a bug")
		})
	}()
	v := update(t, s, func(tx *store.Tx) { putTask(tx, "b", 1) })
	if version(v, "a") != 0 || version(v, "b") != 1 {
		t.Error("the store did not survive a panic unchanged")
	}
}

func readsItsWrites(t *testing.T, open func() Store) {
	s := opened(t, open)
	update(t, s, func(tx *store.Tx) {
		putTask(tx, "a", 1)
		if version(tx, "a") != 1 || store.Tasks.Len(tx) != 1 {
			t.Error("a record put is not there")
		}
		moved := task.Task{ARN: "a", Spec: task.Spec{ClusterARN: "c", Group: "g"}}
		store.Tasks.Put(tx, &moved)
		if !store.Tasks.Has(tx, store.TasksByGroup, store.InCluster("c", "g")) {
			t.Error("the index does not have a record put")
		}
		if !store.Tasks.Delete(tx, "a") || store.Tasks.Delete(tx, "a") {
			t.Error("delete does not tell whether there was one")
		}
		if store.Tasks.Has(tx, store.TasksByGroup, store.InCluster("c", "g")) {
			t.Error("the index keeps a record deleted")
		}
	})
}

func iterationIsStable(t *testing.T, open func() Store) {
	s := opened(t, open)
	v := update(t, s, func(tx *store.Tx) {
		for n := range 200 {
			putTask(tx, fmt.Sprintf("%03d", n), 1)
		}
		seen := 0
		for r := range store.Tasks.All(tx) {
			seen++
			store.Tasks.Delete(tx, r.ARN)
			putTask(tx, "x"+r.ARN, 2)
		}
		if seen != 200 {
			t.Errorf("saw %d of 200 records", seen)
		}
	})
	if store.Tasks.Len(v) != 200 || version(v, "x199") != 2 {
		t.Error("changes made while iterating are lost")
	}
}

func viewsAreImmutable(t *testing.T, open func() Store) {
	s := opened(t, open)
	old := update(t, s, func(tx *store.Tx) { putTask(tx, "a", 1) })
	v := update(t, s, func(tx *store.Tx) { putTask(tx, "a", 2); putTask(tx, "b", 1) })
	if version(old, "a") != 1 || version(old, "b") != 0 || store.Tasks.Len(old) != 1 {
		t.Error("an old view changed")
	}
	if version(v, "a") != 2 || v.Revision() <= old.Revision() || s.View().Revision() < v.Revision() {
		t.Error("the new view is not newer")
	}
}

func updatesAreAlone(t *testing.T, open func() Store) {
	s := opened(t, open)
	const writers, rounds = 50, 20
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range rounds {
				mine := int64(0)
				v, err := s.Update(context.Background(), func(tx *store.Tx) error {
					mine = version(tx, "counter") + 1
					putTask(tx, "counter", mine)
					return nil
				})
				if err != nil {
					t.Error(err)
				} else if version(v, "counter") < mine {
					t.Errorf("the view has %d, not yet %d", version(v, "counter"), mine)
				}
			}
		})
	}
	wg.Wait()
	if got := version(s.View(), "counter"); got != writers*rounds {
		t.Errorf("counted %d of %d", got, writers*rounds)
	}
}

func changesAreAtomic(t *testing.T, open func() Store) {
	s := opened(t, open)
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			last := store.Revision(0)
			for {
				v := s.View()
				if a, b := version(v, "a"), version(v, "b"); a != b {
					t.Errorf("half a transaction: %d and %d", a, b)
					return
				}
				if v.Revision() < last {
					t.Errorf("revision went back from %d to %d", last, v.Revision())
					return
				}
				last = v.Revision()
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for range 20 {
		writers.Go(func() {
			for range 10 {
				update(t, s, func(tx *store.Tx) {
					n := version(tx, "a") + 1
					putTask(tx, "a", n)
					putTask(tx, "b", n)
				})
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
}

func readersWait(t *testing.T, open func() Store) {
	s := opened(t, open)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 20 {
				update(t, s, func(tx *store.Tx) { putTask(tx, "a", version(tx, "a")+1) })
			}
		})
		wg.Go(func() {
			for range 20 {
				saw := int64(0)
				v := update(t, s, func(tx *store.Tx) { saw = version(tx, "a") })
				if version(v, "a") < saw {
					t.Errorf("saw %d, was given a view with %d", saw, version(v, "a"))
				}
			}
		})
	}
	wg.Wait()
}

func cancelled(t *testing.T, open func() Store) {
	s := opened(t, open)
	inside, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		update(t, s, func(*store.Tx) { close(inside); <-leave })
	})
	<-inside
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.Update(ctx, func(tx *store.Tx) error { putTask(tx, "a", 1); return nil })
	close(leave)
	wg.Wait()
	if !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	if v := update(t, s, func(tx *store.Tx) {}); version(v, "a") != 0 {
		t.Error("the change was made all the same")
	}
}

func tooLarge(t *testing.T, open func() Store) {
	s := opened(t, open)
	_, err := s.Update(context.Background(), func(tx *store.Tx) error {
		for n := range 5000 {
			store.Clusters.Put(tx, &cluster.Cluster{ARN: fmt.Sprint(n)})
		}
		return nil
	})
	if !fault.IsKind(err, fault.LimitExceeded) {
		t.Fatalf("got %v", err)
	}
	if v := update(t, s, func(tx *store.Tx) {}); store.Clusters.Len(v) != 0 {
		t.Error("part of it was kept")
	}
}

func closed(t *testing.T, open func() Store) {
	s := open()
	update(t, s, func(tx *store.Tx) { putTask(tx, "a", 1) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(context.Background(), func(*store.Tx) error { return nil }); !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	if version(s.View(), "a") != 1 {
		t.Error("the last view is gone")
	}
}
