package archive

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/telemetry"
	"github.com/berthhq/berth/plane/database"
)

// streamNameStart is how many bytes of a stream's key come before its name.
const streamNameStart = 1 + 8

// stream reads a stream's record.
func (a *Archive) stream(g *group, name string) (streamRecord, error) {
	value, err := database.Get(a.db, keyStream(g.id, name))
	if err != nil {
		return streamRecord{}, err
	}
	if value == nil {
		return streamRecord{}, noStream()
	}
	return decodeStream(name, value)
}

// CreateStream adds a stream to a group.
func (a *Archive) CreateStream(scope arn.Scope, groupName, name string) error {
	g, err := a.find(scope, groupName)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.deleted {
		return noGroup()
	}
	value, err := database.Get(a.db, keyStream(g.id, name))
	if err != nil {
		return err
	}
	if value != nil {
		return fault.New(fault.ResourceAlreadyExists, "The specified log stream already exists")
	}
	id, err := a.ids.take(1)
	if err != nil {
		return err
	}
	s := streamRecord{id: id, Stream: telemetry.Stream{Name: name, Created: a.millis()}}
	batch := a.db.NewBatch()
	defer batch.Close()
	err = errors.Join(
		batch.Set(keyStream(g.id, name), s.encode(), nil),
		batch.Set(keyName(g.id, id), []byte(name), nil),
	)
	if err != nil {
		return err
	}
	return batch.Commit(pebble.Sync)
}

// DeleteStream removes a stream. Its events are no longer read from now on, and
// are purged by the next sweep.
func (a *Archive) DeleteStream(scope arn.Scope, groupName, name string) error {
	g, err := a.find(scope, groupName)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.deleted {
		return noGroup()
	}
	if g.info.Protected {
		return fault.New(fault.Validation, "The specified log group has deletion protection enabled.").
			WithHint("disable it with PutLogGroupDeletionProtection first")
	}
	s, err := a.stream(g, name)
	if err != nil {
		return err
	}
	batch := a.db.NewBatch()
	defer batch.Close()
	producers := key(kindProducer, g.id, s.id)
	err = errors.Join(
		batch.Delete(keyStream(g.id, name), nil),
		batch.Delete(keyName(g.id, s.id), nil),
		batch.DeleteRange(producers, after(producers), nil),
		batch.Set(keyDeleted(g.id, s.id), nil, nil),
	)
	if err != nil {
		return err
	}
	if err := batch.Commit(pebble.Sync); err != nil {
		return err
	}
	a.wakeSweep()
	return nil
}

// Streams lists streams of a group; next is nil at the end.
func (a *Archive) Streams(scope arn.Scope, groupName string, q telemetry.StreamQuery) (list []telemetry.Stream, next *telemetry.StreamCursor, err error) {
	g, err := a.find(scope, groupName)
	if err != nil {
		return nil, nil, err
	}
	if q.ByTime || q.Descending {
		list, err = a.sortedStreams(g, q)
	} else {
		list, err = a.streamsByName(g, q)
	}
	if err != nil || len(list) <= q.Limit {
		return list, nil, err
	}
	list = list[:q.Limit]
	last := list[len(list)-1]
	return list, &telemetry.StreamCursor{Name: last.Name, LastEvent: last.LastEvent}, nil
}

var errEnough = errors.New("enough")

// streamsByName reads one stream more than the limit, if there is one.
func (a *Archive) streamsByName(g *group, q telemetry.StreamQuery) (list []telemetry.Stream, err error) {
	var from []byte
	if q.After != nil {
		from = append(keyStream(g.id, q.After.Name), 0)
	}
	err = a.eachStream(g, q.Prefix, from, func(s streamRecord) error {
		if list = append(list, s.Stream); len(list) > q.Limit {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return list, err
}

// sortedStreams reads all streams: their records are small, and an index by the
// last event would have to move with each batch.
func (a *Archive) sortedStreams(g *group, q telemetry.StreamQuery) (list []telemetry.Stream, err error) {
	order := func(name string, last int64, s telemetry.Stream) int {
		c := strings.Compare(name, s.Name)
		if q.ByTime {
			c = cmp.Or(cmp.Compare(last, s.LastEvent), c)
		}
		if q.Descending {
			return -c
		}
		return c
	}
	err = a.eachStream(g, q.Prefix, nil, func(s streamRecord) error {
		if q.After == nil || order(q.After.Name, q.After.LastEvent, s.Stream) < 0 {
			list = append(list, s.Stream)
		}
		return nil
	})
	slices.SortFunc(list, func(x, y telemetry.Stream) int { return order(x.Name, x.LastEvent, y) })
	return list, err
}

// eachStream calls see for the group's streams with the prefix, by name.
func (a *Archive) eachStream(g *group, prefix string, from []byte, see func(streamRecord) error) error {
	return a.each(keyStream(g.id, prefix), from, func(key, value []byte) error {
		s, err := decodeStream(string(key[streamNameStart:]), value)
		if err != nil {
			return err
		}
		return see(s)
	})
}
