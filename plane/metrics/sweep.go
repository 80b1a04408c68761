package metrics

import (
	"bytes"
	"context"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/berthhq/berth/domain/metric"
)

// sweptAtOnce is how many metrics one batch of a sweep looks at.
const sweptAtOnce = 1000

// Sweep drops expired datapoints, and metrics that have none.
func (m *Metrics) Sweep(ctx context.Context) error {
	for from := []byte{kindName}; from != nil && ctx.Err() == nil; {
		var err error
		if from, err = m.sweepSome(from); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// sweepSome sweeps some metrics and tells where to go on; nil at the end.
func (m *Metrics) sweepSome(from []byte) (next []byte, err error) {
	// Nobody may put to a metric between the look at it and its end.
	m.mu.Lock()
	defer m.mu.Unlock()
	batch := m.db.NewBatch()
	defer batch.Close()
	now, count := m.now(), 0
	err = m.scan(from, []byte{kindName + 1}, func(name, value []byte) error {
		if count++; count > sweptAtOnce {
			next = bytes.Clone(name)
			return errEnough
		}
		for kind, age := range map[byte]time.Duration{kindMinute: metric.Age, kindSecond: metric.HighResolutionAge} {
			if err := m.drop(batch, keyPoints(kind, name), now.Add(-age)); err != nil {
				return err
			}
		}
		if seen(value).Before(now.Add(-metric.Age - seenEvery)) {
			return batch.Delete(name, nil)
		}
		return nil
	})
	if err != nil || batch.Empty() {
		return next, err
	}
	return next, batch.Commit(pebble.Sync)
}

// drop drops a metric's datapoints before a time, if there are any.
func (m *Metrics) drop(batch *pebble.Batch, points []byte, before time.Time) error {
	any := false
	err := m.scan(points, atTime(points, before), func(_, _ []byte) error {
		any = true
		return errEnough
	})
	if err != nil || !any {
		return err
	}
	return batch.DeleteRange(points, atTime(points, before), nil)
}
