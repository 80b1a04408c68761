package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

// shaky is a journal with faults: it decides for each batch whether it is kept and
// what the receipt says.
type shaky struct {
	*memory.Journal
	decide  func(sequence uint64) (kept bool, receipt error)
	hold    chan struct{} // when not nil, receipts come only after it is closed
	loadErr error
	batches int
	largest int
}

var errShaky = errors.New("the disk shook")

func (s *shaky) Append(b *store.Batch) <-chan store.Receipt {
	s.batches++
	s.largest = max(s.largest, len(b.Changes))
	kept, failure := true, error(nil)
	if s.decide != nil {
		kept, failure = s.decide(b.Sequence)
	}
	out := make(chan store.Receipt, 1)
	answer := func() {
		if failure != nil {
			out <- store.Receipt{Err: failure}
		} else {
			out <- store.Receipt{Revision: store.Revision(b.Sequence)}
		}
	}
	if kept {
		<-s.Journal.Append(b)
	}
	if s.hold == nil {
		answer()
		return out
	}
	hold := s.hold
	go func() { <-hold; answer() }()
	return out
}

func (s *shaky) Load(ctx context.Context) (*store.Contents, error) {
	if s.loadErr != nil {
		return nil, s.loadErr
	}
	return s.Journal.Load(ctx)
}

func lead(t *testing.T, j store.Journal) *store.Leader {
	t.Helper()
	l, err := store.Lead(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func put(l *store.Leader, arn string) error {
	v, err := l.Update(context.Background(), func(tx *store.Tx) error {
		store.Clusters.Put(tx, &cluster.Cluster{ARN: arn})
		return nil
	})
	if err == nil && !has(v, arn) {
		return fmt.Errorf("acknowledged %s without it in the view", arn)
	}
	return err
}

func has(r store.Reader, arn string) bool {
	_, ok := store.Clusters.Get(r, arn)
	return ok
}

func TestFailedBatch(t *testing.T) {
	for _, c := range []struct {
		name    string
		kept    bool
		receipt error
		loadErr error
		kind    fault.Kind // of the caller's error
		ok      bool       // there is none
		after   bool       // the record is there once the store has recovered
	}{
		{name: "not written", receipt: errShaky, kind: fault.Unavailable},
		{name: "written, the receipt lost", kept: true, receipt: errShaky, ok: true, after: true},
		{name: "refused, nothing to read", receipt: store.ErrNotWritten, loadErr: errShaky, kind: fault.Unavailable},
		{name: "nobody knows, not written", receipt: errShaky, loadErr: errShaky, kind: fault.Server},
		{name: "nobody knows, written", kept: true, receipt: errShaky, loadErr: errShaky, kind: fault.Server, after: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := &shaky{Journal: memory.NewJournal()}
			l := lead(t, j)
			if err := put(l, "before"); err != nil {
				t.Fatal(err)
			}
			_, w := l.Watch(store.Clusters.Topic())
			j.decide = func(uint64) (bool, error) { return c.kept, c.receipt }
			j.loadErr = c.loadErr
			if err := put(l, "a"); (err == nil) != c.ok || err != nil && !fault.IsKind(err, c.kind) {
				t.Fatalf("got %v", err)
			}
			if c.loadErr != nil {
				if err := put(l, "b"); !fault.IsKind(err, fault.Unavailable) {
					t.Errorf("while broken: %v", err)
				}
			}
			j.decide, j.loadErr = nil, nil
			if err := put(l, "later"); err != nil {
				t.Fatalf("after recovery: %v", err)
			}
			v := l.View()
			if has(v, "a") != c.after || has(v, "b") || !has(v, "before") {
				t.Errorf("a %v b %v before %v", has(v, "a"), has(v, "b"), has(v, "before"))
			}
			told := map[string]int{}
			for _, e := range w.Take().Events {
				told[e.Key]++
			}
			if (told["a"] == 1) != c.after || told["later"] != 1 || len(told) != store.Clusters.Len(v)-1 {
				t.Errorf("watcher was told %v", told)
			}
		})
	}
}

// One failed batch fails those behind it, which were made on top of it.
func TestFailureTakesThoseBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &shaky{Journal: memory.NewJournal(), hold: make(chan struct{})}
		j.decide = func(sequence uint64) (bool, error) {
			if sequence < 2 {
				return true, nil
			}
			return false, errShaky
		}
		l := lead(t, j)
		var mu sync.Mutex
		outcome := map[string]error{}
		for n := range 8 {
			go func() {
				err := put(l, fmt.Sprint(n))
				mu.Lock()
				defer mu.Unlock()
				outcome[fmt.Sprint(n)] = err
			}()
			synctest.Wait()
		}
		close(j.hold)
		synctest.Wait()
		if len(outcome) != 8 || outcome["0"] != nil {
			t.Fatalf("outcomes %v", outcome)
		}
		for n := 1; n < 8; n++ {
			if err := outcome[fmt.Sprint(n)]; !fault.IsKind(err, fault.Unavailable) {
				t.Errorf("%d: %v", n, err)
			}
		}
		j.hold, j.decide = nil, nil
		if err := put(l, "later"); err != nil || store.Clusters.Len(l.View()) != 2 {
			t.Errorf("after: %v, %d records", err, store.Clusters.Len(l.View()))
		}
	})
}

// While batches are on their way, what comes gathers, up to the bound, and then
// callers wait; nothing is lost and nobody waits for company.
func TestBatching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &shaky{Journal: memory.NewJournal(), hold: make(chan struct{})}
		l := lead(t, j)
		var failed error
		for n := range 400 {
			go func() {
				if err := put(l, fmt.Sprint(n)); err != nil {
					failed = err
				}
			}()
		}
		synctest.Wait()
		if j.batches != 2 || j.largest != 1 {
			t.Errorf("%d batches of up to %d changes while idle", j.batches, j.largest)
		}
		close(j.hold)
		synctest.Wait()
		if failed != nil || store.Clusters.Len(l.View()) != 400 {
			t.Fatalf("%v, %d records", failed, store.Clusters.Len(l.View()))
		}
		if j.largest != 128 {
			t.Errorf("the largest batch held %d changes", j.largest)
		}
	})
}

// Who gives up waiting is told that nobody knows, and the change goes its way.
func TestImpatientCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &shaky{Journal: memory.NewJournal(), hold: make(chan struct{})}
		l := lead(t, j)
		ctx, cancel := context.WithCancel(context.Background())
		var err error
		go func() {
			_, err = l.Update(ctx, func(tx *store.Tx) error {
				store.Clusters.Put(tx, &cluster.Cluster{ARN: "a"})
				return nil
			})
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if !fault.IsKind(err, fault.Server) {
			t.Errorf("got %v", err)
		}
		if has(l.View(), "a") {
			t.Error("visible before it is durable")
		}
		close(j.hold)
		synctest.Wait()
		if !has(l.View(), "a") {
			t.Error("the change is lost")
		}
	})
}

func TestEachTableHasItsNameAndSchema(t *testing.T) {
	seen := map[string]bool{}
	for i, d := range store.Tables() {
		if d == nil || seen[d.Name()] {
			t.Fatalf("table %d is missing or twice", i)
		}
		seen[d.Name()] = true
		if d.Version() == 0 {
			t.Errorf("%s has no schema version", d.Name())
		}
	}
}
