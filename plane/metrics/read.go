package metrics

import (
	"bytes"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/metric"
)

// Read finds a metric's datapoints: for each period and unit that has data one, in
// order of time.
func (m *Metrics) Read(scope arn.Scope, q metric.Query) ([]metric.Point, error) {
	q = q.Aligned()
	kind, age := byte(kindMinute), metric.Age
	if q.Period < time.Minute {
		kind, age = kindSecond, metric.HighResolutionAge
	}
	oldest := m.now().Add(-age)
	q = q.After(oldest)
	from := q.Start
	if from.Before(oldest) {
		from = oldest
	}
	if !from.Before(q.End) {
		return nil, nil
	}
	points := keyPoints(kind, keyName(scope, q.Metric))
	var s series
	err := m.scan(atTime(points, from), atTime(points, roundedUp(q.End)), func(key, value []byte) error {
		at, unit := pointOf(key)
		if q.Unit != "" && q.Unit != string(unit) {
			return nil
		}
		set, err := decodeSet(value, q.Values)
		if err != nil {
			return err
		}
		s.add(q.Start.Add(at.Sub(q.Start).Truncate(q.Period)), unit, set)
		return nil
	})
	return s.points, err
}

// roundedUp is the next whole second, so that records before an end within a second
// are still found.
func roundedUp(t time.Time) time.Time { return t.Add(time.Second - 1).Truncate(time.Second) }

// series gathers points from records in order of time.
type series struct {
	points []metric.Point
	first  int // of the newest period's points, which differ in unit
}

func (s *series) add(at time.Time, unit []byte, set metric.Set) {
	if s.first < len(s.points) && !s.points[s.first].At.Equal(at) {
		s.first = len(s.points)
	}
	for i := s.first; i < len(s.points); i++ {
		if bytes.Equal([]byte(s.points[i].Unit), unit) {
			s.points[i].Set = s.points[i].Set.Plus(set)
			return
		}
	}
	s.points = append(s.points, metric.Point{At: at, Unit: string(unit), Set: set})
}
