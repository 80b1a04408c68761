package archive

import (
	"errors"
	"math"

	"github.com/cockroachdb/pebble/v2"

	"github.com/berthhq/berth/domain/telemetry"
)

// cursor walks events in order, forward unless it says otherwise.
type cursor interface {
	next() bool // moves on; false at the end or after a failure
	position() telemetry.Position
	event() (event, error) // its message is valid until the next move
	close() error          // tells of any failure
}

// span is a range of positions: from is included, to is not.
type span struct{ from, to telemetry.Position }

// spanOf turns a window of times into positions, without expired events.
func (a *Archive) spanOf(info telemetry.Group, w telemetry.Window) span {
	start := max(0, w.Start, telemetry.ExpiryOf(info.RetentionDays, a.millis()))
	s := span{from: telemetry.Position{Timestamp: start}, to: telemetry.Position{Timestamp: math.MaxInt64}}
	if w.End != 0 && w.End < math.MaxInt64 {
		s.to.Timestamp = max(0, w.End+1)
	}
	return s
}

// scan walks all events of a group.
type scan struct{ it *pebble.Iterator }

func newScan(r pebble.Reader, g uint64, s span) (*scan, error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: keyEvent(g, s.from), UpperBound: keyEvent(g, s.to)})
	if err != nil {
		return nil, err
	}
	return &scan{it: it}, nil
}

func (c *scan) next() bool {
	if c.it.Valid() {
		return c.it.Next()
	}
	return c.it.First()
}

func (c *scan) position() telemetry.Position { return positionOf(c.it.Key()) }

func (c *scan) event() (event, error) {
	value, err := c.it.ValueAndErr()
	if err != nil {
		return event{}, err
	}
	return decodeEvent(c.position(), value)
}

func (c *scan) close() error { return c.it.Close() }

// pick walks the events of some streams of a group by their indexes, which it
// merges. There are few: each index is an iterator.
type pick struct {
	snapshot *pebble.Snapshot
	group    uint64
	indexes  []*pebble.Iterator
	events   *pebble.Iterator
	current  int // index of the index the walk is at; -1 before the first move
	back     bool
	failure  error
}

func newPick(db *pebble.DB, g uint64, streams []uint64, s span, back bool) (*pick, error) {
	c := &pick{snapshot: db.NewSnapshot(), group: g, current: -1, back: back}
	var err error
	if c.events, err = c.snapshot.NewIter(&pebble.IterOptions{LowerBound: keyEvent(g, s.from), UpperBound: keyEvent(g, s.to)}); err != nil {
		return nil, errors.Join(err, c.close())
	}
	for _, stream := range streams {
		it, err := c.snapshot.NewIter(&pebble.IterOptions{LowerBound: keyIndex(g, stream, s.from), UpperBound: keyIndex(g, stream, s.to)})
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		c.indexes = append(c.indexes, it)
	}
	return c, nil
}

func (c *pick) next() bool {
	if c.current < 0 {
		for _, it := range c.indexes {
			c.start(it)
		}
	} else {
		c.move(c.indexes[c.current])
	}
	c.current = -1
	for i, it := range c.indexes {
		if it.Valid() && (c.current < 0 || c.before(it, c.indexes[c.current])) {
			c.current = i
		}
		if it.Error() != nil {
			c.failure = it.Error()
		}
	}
	if c.current < 0 || c.failure != nil {
		c.indexes = c.closeIndexes()
		return false
	}
	return true
}

func (c *pick) start(it *pebble.Iterator) {
	if c.back {
		it.Last()
	} else {
		it.First()
	}
}

func (c *pick) move(it *pebble.Iterator) {
	if c.back {
		it.Prev()
	} else {
		it.Next()
	}
}

func (c *pick) before(x, y *pebble.Iterator) bool {
	order := positionOf(x.Key()).Compare(positionOf(y.Key()))
	return order < 0 != c.back
}

func (c *pick) position() telemetry.Position { return positionOf(c.indexes[c.current].Key()) }

func (c *pick) event() (event, error) {
	p := c.position()
	k := keyEvent(c.group, p)
	if !c.events.SeekGE(k) || positionOf(c.events.Key()) != p {
		return event{}, errors.Join(errors.New("the archive's index names a log event that is not there"), c.events.Error())
	}
	value, err := c.events.ValueAndErr()
	if err != nil {
		return event{}, err
	}
	return decodeEvent(p, value)
}

func (c *pick) closeIndexes() []*pebble.Iterator {
	for _, it := range c.indexes {
		c.failure = errors.Join(c.failure, it.Close())
	}
	return nil
}

func (c *pick) close() error {
	c.indexes = c.closeIndexes()
	if c.events != nil {
		c.failure = errors.Join(c.failure, c.events.Close())
	}
	return errors.Join(c.failure, c.snapshot.Close())
}
