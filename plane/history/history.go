// Package history keeps tasks that have stopped, after the store has let go of
// them. It alone ends a task's record in the store: an hour after the stop, or
// when too many are kept there, it writes the task down and then deletes it, with
// the access keys it had. Killed between the two it finds the task in both, and
// writes it once more, which changes nothing.
//
// Tasks lie in a pebble database by ARN, with one index by cluster, the last that
// stopped first, and one by the time of the stop, by which they are forgotten.
// key.go has the layout.
//
// Whoever opens a History closes it, after its Run has ended.
package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/berthhq/berth/store"
)

// DefaultKeep is how long stopped tasks stay readable.
const DefaultKeep = 7 * 24 * time.Hour

// InStore is how long a stopped task stays in the store, as AWS describes it for
// an hour; History keeps none shorter.
const InStore = time.Hour

const (
	defaultMaxInStore = 10_000
	defaultQuota      = 4 << 30
	// interval between looks: with the store at its most, so long may it exceed it.
	interval = 10 * time.Second
)

// Options of a history.
type Options struct {
	Store store.Store
	// Keep is how long a task stays readable after its stop; 0 for DefaultKeep.
	Keep time.Duration
	// MaxInStore is how many stopped tasks the store keeps; 0 for 10,000.
	MaxInStore int
	// Quota bounds the bytes of the tasks as written, some 3 KB each; 0 for 4 GiB.
	// On disk they take about a tenth of it.
	Quota int64
	Now   func() time.Time // nil for the clock
	Log   *slog.Logger     // nil for none
}

// History is open.
type History struct {
	Options
	db *pebble.DB

	mu    sync.Mutex // held by who writes
	bytes int64      // of all tasks
}

// Open opens the history in dir, making it if there is none.
func Open(dir string, o Options) (*History, error) {
	o.Keep = max(cmp.Or(o.Keep, DefaultKeep), InStore)
	o.MaxInStore = cmp.Or(o.MaxInStore, defaultMaxInStore)
	o.Quota = cmp.Or(o.Quota, defaultQuota)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	db, err := openDatabase(dir, o.Log)
	if err != nil {
		return nil, fmt.Errorf("open the history of tasks in %s: %w", dir, err)
	}
	h := &History{Options: o, db: db}
	if err := h.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("read the history of tasks in %s: %w", dir, err), db.Close())
	}
	return h, nil
}

// Close closes the database.
func (h *History) Close() error { return h.db.Close() }

// Run moves tasks out of the store and forgets old ones until ctx ends.
func (h *History) Run(ctx context.Context) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := h.Step(ctx); err != nil && ctx.Err() == nil {
			h.Log.Error("keep the history of tasks", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Step moves what is due out of the store and forgets what is too old or too much.
func (h *History) Step(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for more := true; more; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var err error
		if more, err = h.move(ctx); err != nil {
			return err
		}
	}
	return h.sweep(ctx)
}
