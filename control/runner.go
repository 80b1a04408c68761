package control

import (
	"context"
	"iter"
	"maps"
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
	again     time.Time            // when the planner asked to look again
	parts     map[string]time.Time // the same for parts of its work, those that did not ask left out
	wanted    bool                 // something changed that may concern all of it
	called    map[string]bool      // or these parts
	restUntil time.Time

	mu     sync.Mutex
	status Status
}

// retryAfter is when to look again after a commit that failed.
const retryAfter = time.Second

// step looks at everything.
func (r *runner) step(ctx context.Context, s store.Store, now time.Time) error {
	v := s.View()
	if r.planner.LookAt == nil {
		d := r.planner.Look(v, now)
		return r.commit(ctx, s, now, &d)
	}
	r.parts, r.called = map[string]time.Time{}, nil
	return r.lookAt(ctx, s, v, now, r.planner.Parts.All(v))
}

// stepParts looks at the parts that were called for or are due.
func (r *runner) stepParts(ctx context.Context, s store.Store, now time.Time) error {
	due := r.called
	r.called = nil
	for part, at := range r.parts {
		if !at.After(now) {
			if due == nil {
				due = map[string]bool{}
			}
			due[part] = true
		}
	}
	return r.lookAt(ctx, s, s.View(), now, slices.Values(slices.Sorted(maps.Keys(due))))
}

// lookAt decides about parts, one after the other, and commits what all of them
// want.
func (r *runner) lookAt(ctx context.Context, s store.Store, v *store.View, now time.Time, parts iter.Seq[string]) error {
	var all plan.Decision
	var looked []string
	for part := range parts {
		d := r.planner.LookAt(v, now, part)
		all.Changes, all.Troubles = append(all.Changes, d.Changes...), append(all.Troubles, d.Troubles...)
		if delete(r.parts, part); !d.Again.IsZero() {
			r.parts[part] = d.Again
		}
		looked = append(looked, part)
	}
	for _, at := range r.parts {
		all.Again = plan.Earliest(all.Again, at)
	}
	err := r.commit(ctx, s, now, &all)
	if err != nil {
		for _, part := range looked {
			r.parts[part] = plan.Earliest(r.parts[part], now.Add(retryAfter))
		}
	}
	return err
}

func (r *runner) commit(ctx context.Context, s store.Store, now time.Time, d *plan.Decision) error {
	made, stale, err := commit(ctx, s, d.Changes)
	if err != nil {
		d.Again = plan.Earliest(d.Again, now.Add(retryAfter))
	}
	r.again = d.Again
	r.note(now, d, made, stale, err)
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

// hear takes note of events that can give the planner work.
func (r *runner) hear(v *store.View, events []store.Event) {
	for _, e := range events {
		if !slices.Contains(r.planner.Wakes, e.Table) {
			continue
		}
		if r.planner.LookAt == nil {
			r.wanted = true
			return
		}
		for _, part := range r.planner.Parts.Of(v, e) {
			if r.called == nil {
				r.called = map[string]bool{}
			}
			r.called[part] = true
		}
	}
}
