package archive

import (
	"context"
	"errors"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/telemetry"
	"github.com/berthhq/berth/plane/database"
)

const (
	// searchEvents is how many events one search looks at before it answers with
	// what it has: some tenths of a second.
	searchEvents = 100_000
	// mergedStreams is up to how many chosen streams a search merges their indexes;
	// beyond, it scans the group and leaves out what it was not asked for.
	mergedStreams = 100
)

// Search returns a page of a group's events that match.
func (a *Archive) Search(ctx context.Context, scope arn.Scope, groupName string, q telemetry.SearchQuery) (telemetry.Found, error) {
	g, err := a.find(scope, groupName)
	if err != nil {
		return telemetry.Found{}, err
	}
	window := a.spanOf(g.snapshot(), q.Window)
	if q.From != nil {
		window = window.cut(*q.From, true)
	}
	names, err := a.chosen(g, q.Streams)
	if err != nil || window.from.Compare(window.to) >= 0 || names.only && len(names.byID) == 0 {
		return telemetry.Found{}, err
	}
	c, err := a.searchCursor(g, names, window)
	if err != nil {
		return telemetry.Found{}, err
	}
	found, err := a.search(ctx, c, names, q)
	return found, errors.Join(err, c.close())
}

func (a *Archive) searchCursor(g *group, names *names, window span) (cursor, error) {
	if !names.only || len(names.byID) > mergedStreams {
		return newScan(a.db, g.id, window)
	}
	var ids []uint64
	for id := range names.byID {
		ids = append(ids, id)
	}
	return newPick(a.db, g.id, ids, window, false)
}

func (a *Archive) search(ctx context.Context, c cursor, names *names, q telemetry.SearchQuery) (telemetry.Found, error) {
	p := newPage(q.Limit)
	for looked := 0; c.next(); looked++ {
		at := c.position()
		if looked == searchEvents {
			return telemetry.Found{Records: p.records, Next: &at}, nil
		}
		if looked%1024 == 0 && ctx.Err() != nil {
			return telemetry.Found{}, ctx.Err()
		}
		e, err := c.event()
		if err != nil {
			return telemetry.Found{}, err
		}
		stream, err := names.of(e.stream)
		if err != nil {
			return telemetry.Found{}, err
		}
		if stream == "" || !q.Pattern.Everything() && !q.Pattern.Match(string(e.message)) {
			continue
		}
		if !p.holds(len(e.message)) {
			return telemetry.Found{Records: p.records, Next: &at}, nil
		}
		p.add(stream, at, e)
	}
	return telemetry.Found{Records: p.records}, nil
}

// names are the streams of a search by id. Unless the search chose some, they are
// read as they are met; a deleted stream has the name "".
type names struct {
	archive *Archive
	group   *group
	only    bool
	byID    map[uint64]string
}

func (n *names) of(id uint64) (string, error) {
	name, known := n.byID[id]
	if known || n.only {
		return name, nil
	}
	value, err := database.Get(n.archive.db, keyName(n.group.id, id))
	if err != nil {
		return "", err
	}
	n.byID[id] = string(value)
	return string(value), nil
}

// chosen resolves a set of streams. A stream named but missing is a fault.
func (a *Archive) chosen(g *group, set telemetry.StreamSet) (*names, error) {
	n := &names{archive: a, group: g, only: !set.All(), byID: map[uint64]string{}}
	for _, name := range set.Names {
		s, err := a.stream(g, name)
		if err != nil {
			return n, err
		}
		n.byID[s.id] = name
	}
	for _, prefix := range set.Prefixes {
		err := a.eachStream(g, prefix, nil, func(s streamRecord) error {
			n.byID[s.id] = s.Name
			return nil
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
