package archive

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/telemetry"
)

// tailBuffer is how many events a tail keeps for a slow reader, as AWS does.
const tailBuffer = 5000

// tail collects the events that come in and match a query. Its reader takes them
// when it likes; a slow one loses the oldest.
type tail struct {
	query  telemetry.TailQuery
	groups []uint64
	owner  *tails

	mu      sync.Mutex
	records []telemetry.TailRecord
	lost    bool
}

func (t *tail) Take() (records []telemetry.TailRecord, lost bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	records, lost = t.records, t.lost
	t.records, t.lost = nil, false
	return records, lost
}

func (t *tail) Close() { t.owner.remove(t) }

func (t *tail) offer(r telemetry.TailRecord) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.records) >= tailBuffer {
		t.records = append(t.records[:0], t.records[tailBuffer/10:]...)
		t.lost = true
	}
	t.records = append(t.records, r)
}

// Tail begins to collect events of the query's groups, which must exist.
func (a *Archive) Tail(scope arn.Scope, q telemetry.TailQuery) (telemetry.Tail, error) {
	t := &tail{query: q, owner: &a.tails}
	for _, name := range q.Groups {
		g, err := a.find(scope, name)
		if err != nil {
			return nil, err
		}
		t.groups = append(t.groups, g.id)
	}
	a.tails.add(t)
	return t, nil
}

// tails are the tails of an archive. The zero value has none.
type tails struct {
	count atomic.Int32 // spares writers the lock while there are none

	mu   sync.Mutex
	list []*tail
}

func (ts *tails) add(t *tail) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.list = append(ts.list, t)
	ts.count.Store(int32(len(ts.list)))
}

func (ts *tails) remove(t *tail) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.list = slices.DeleteFunc(ts.list, func(other *tail) bool { return other == t })
	ts.count.Store(int32(len(ts.list)))
}

func (ts *tails) closeAll() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.list = nil
	ts.count.Store(0)
}

// publish offers the events of a write, the first of which has the sequence.
func (ts *tails) publish(w *write, sequence uint64) {
	if ts.count.Load() == 0 {
		return
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, t := range ts.list {
		if !slices.Contains(t.groups, w.group.id) || !t.query.Streams.Has(w.stream.Name) {
			continue
		}
		for i, e := range w.events {
			if !t.query.Pattern.Match(e.Message) {
				continue
			}
			t.offer(telemetry.TailRecord{Group: w.group.info.Name, Record: telemetry.Record{
				Stream:   w.stream.Name,
				Position: telemetry.Position{Timestamp: e.Timestamp, Sequence: sequence + uint64(i)},
				Ingested: w.now,
				Message:  e.Message,
			}})
		}
	}
}
