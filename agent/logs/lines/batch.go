package lines

import "github.com/berthhq/berth/domain/telemetry"

// maxSpan is the longest time a batch may span, in milliseconds.
const maxSpan = 24 * 3_600_000

// Batch is events that can go in one PutLogEvents request: in order of time, and
// within its limits.
type Batch struct {
	Events  []Event
	From    int64 // offset in the output where it begins
	Through int64 // and ends
	size    int
}

// Fits tells whether the event can go into the batch.
func (b *Batch) Fits(e Event) bool {
	if len(b.Events) == 0 {
		return true
	}
	first, last := b.Events[0], b.Events[len(b.Events)-1]
	return len(b.Events) < telemetry.MaxBatchEvents &&
		b.size+len(e.Text)+telemetry.EventOverhead <= telemetry.MaxBatchBytes &&
		e.Time >= last.Time && e.Time-first.Time <= maxSpan
}

// Add puts an event that fits into the batch.
func (b *Batch) Add(e Event) {
	b.Events = append(b.Events, e)
	b.size += len(e.Text) + telemetry.EventOverhead
	b.Through = e.End
}

// Empty tells whether there is nothing in the batch.
func (b *Batch) Empty() bool { return len(b.Events) == 0 }

// Restart empties the batch, which goes on at an offset.
func (b *Batch) Restart(from int64) {
	clear(b.Events)
	b.Events, b.size, b.From, b.Through = b.Events[:0], 0, from, from
}
