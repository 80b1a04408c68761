package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/plane/metrics"
	"github.com/berthhq/berth/store"
)

// changedAtOnce is how many alarms change in one transaction.
const changedAtOnce = 100

// alarms evaluates alarms when they are due, and writes the states that change. It
// is the leader's, as the control loop is.
type alarms struct {
	store   store.Store
	metrics *metrics.Metrics
	log     *slog.Logger
	looked  time.Time // up to when everything due was evaluated
}

// run looks at each tick until ctx ends.
func (a *alarms) run(ctx context.Context, now func() time.Time) {
	a.looked = now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		at := now()
		if err := a.look(ctx, at); err != nil && ctx.Err() == nil {
			a.log.Warn("some alarms could not be evaluated", "err", err)
		}
		timer.Reset(at.Truncate(alarm.Tick).Add(alarm.Tick).Sub(now()))
	}
}

// change is an alarm that has another state now.
type change struct{ from, to *alarm.Alarm }

// look evaluates what became due since the last look. An alarm whose datapoints
// cannot be read keeps its state.
func (a *alarms) look(ctx context.Context, now time.Time) error {
	var changes []change
	var errs []error
	for x := range store.Alarms.All(a.store.View()) {
		at, due := x.Due(a.looked, now)
		if !due {
			continue
		}
		points, err := a.metrics.Read(x.Scope, x.Query(at))
		if err != nil {
			errs = append(errs, fmt.Errorf("alarm %s: %w", x.Name, err))
			continue
		}
		if next := x.Evaluate(points, at, now); next != x {
			changes = append(changes, change{x, next})
		}
	}
	a.looked = now
	for len(changes) > 0 {
		n := min(changedAtOnce, len(changes))
		errs = append(errs, a.commit(ctx, changes[:n]))
		changes = changes[n:]
	}
	return errors.Join(errs...)
}

// commit writes new states, but not over a state or a definition that somebody
// wrote meanwhile.
func (a *alarms) commit(ctx context.Context, changes []change) error {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		for _, c := range changes {
			have, ok := store.Alarms.Get(tx, c.from.Key())
			if !ok || !have.StateUpdatedAt.Equal(c.from.StateUpdatedAt) || !have.ChangedAt.Equal(c.from.ChangedAt) {
				continue
			}
			next := have.In(c.to.State, c.to.Reason, c.to.ReasonData, c.to.StateUpdatedAt)
			store.Alarms.Put(tx, next)
			store.AddAlarmItem(tx, alarm.Transition(have, next))
		}
		return nil
	})
	return err
}
