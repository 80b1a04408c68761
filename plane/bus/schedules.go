package bus

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/store"
)

// firing is a claimed moment of a schedule on its way to the rule's targets.
type firing struct {
	record event.Firing
	left   atomic.Int32 // targets that are not served yet
}

// refireAfter is when to look again after the store refused a claim.
const refireAfter = time.Second

// fire claims every moment of a schedule that has come and serves its targets. It
// returns when the next one comes, zero for never. Of moments that were missed
// only the last one fires.
func (b *Bus) fire(ctx context.Context) (again time.Time) {
	now := b.Now()
	for {
		due := b.due(now)
		if len(due) == 0 {
			break
		}
		claimed, err := b.claim(ctx, due, now)
		if err != nil {
			if ctx.Err() == nil {
				b.Log.Warn("schedules could not be claimed", "err", err)
			}
			return now.Add(refireAfter)
		}
		for _, f := range claimed {
			b.serve(f.rule, f.Firing, now)
		}
	}
	for r := range store.Rules.By(b.Store.View(), store.RulesScheduled, store.Scheduled) {
		return r.NextAt
	}
	return time.Time{}
}

func (b *Bus) due(now time.Time) (due []*event.Rule) {
	for r := range store.Rules.By(b.Store.View(), store.RulesScheduled, store.Scheduled) {
		if r.NextAt.After(now) {
			break
		}
		due = append(due, r)
	}
	return due
}

// claim is a moment with its rule.
type claim struct {
	event.Firing
	rule *event.Rule
}

// claim moves rules on to their next moments and notes the firings, in one
// transaction: of several who look, one gets a moment.
func (b *Bus) claim(ctx context.Context, due []*event.Rule, now time.Time) (claimed []claim, err error) {
	_, err = b.Store.Update(ctx, func(tx *store.Tx) error {
		claimed = nil
		for _, r := range due {
			key := store.RuleKey(r.Scope, r.Bus, r.Name)
			have, ok := store.Rules.Get(tx, key)
			if !ok || have.NextAt.IsZero() || have.NextAt.After(now) {
				continue
			}
			next := *have
			at := have.NextAt
			next.NextAt = time.Time{}
			if s, err := event.ParseSchedule(have.Schedule); err == nil {
				at, next.NextAt = s.Latest(have.Start, have.NextAt, now)
			}
			f := event.Firing{RuleKey: key, At: at}
			store.Rules.Put(tx, &next)
			store.Firings.Put(tx, &f)
			claimed = append(claimed, claim{f, &next})
		}
		return nil
	})
	return claimed, err
}

// resumeFirings serves what was claimed before the start and not served.
func (b *Bus) resumeFirings(v *store.View) {
	for f := range store.Firings.All(v) {
		if r, ok := store.Rules.Get(v, f.RuleKey); ok {
			b.serve(r, *f, f.At)
			continue
		}
		b.conclude(f)
	}
}

// serve hands a firing to the rule's targets.
func (b *Bus) serve(r *event.Rule, record event.Firing, received time.Time) {
	f := &firing{record: record}
	f.left.Store(int32(len(r.Targets)))
	if len(r.Targets) == 0 {
		b.conclude(&record)
		return
	}
	e := event.Scheduled(r, record.At)
	for i := range r.Targets {
		b.add(&delivery{rule: r, target: r.Targets[i].ID, event: &e, received: received, firing: f})
	}
}

// conclude forgets a firing. Where that fails it is served once more after a
// restart, which runs no task twice.
func (b *Bus) conclude(f *event.Firing) {
	_, err := b.Store.Update(b.ctx, func(tx *store.Tx) error {
		store.Firings.Delete(tx, store.FiringKey(f.RuleKey, f.At))
		return nil
	})
	if err != nil && b.ctx.Err() == nil {
		b.Log.Warn("a firing was not concluded", "rule", f.RuleKey, "err", err)
	}
}
