package archive

import (
	"errors"
	"slices"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/telemetry"
)

// page gathers records until it is full.
type page struct {
	limit   int
	bytes   int
	records []telemetry.Record
}

func newPage(limit int) *page {
	if limit <= 0 || limit > telemetry.PageEvents {
		limit = telemetry.PageEvents
	}
	return &page{limit: limit}
}

// holds tells whether a message still fits. The first always does.
func (p *page) holds(message int) bool {
	if len(p.records) == 0 {
		return true
	}
	return len(p.records) < p.limit && p.bytes+message+telemetry.EventOverhead <= telemetry.PageBytes
}

func (p *page) add(stream string, at telemetry.Position, e event) {
	p.bytes += len(e.message) + telemetry.EventOverhead
	p.records = append(p.records, telemetry.Record{Stream: stream, Position: at, Ingested: e.ingested, Message: string(e.message)})
}

// Read returns a page of a stream's events.
func (a *Archive) Read(scope arn.Scope, groupName, streamName string, q telemetry.ReadQuery) (telemetry.Page, error) {
	g, err := a.find(scope, groupName)
	if err != nil {
		return telemetry.Page{}, err
	}
	s, err := a.stream(g, streamName)
	if err != nil {
		return telemetry.Page{}, err
	}
	window := a.spanOf(g.snapshot(), q.Window)
	gap := window.from
	if q.From != nil {
		gap = *q.From
		window = window.cut(gap, q.Forward)
	}
	out := telemetry.Page{Before: gap, After: gap}
	if window.from.Compare(window.to) >= 0 {
		return out, nil
	}
	c, err := newPick(a.db, g.id, []uint64{s.id}, window, !q.Forward)
	if err != nil {
		return out, err
	}
	records, err := fill(c, streamName, q.Limit)
	if err = errors.Join(err, c.close()); err != nil || len(records) == 0 {
		return out, err
	}
	if !q.Forward {
		slices.Reverse(records)
	}
	return telemetry.Page{Records: records, Before: records[0].Position, After: records[len(records)-1].Position.Next()}, nil
}

// cut keeps what lies after the gap, or before it.
func (s span) cut(gap telemetry.Position, forward bool) span {
	if forward && gap.Compare(s.from) > 0 {
		s.from = gap
	}
	if !forward && gap.Compare(s.to) < 0 {
		s.to = gap
	}
	return s
}

func fill(c cursor, stream string, limit int) ([]telemetry.Record, error) {
	p := newPage(limit)
	for c.next() {
		e, err := c.event()
		if err != nil {
			return nil, err
		}
		if !p.holds(len(e.message)) {
			break
		}
		p.add(stream, c.position(), e)
	}
	return p.records, nil
}
