package bus

import (
	"cmp"
	"errors"
	"time"

	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// attempt delivers once and settles what becomes of the delivery. rest is how long
// the target wants peace before the next one.
func (b *Bus) attempt(l *lane, d *delivery) (rest time.Duration) {
	r, t := b.current(d)
	if t == nil { // removed meanwhile
		b.done(l, d)
		return 0
	}
	rest, err := b.deliver(d, r, t)
	if err == nil {
		b.delivered.Add(1)
		b.done(l, d)
		return rest
	}
	if b.ctx.Err() != nil { // the end, not the target's fault
		b.remove(l, d)
		return 0
	}
	if errors.Is(err, errBusy) && b.Now().Sub(d.received) < retryOf(t).MaxAge {
		b.later(d, b.Now().Add(busyWait))
		return 0
	}
	d.tries++
	if at, ok := again(d, t, err, b.Now()); ok {
		b.Log.Debug("an event is delivered later", "rule", r.Name, "target", t.ID, "try", d.tries, "at", at, "err", err)
		b.later(d, at)
		return rest
	}
	b.failed.Add(1)
	b.Log.Warn("an event could not be delivered", "rule", r.Name, "target", t.ID, "event", d.event.ID, "tries", d.tries, "err", err)
	b.report(d, r, t, err)
	b.done(l, d)
	return rest
}

// current is the rule and the target as they are now; nil when there are none any
// more.
func (b *Bus) current(d *delivery) (*event.Rule, *event.Target) {
	r, ok := store.Rules.Get(b.Store.View(), d.ruleKey())
	if !ok {
		return nil, nil
	}
	return r, r.Target(d.target)
}

func (b *Bus) deliver(d *delivery, r *event.Rule, t *event.Target) (rest time.Duration, err error) {
	switch t.Kind() {
	case event.LogGroup:
		return 0, b.record(d, r, t)
	case event.Tasks:
		return 0, b.run(d, r, t)
	case event.APIDestination:
		return b.call(d, r, t)
	}
	return 0, fault.New(fault.UnsupportedFeature, "The target %s is not supported.", t.ARN)
}

// done takes a delivery out, and concludes its firing with the last one.
func (b *Bus) done(l *lane, d *delivery) {
	b.remove(l, d)
	if d.firing != nil && d.firing.left.Add(-1) == 0 {
		b.conclude(&d.firing.record)
	}
}

// again is when a failed delivery is tried again; false when it is given up.
func again(d *delivery, t *event.Target, err error, now time.Time) (time.Time, bool) {
	if !passing(err) {
		return time.Time{}, false
	}
	at, ok := retryOf(t).Again(d.event.ID, d.tries, d.received, now)
	var answer *answerError
	if ok && errors.As(err, &answer) && now.Add(answer.after).After(at) {
		at = now.Add(answer.after)
	}
	return at, ok
}

func retryOf(t *event.Target) *event.RetryPolicy { return cmp.Or(t.Retry, new(event.DefaultRetry())) }

// passing tells whether the same delivery may succeed later. A fault that blames
// the request will not pass; a server's, or a network's, may.
func passing(err error) bool {
	var answer *answerError
	if errors.As(err, &answer) {
		return answer.passing()
	}
	var f *fault.Fault
	if errors.As(err, &f) {
		return f.Kind.OurFault() || f.Kind == fault.Throttling
	}
	var unplaced *unplacedError
	return !errors.As(err, &unplaced)
}

// report says of a scheduled target that it ran no task, in an event.
func (b *Bus) report(d *delivery, r *event.Rule, t *event.Target, err error) {
	if d.firing == nil || t.Kind() != event.Tasks {
		return
	}
	failure := event.ScheduledTaskFailure{
		Rule: r, TargetID: t.ID, Cluster: t.ARN, Firing: d.firing.record.At, Reason: err.Error(), At: b.Now(),
	}
	var unplaced *unplacedError
	if errors.As(err, &unplaced) {
		failure.Code, failure.Hint = unplaced.failures[0].Reason, "add capacity to the cluster, or ask for less in the task definition"
	} else {
		f := fault.Of(err)
		failure.Code, failure.Reason, failure.Hint = f.Kind.String(), f.Message, f.Hint
	}
	b.Publish(failure.Event())
}
