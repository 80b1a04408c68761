package archive

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/telemetry"
	"github.com/berthhq/berth/plane/database"
)

// Put stores a batch of events in a stream. When it returns without an error the
// accepted events are on disk; the rejection says which were not accepted.
//
// A batch with a source is stored once: sent again it is acknowledged and nothing
// more. One that overlaps what its producer sent before is a DataAlreadyAccepted
// fault that names the token to go on with.
func (a *Archive) Put(scope arn.Scope, groupName, streamName string, events []telemetry.Event, source *telemetry.Source) (telemetry.Rejection, error) {
	g, err := a.find(scope, groupName)
	if err != nil {
		return telemetry.Rejection{}, err
	}
	now := a.millis()
	rejection, err := telemetry.CheckBatch(events, now, g.snapshot().RetentionDays)
	if err != nil {
		return rejection, err
	}
	start, end := rejection.Accepted()
	w := &write{archive: a, group: g, events: events[start:end], source: source, now: now}
	for _, e := range w.events {
		w.bytes += int64(e.Size())
	}
	makeRoom, err := a.room.admit(len(w.events), w.bytes)
	if makeRoom {
		a.wakeSweep()
	}
	if err != nil {
		return rejection, err
	}
	return rejection, w.commit(streamName)
}

// write is one Put on its way.
type write struct {
	archive *Archive
	group   *group
	stream  streamRecord
	events  []telemetry.Event
	source  *telemetry.Source
	now     int64
	bytes   int64
	batch   *pebble.Batch
}

// commit makes the events visible under the group's lock and waits for the disk
// outside it, so that batches share a sync.
func (w *write) commit(streamName string) error {
	w.batch = w.archive.db.NewBatch()
	defer w.batch.Close()
	stored, err := w.apply(streamName)
	switch {
	case stored:
		return w.batch.SyncWait()
	case err == nil, fault.IsKind(err, fault.DataAlreadyAccepted):
		// Stored before, perhaps a moment ago and not yet on disk: the sender, who
		// forgets it once we say so, must not hear it sooner.
		return errors.Join(w.archive.db.LogData(nil, pebble.Sync), err)
	}
	return err
}

// apply reports whether there was something to store.
func (w *write) apply(streamName string) (stored bool, err error) {
	a, g := w.archive, w.group
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.deleted {
		return false, noGroup()
	}
	if w.stream, err = a.stream(g, streamName); err != nil {
		return false, err
	}
	if known, err := w.checkSource(); known || err != nil {
		return false, err
	}
	first, err := w.addEvents()
	if err != nil {
		return false, err
	}
	if w.batch.Empty() {
		return false, nil
	}
	if err := a.db.ApplyNoSyncWait(w.batch, pebble.Sync); err != nil {
		return false, err
	}
	g.info.StoredBytes += w.bytes
	a.room.stored.Add(w.bytes)
	a.tails.publish(w, first)
	return true, nil
}

// checkSource tells whether the source's output is stored already, and otherwise
// notes how far it has come with this batch.
func (w *write) checkSource() (known bool, err error) {
	if w.source == nil {
		return false, nil
	}
	mark := keyProducer(w.group.id, w.stream.id, w.source.Producer)
	value, err := database.Get(w.archive.db, mark)
	if err != nil {
		return false, err
	}
	through := int64(takeUint64(value))
	switch {
	case w.source.Through <= through:
		return true, nil
	case w.source.From < through:
		next := telemetry.Source{Producer: w.source.Producer, From: through, Through: w.source.Through}
		return false, fault.New(fault.DataAlreadyAccepted,
			"The given batch of log events has already been accepted. The next batch can be sent with sequenceToken: %s", next.Token())
	}
	return false, w.batch.Set(mark, putUint64(nil, uint64(w.source.Through)), nil)
}

// addEvents fills the batch and returns the first event's sequence.
func (w *write) addEvents() (first uint64, err error) {
	if len(w.events) == 0 {
		return 0, nil
	}
	if first, err = w.archive.ids.take(len(w.events)); err != nil {
		return 0, err
	}
	var value []byte
	for i, e := range w.events {
		p := telemetry.Position{Timestamp: e.Timestamp, Sequence: first + uint64(i)}
		value = appendEvent(value[:0], w.stream.id, w.now, e)
		if err := w.batch.Set(keyEvent(w.group.id, p), value, nil); err != nil {
			return 0, err
		}
		value = putUint64(value[:0], uint64(e.Size()))
		if err := w.batch.Set(keyIndex(w.group.id, w.stream.id, p), value, nil); err != nil {
			return 0, err
		}
	}
	return first, errors.Join(w.addBytes(), w.touchStream())
}

// addBytes adds the events' sizes to their hours.
func (w *write) addBytes() error {
	hours := map[int64]int64{}
	for _, e := range w.events {
		hours[e.Timestamp/hour] += int64(e.Size())
	}
	return changeHours(w.archive.db, w.batch, w.group.id, hours)
}

// touchStream notes the events' times in the stream's record.
func (w *write) touchStream() error {
	s := &w.stream
	oldest, newest := w.events[0].Timestamp, w.events[len(w.events)-1].Timestamp
	if s.LastIngested == 0 || oldest < s.FirstEvent {
		s.FirstEvent = oldest
	}
	s.LastEvent = max(s.LastEvent, newest)
	s.LastIngested = w.now
	return w.batch.Set(keyStream(w.group.id, s.Name), s.encode(), nil)
}

// hour is the length of a bucket of bytes, in milliseconds.
const hour = 3_600_000

// changeHours adds differences to the byte counts of a group's hours.
func changeHours(db *pebble.DB, batch *pebble.Batch, g uint64, differences map[int64]int64) error {
	for h, difference := range differences {
		k := keyBytes(g, h)
		value, err := database.Get(db, k)
		if err != nil {
			return err
		}
		sum := max(0, int64(takeUint64(value))+difference)
		if err := batch.Set(k, putUint64(nil, uint64(sum)), nil); err != nil {
			return err
		}
	}
	return nil
}
