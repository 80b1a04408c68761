package archive

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/berthhq/berth/domain/telemetry"
)

// wakeSweep asks Run for a sweep soon.
func (a *Archive) wakeSweep() {
	select {
	case a.sweeps <- struct{}{}:
	default:
	}
}

// Sweep purges deleted streams, drops expired events and keeps the quota.
func (a *Archive) Sweep(ctx context.Context) error {
	var failures []error
	for _, g := range a.allGroups() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := a.purgeStreams(ctx, g); err != nil {
			failures = append(failures, err)
		}
		if expiry := telemetry.ExpiryOf(g.snapshot().RetentionDays, a.millis()); expiry > 0 {
			if _, err := a.dropBefore(g, expiry/hour); err != nil {
				failures = append(failures, err)
			}
		}
	}
	return errors.Join(append(failures, a.keepQuota(ctx))...)
}

func (a *Archive) allGroups() (list []*group) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, byName := range a.groups {
		for _, g := range byName {
			list = append(list, g)
		}
	}
	return list
}

// dropBefore drops a group's events before the hour and tells their bytes.
func (a *Archive) dropBefore(g *group, beforeHour int64) (dropped int64, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.deleted {
		return 0, nil
	}
	batch := a.db.NewBatch()
	defer batch.Close()
	err = a.each(key(kindBytes, g.id), nil, func(key, value []byte) error {
		if int64(takeUint64(key[streamNameStart:])) >= beforeHour {
			return nil
		}
		dropped += int64(takeUint64(value))
		return batch.Delete(key, nil)
	})
	if err != nil || batch.Empty() {
		return 0, err
	}
	cut := telemetry.Position{Timestamp: beforeHour * hour}
	if err := batch.DeleteRange(key(kindEvent, g.id), keyEvent(g.id, cut), nil); err != nil {
		return 0, err
	}
	err = a.eachStream(g, "", nil, func(s streamRecord) error {
		if s.LastIngested == 0 || s.FirstEvent >= cut.Timestamp {
			return nil
		}
		return a.cutStream(batch, g, s, cut)
	})
	if err != nil {
		return 0, err
	}
	// A deleted stream's index goes too, lest its purge counts these bytes again.
	err = a.each(key(kindDeleted, g.id), nil, func(mark, _ []byte) error {
		stream := takeUint64(mark[streamNameStart:])
		return batch.DeleteRange(key(kindIndex, g.id, stream), keyIndex(g.id, stream, cut), nil)
	})
	if err != nil {
		return 0, err
	}
	if err := batch.Commit(pebble.Sync); err != nil {
		return 0, err
	}
	g.info.StoredBytes -= dropped
	a.room.stored.Add(-dropped)
	return dropped, nil
}

// cutStream drops a stream's index before the cut and notes its new first event.
func (a *Archive) cutStream(batch *pebble.Batch, g *group, s streamRecord, cut telemetry.Position) error {
	if err := batch.DeleteRange(key(kindIndex, g.id, s.id), keyIndex(g.id, s.id, cut), nil); err != nil {
		return err
	}
	s.FirstEvent = s.LastEvent
	err := a.each(key(kindIndex, g.id, s.id), keyIndex(g.id, s.id, cut), func(key, _ []byte) error {
		s.FirstEvent = positionOf(key).Timestamp
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return batch.Set(keyStream(g.id, s.Name), s.encode(), nil)
}

// keepQuota drops the oldest hours, of whatever group, until the quota holds.
func (a *Archive) keepQuota(ctx context.Context) error {
	if a.room.quota == 0 || a.room.full != DropOldest {
		return nil
	}
	for a.room.stored.Load() > a.room.quota-a.room.quota/20 && ctx.Err() == nil {
		g, h, err := a.oldestHour()
		if err != nil || g == nil || h >= a.millis()/hour {
			return err
		}
		dropped, err := a.dropBefore(g, h+1)
		if err != nil {
			return err
		}
		a.room.dropped.Add(dropped)
		a.log.Warn("dropped old log events: the archive's quota is reached",
			"group", g.snapshot().Name, "bytes", dropped, "quota", a.room.quota)
	}
	return ctx.Err()
}

// oldestHour finds the group with the oldest events; nil when there are none.
func (a *Archive) oldestHour() (oldest *group, at int64, err error) {
	for _, g := range a.allGroups() {
		err := a.each(key(kindBytes, g.id), nil, func(key, _ []byte) error {
			if h := int64(takeUint64(key[streamNameStart:])); oldest == nil || h < at {
				oldest, at = g, h
			}
			return errEnough
		})
		if err != nil && !errors.Is(err, errEnough) {
			return nil, 0, err
		}
	}
	return oldest, at, nil
}

// purgeChunk is how many events of a deleted stream go in one batch.
const purgeChunk = 5000

// purgeStreams removes the events of a group's deleted streams.
func (a *Archive) purgeStreams(ctx context.Context, g *group) error {
	var streams []uint64
	err := a.each(key(kindDeleted, g.id), nil, func(key, _ []byte) error {
		streams = append(streams, takeUint64(key[streamNameStart:]))
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range streams {
		for more := true; more && ctx.Err() == nil; {
			if more, err = a.purgeSome(g, s); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// purgeSome removes some events of a deleted stream, and its mark with the last.
func (a *Archive) purgeSome(g *group, stream uint64) (more bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.deleted {
		return false, nil
	}
	batch := a.db.NewBatch()
	defer batch.Close()
	hours, count, bytes := map[int64]int64{}, 0, int64(0)
	err = a.each(key(kindIndex, g.id, stream), nil, func(key, value []byte) error {
		if count++; count > purgeChunk {
			return errEnough
		}
		p, size := positionOf(key), int64(takeUint64(value))
		hours[p.Timestamp/hour] -= size
		bytes += size
		return errors.Join(batch.Delete(keyEvent(g.id, p), nil), batch.Delete(key, nil))
	})
	more = errors.Is(err, errEnough)
	if err != nil && !more {
		return false, err
	}
	if err := changeHours(a.db, batch, g.id, hours); err != nil {
		return false, err
	}
	if !more {
		if err := batch.Delete(keyDeleted(g.id, stream), nil); err != nil {
			return false, err
		}
	}
	if err := batch.Commit(pebble.Sync); err != nil {
		return false, err
	}
	g.info.StoredBytes -= bytes
	a.room.stored.Add(-bytes)
	return more, nil
}
