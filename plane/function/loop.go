package function

import (
	"context"
	"sync"
	"time"

	"github.com/berthhq/berth/store"
)

// Errand is something to do for a record at a time. Do works beside the loop; there is
// one at a time of an ID.
type Errand struct {
	ID string
	At time.Time
	Do func(context.Context)
}

// Loop does what the records of a table say is due.
type Loop[T any] struct {
	Store store.Store
	Table *store.Table[T]
	// Open tells whether a record has something to do, now or some time.
	Open func(*T) bool
	// Due lists the errands of an open record, those of the future too.
	Due func(*store.View, *T) []Errand
	Now func() time.Time

	calls sync.WaitGroup
	done  chan string
	open  map[string]bool // keys of open records
	busy  map[string]bool // ids of errands that are being done
}

// Run works until ctx ends. Errands under way are given up then, and done again by
// the next Run.
func (l *Loop[T]) Run(ctx context.Context) {
	l.done, l.open, l.busy = make(chan string), map[string]bool{}, map[string]bool{}
	v, watch := l.Store.Watch(l.Table.Topic())
	defer l.calls.Wait()
	defer watch.Close()
	for record := range l.Table.All(v) {
		l.note(record)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-l.done:
			delete(l.busy, id)
		case <-watch.Ready():
			for _, e := range watch.Take().Events {
				if old, next, _ := l.Table.Of(e); next != nil {
					l.note(next)
				} else if old != nil {
					delete(l.open, l.Table.Primary(old))
				}
			}
		case <-timer.C:
		}
		if next := l.beginDue(ctx); !next.IsZero() {
			timer.Reset(next.Sub(l.Now()))
		}
	}
}

// note remembers whether a record is open.
func (l *Loop[T]) note(record *T) {
	if key := l.Table.Primary(record); l.Open(record) {
		l.open[key] = true
	} else {
		delete(l.open, key)
	}
}

// beginDue begins the errands that are due, and returns when the next is; zero for
// never.
func (l *Loop[T]) beginDue(ctx context.Context) (next time.Time) {
	v, now := l.Store.View(), l.Now()
	for key := range l.open {
		record, ok := l.Table.Get(v, key)
		if !ok {
			continue
		}
		for _, e := range l.Due(v, record) {
			switch {
			case l.busy[e.ID]:
			case now.Before(e.At):
				if next.IsZero() || e.At.Before(next) {
					next = e.At
				}
			default:
				l.begin(ctx, e)
			}
		}
	}
	return next
}

func (l *Loop[T]) begin(ctx context.Context, e Errand) {
	l.busy[e.ID] = true
	l.calls.Go(func() {
		e.Do(ctx)
		select {
		case l.done <- e.ID:
		case <-ctx.Done():
		}
	})
}

// rest is how long to wait after a change that could not be written.
const rest = time.Second

// Keep writes what came of an errand, however often it takes. failed hears of each
// time that it could not be.
func Keep(ctx context.Context, st store.Store, change func(*store.Tx), failed func(error)) {
	for ctx.Err() == nil {
		_, err := st.Update(ctx, func(tx *store.Tx) error { change(tx); return nil })
		if err == nil {
			return
		}
		failed(err)
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
	}
}
