// Package storetest is the contract of package store as a suite of tests, run on
// every journal there is.
package storetest

import (
	"context"
	"testing"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// Store is a store that can be closed.
type Store interface {
	store.Store
	Close() error
}

// Run tests a kind of store. make prepares an empty one and returns what opens
// it, again and again, with what was durable before.
func Run(t *testing.T, make func(t *testing.T) (open func() Store)) {
	for _, c := range []struct {
		name string
		test func(*testing.T, func() Store)
	}{
		{"an error changes nothing", errorChangesNothing},
		{"a panic changes nothing", panicChangesNothing},
		{"a part may fail by itself", aPartFails},
		{"a transaction reads its own writes", readsItsWrites},
		{"an iteration sees the moment it began", iterationIsStable},
		{"a view never changes", viewsAreImmutable},
		{"updates are alone", updatesAreAlone},
		{"several records change together", changesAreAtomic},
		{"what a reader in Update saw is durable", readersWait},
		{"pages follow one another", pages},
		{"a cancelled caller changes nothing", cancelled},
		{"too large an update is refused", tooLarge},
		{"watching is gap free", watchIsGapFree},
		{"a slow watcher stays small", slowWatcher},
		{"a topic tells of coming and going", topics},
		{"indexes agree with a naive model", indexesAgree},
		{"everything is there after a restart", restart},
		{"every field of every record survives", everyField},
		{"a closed store says so", closed},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, make(t)) })
	}
}

func opened(t *testing.T, open func() Store) Store {
	t.Helper()
	s := open()
	t.Cleanup(func() { s.Close() })
	return s
}

func update(t *testing.T, s store.Store, fn func(*store.Tx)) *store.View {
	t.Helper()
	v, err := s.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil })
	if err != nil {
		t.Fatalf("update: %v", err)
	}
	return v
}

func putTask(tx *store.Tx, arn string, version int64) {
	store.Tasks.Put(tx, &task.Task{ARN: arn, Version: version, Desired: task.Desired{Status: task.Running}})
}

func version(r store.Reader, arn string) int64 {
	if t, ok := store.Tasks.Get(r, arn); ok {
		return t.Version
	}
	return 0
}
