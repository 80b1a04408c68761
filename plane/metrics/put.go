package metrics

import (
	"encoding/binary"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/metric"
)

// seenEvery is how exactly a metric knows when something came in last.
const seenEvery = 10 * time.Minute

// Put stores datapoints, of the API's callers or of berth's own parts; in each, the
// dimensions are in order, and no word has a zero byte. They are on disk, all or
// none, when it returns without an error. What is older than datapoints become is
// taken and forgotten.
func (m *Metrics) Put(scope arn.Scope, data []metric.Datum) error {
	if err := m.admit(); err != nil {
		return err
	}
	w := &write{Metrics: m, now: m.now(), sets: map[string]metric.Set{}, names: map[string]bool{}}
	for i := range data {
		w.add(scope, &data[i])
	}
	w.batch = m.db.NewBatch()
	defer w.batch.Close()
	if err := w.apply(); err != nil {
		return err
	}
	return w.batch.SyncWait()
}

// write is one Put on its way.
type write struct {
	*Metrics
	now   time.Time
	sets  map[string]metric.Set // by keyPoint
	names map[string]bool       // by keyName
	batch *pebble.Batch
}

func (w *write) add(scope arn.Scope, d *metric.Datum) {
	unit := d.Unit
	if unit == "" {
		unit = metric.NoUnit
	}
	name := keyName(scope, d.Metric)
	w.names[string(name)] = true
	minute := d.At.Truncate(time.Minute)
	if w.now.Sub(minute) < metric.Age {
		w.addSet(keyPoint(keyPoints(kindMinute, name), minute, unit), d.Set)
	}
	second := minute
	if d.HighResolution {
		second = d.At.Truncate(time.Second)
	}
	if w.now.Sub(second) < metric.HighResolutionAge {
		w.addSet(keyPoint(keyPoints(kindSecond, name), second, unit), d.Set)
	}
}

// addSet leaves out what has no value, so that records have one.
func (w *write) addSet(key []byte, s metric.Set) {
	if s.Count == 0 {
		return
	}
	w.sets[string(key)] = w.sets[string(key)].Plus(s)
}

// apply makes the datapoints visible, one write at a time. The caller waits for the
// disk outside the lock, so that writes share a sync.
func (w *write) apply() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, set := range w.sets {
		if err := w.merge([]byte(key), set); err != nil {
			return err
		}
	}
	for key := range w.names {
		if err := w.touch([]byte(key)); err != nil {
			return err
		}
	}
	return w.db.ApplyNoSyncWait(w.batch, pebble.Sync)
}

func (w *write) merge(key []byte, set metric.Set) error {
	return w.get(key, func(value []byte) error {
		if value != nil {
			stored, err := decodeSet(value, true)
			if err != nil {
				return err
			}
			set = stored.Plus(set)
		}
		return w.batch.Set(key, encodeSet(set), nil)
	})
}

// touch notes that something of the metric came in.
func (w *write) touch(key []byte) error {
	return w.get(key, func(value []byte) error {
		if w.now.Sub(seen(value)) < seenEvery {
			return nil
		}
		return w.batch.Set(key, binary.BigEndian.AppendUint64(nil, uint64(w.now.Unix())), nil)
	})
}

// seen reads when something of a metric came in last.
func seen(value []byte) time.Time { return time.Unix(int64(takeUint64(value)), 0) }
