package control

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// Status is what a planner did.
type Status struct {
	Planner  string
	Looks    int64     // so far
	Made     int64     // changes, so far
	Stale    int64     // changes given up because the state had moved on
	LastLook time.Time // by the control's clock; zero before the first
	Again    time.Time // when it wants to look again; zero for never
	Error    string    // of the last look; empty when it went well
	Troubles []plan.Trouble
}

// runner is one planner with its history.
type runner struct {
	planner plan.Planner

	// Whoever steps owns these.
	again     time.Time // when the planner asked to look again
	wanted    bool      // something changed that may concern it
	restUntil time.Time

	mu     sync.Mutex
	status Status
}

// retryAfter is when to look again after a commit that failed.
const retryAfter = time.Second

func (r *runner) step(ctx context.Context, s store.Store, now time.Time) error {
	d := r.planner.Look(s.View(), now)
	made, stale, err := commit(ctx, s, d.Changes)
	if err != nil {
		d.Again = plan.Earliest(d.Again, now.Add(retryAfter))
	}
	r.again = d.Again
	r.note(now, &d, made, stale, err)
	return err
}

func (r *runner) note(now time.Time, d *plan.Decision, made, stale int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := &r.status
	st.Looks++
	st.Made += int64(made)
	st.Stale += int64(stale)
	st.LastLook, st.Again, st.Error = now, d.Again, ""
	st.Troubles = d.Troubles[:min(keptTroubles, len(d.Troubles))]
	if err != nil {
		st.Error = err.Error()
	}
}

func (r *runner) read() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// wakenBy tells whether any of the events can give the planner work.
func (r *runner) wakenBy(events []store.Event) bool {
	for _, e := range events {
		if slices.Contains(r.planner.Wakes, e.Table) {
			return true
		}
	}
	return false
}
