package bus

import (
	"slices"
	"time"

	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/store"
)

// Bounds of what waits.
const (
	maxWaiting      = 1000     // for one target
	maxWaitingBytes = 64 << 20 // of all events
	saidEvery       = time.Minute
)

// delivery is one event on its way to one target.
type delivery struct {
	rule     *event.Rule // as it was when it matched
	target   string      // id
	event    *event.Event
	received time.Time
	firing   *firing // nil but for schedules
	tries    int     // that failed
	due      time.Time
}

func (d *delivery) size() int { return len(d.event.Detail) + 512 } // with the envelope, about

func (d *delivery) ruleKey() string { return store.RuleKey(d.rule.Scope, d.rule.Bus, d.rule.Name) }

// lane is what waits for one target. A goroutine serves it while anything does.
type lane struct {
	waiting []*delivery
	wake    chan struct{} // something was added
}

// add puts a delivery into its target's lane, or drops it when there is no room.
func (b *Bus) add(d *delivery) {
	key := d.ruleKey() + " " + d.target
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return
	}
	l := b.lanes[key]
	if l != nil && len(l.waiting) >= maxWaiting || b.bytes+d.size() > maxWaitingBytes {
		b.drop(d)
		return
	}
	b.bytes += d.size()
	if l != nil {
		l.waiting = append(l.waiting, d)
		select {
		case l.wake <- struct{}{}:
		default:
		}
		return
	}
	l = &lane{waiting: []*delivery{d}, wake: make(chan struct{}, 1)}
	b.lanes[key] = l
	b.serves.Go(func() { b.drive(key, l) })
}

// drop counts a delivery that found no room, and says so now and then. Its firing
// stays, to be served after a restart.
func (b *Bus) drop(d *delivery) {
	n := b.dropped.Add(1)
	if now := b.Now(); now.Sub(b.saidDrop) >= saidEvery {
		b.saidDrop = now
		b.Log.Warn("events are dropped: too many wait for their target", "rule", d.rule.Name, "target", d.target, "dropped so far", n)
	}
}

// drive delivers what waits in a lane, until nothing does.
func (b *Bus) drive(key string, l *lane) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		d, due := b.next(key, l)
		switch {
		case d != nil:
			if rest := b.attempt(l, d); rest > 0 {
				b.pause(rest)
			}
			continue
		case due.IsZero():
			return
		}
		timer.Reset(due.Sub(b.Now()))
		select {
		case <-b.ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
		}
	}
}

func (b *Bus) pause(rest time.Duration) {
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-b.ctx.Done():
	case <-timer.C:
	}
}

// next is the first delivery that is due; without one, when the first is. An empty
// lane ends.
func (b *Bus) next(key string, l *lane) (d *delivery, due time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(l.waiting) == 0 || b.ctx.Err() != nil {
		delete(b.lanes, key)
		return nil, time.Time{}
	}
	now := b.Now()
	for _, w := range l.waiting {
		if !w.due.After(now) {
			return w, time.Time{}
		}
		if due.IsZero() || w.due.Before(due) {
			due = w.due
		}
	}
	return nil, due
}

// remove takes a delivery out of its lane.
func (b *Bus) remove(l *lane, d *delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(l.waiting, d); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
		b.bytes -= d.size()
	}
}

// later lets a delivery wait for its next try.
func (b *Bus) later(d *delivery, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d.due = at
}

// oldest is when the first of the events that wait was received; now when none
// does.
func (b *Bus) oldest(now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	oldest := now
	for _, l := range b.lanes {
		for _, d := range l.waiting {
			if d.firing == nil && d.received.Before(oldest) {
				oldest = d.received
			}
		}
	}
	return oldest
}
