// Package control is the one loop on the leader that runs the planners: it wakes
// when something changed or a moment has come, lets each planner look, and commits
// what it wants. What each did last can be read at any time.
package control

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/assignment"
	"github.com/berthhq/berth/plan/attach"
	"github.com/berthhq/berth/plan/daemon"
	"github.com/berthhq/berth/plan/express"
	"github.com/berthhq/berth/plan/node"
	"github.com/berthhq/berth/plan/reap"
	"github.com/berthhq/berth/plan/road"
	"github.com/berthhq/berth/plan/rollout"
	"github.com/berthhq/berth/plan/spot"
	"github.com/berthhq/berth/store"
)

const (
	// commitAtOnce is how many changes one transaction makes: enough to spread
	// its cost, few enough that requests in between do not wait long.
	commitAtOnce = 100
	// keptTroubles is how many troubles a planner's status shows.
	keptTroubles = 100
)

// Options of the planners.
type Options struct {
	// NewID gives 32 random hex digits to the planners that make tasks or tell of them.
	NewID func() string

	Assignment assignment.Options
	Attach     attach.Options
	Daemon     daemon.Options
	Node       node.Options
	Reap       reap.Options
	Rollout    rollout.Options
}

// Planners are all there are, in the order in which they look.
func Planners(o Options) []plan.Planner {
	o.Rollout.NewID, o.Daemon.NewID, o.Attach.NewID = o.NewID, o.NewID, o.NewID
	return []plan.Planner{
		daemon.Planner(o.Daemon), rollout.Planner(o.Rollout), assignment.Planner(o.Assignment), spot.Planner(), attach.Planner(o.Attach), node.Planner(o.Node), reap.Planner(o.Reap),
		road.Planner(), express.Planner(),
	}
}

// Control runs planners over a store.
type Control struct {
	store    store.Store
	log      *slog.Logger
	planners []*runner
	resting  atomic.Bool // planners that make tasks do not look
}

// New makes a Control; a nil log is silent.
func New(s store.Store, planners []plan.Planner, log *slog.Logger) *Control {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Control{store: s, log: log}
	for _, p := range planners {
		c.planners = append(c.planners, &runner{planner: p, status: Status{Planner: p.Name}})
	}
	return c
}

// Step lets every planner look once, at what those before it committed, and
// commits what each wants. It returns when to step again if nothing changes
// before, zero for never. Nothing but the store and the time decides what it does.
func (c *Control) Step(ctx context.Context, now time.Time) (again time.Time, err error) {
	for _, r := range c.planners {
		err = errors.Join(err, r.step(ctx, c.store, now))
		again = plan.Earliest(again, r.again)
	}
	return again, err
}

// Rest makes no more tasks from now on, for as long as this Control lives: berth is
// about to stop them all.
func (c *Control) Rest() { c.resting.Store(true) }

// Status says what each planner did last.
func (c *Control) Status() []Status {
	out := make([]Status, len(c.planners))
	for i, r := range c.planners {
		out[i] = r.read()
	}
	return out
}

// commit makes the changes, a part of them in each transaction. A change that
// fails leaves the others as they are.
func commit(ctx context.Context, s store.Store, changes []plan.Change) (made, stale int, err error) {
	for len(changes) > 0 {
		n := min(commitAtOnce, len(changes))
		var failed []error
		done, gone := 0, 0
		_, storeErr := s.Update(ctx, func(tx *store.Tx) error {
			for _, c := range changes[:n] {
				switch err := tx.Try(c.Apply); {
				case err == nil:
					done++
				case errors.Is(err, plan.ErrStale):
					gone++
				default:
					failed = append(failed, &changeError{c, err})
				}
			}
			return nil
		})
		if storeErr != nil {
			return made, stale, storeErr
		}
		made, stale, changes = made+done, stale+gone, changes[n:]
		err = errors.Join(append(failed, err)...)
	}
	return made, stale, err
}

// changeError is a change that could not be made.
type changeError struct {
	change plan.Change
	err    error
}

func (e *changeError) Error() string {
	return e.change.Subject + ": " + e.change.Says + ": " + e.err.Error()
}

func (e *changeError) Unwrap() error { return e.err }
