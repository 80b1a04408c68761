package control

import (
	"context"
	"time"

	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

const (
	// tick is when every planner looks though nothing happened, so that a
	// mistake in what wakes it costs no more than this.
	tick = 10 * time.Second
	// restShare keeps a planner with much to do from taking the machine: after
	// a look of one millisecond it rests two.
	restShare = 2
)

// Run turns until ctx ends: each planner looks when a table that wakes it changes,
// when the time it asked for has come, and every ten seconds. now is the planners'
// clock.
func (c *Control) Run(ctx context.Context, now func() time.Time) error {
	l := c.Begin(now())
	defer l.Close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.watch.Ready():
		case <-timer.C:
		}
		timer.Reset(l.Turn(ctx, now).Sub(now()))
	}
}

// Loop is a Control at work.
type Loop struct {
	control  *Control
	watch    *store.Watcher
	nextTick time.Time
}

// Begin starts to listen. At the first turn every planner looks at everything.
func (c *Control) Begin(now time.Time) *Loop {
	l := &Loop{control: c, nextTick: now}
	_, l.watch = c.store.Watch(c.topics()...)
	return l
}

// Close ends the listening.
func (l *Loop) Close() { l.watch.Close() }

// Turn hears what happened since the last one and lets the planners look that are
// due. It returns when the next is, if nothing happens before.
func (l *Loop) Turn(ctx context.Context, now func() time.Time) (again time.Time) {
	c := l.control
	events, v := l.watch.Take().Events, c.store.View()
	for _, r := range c.planners {
		r.hear(v, events)
	}
	if t := now(); !t.Before(l.nextTick) {
		l.nextTick = t.Add(tick)
		for _, r := range c.planners {
			r.wanted = true
		}
	}
	again = l.nextTick
	for _, r := range c.planners {
		c.turn(ctx, r, now)
		if !r.planner.Makes || !c.resting.Load() {
			again = plan.Earliest(again, r.next())
		}
	}
	return again
}

// turn lets a planner look if it is due and rested.
func (c *Control) turn(ctx context.Context, r *runner, now func() time.Time) {
	began := now()
	due := r.wanted || len(r.called) > 0 || !r.again.IsZero() && !began.Before(r.again)
	if !due || began.Before(r.restUntil) || r.planner.Makes && c.resting.Load() {
		return
	}
	step := r.step
	if r.planner.LookAt != nil && !r.wanted {
		step = r.stepParts
	}
	r.wanted = false
	if err := step(ctx, c.store, began); err != nil && ctx.Err() == nil {
		c.log.Warn("a planner could not make its changes", "planner", r.planner.Name, "err", err)
	}
	ended := now()
	r.restUntil = ended.Add(restShare * ended.Sub(began))
}

// next is when a planner is due, zero for never.
func (r *runner) next() time.Time {
	switch {
	case r.wanted || len(r.called) > 0:
		return r.restUntil
	case !r.again.IsZero() && r.again.Before(r.restUntil):
		return r.restUntil
	}
	return r.again
}

func (c *Control) topics() []store.Topic {
	seen := map[store.Descriptor]bool{}
	var out []store.Topic
	for _, r := range c.planners {
		for _, d := range r.planner.Wakes {
			if !seen[d] {
				seen[d] = true
				out = append(out, store.TopicOf(d))
			}
		}
	}
	return out
}
