// Package metric holds what is measured: metrics and their dimensions, the
// datapoints that were put, and the statistics of them over a period.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
package metric

import (
	"slices"
	"strings"
	"time"
)

// NoUnit is the unit of data that were put without one.
const NoUnit = "None"

// Dimension is one name and value that tell a metric from others of its name.
type Dimension struct {
	Name  string
	Value string
}

// Metric is what datapoints belong to: each combination of dimensions is a metric
// of its own.
type Metric struct {
	Namespace  string
	Name       string
	Dimensions []Dimension // in order of name: see Sorted
}

// Sorted is the dimensions in order of name, so that equal metrics look equal.
func Sorted(dimensions []Dimension) []Dimension {
	out := slices.Clone(dimensions)
	slices.SortFunc(out, func(a, b Dimension) int { return strings.Compare(a.Name+"\x00"+a.Value, b.Name+"\x00"+b.Value) })
	return out
}

// Equal tells whether both are the same metric.
func (m Metric) Equal(o Metric) bool {
	return m.Namespace == o.Namespace && m.Name == o.Name && slices.Equal(m.Dimensions, o.Dimensions)
}

// Datum is what was measured of a metric at a moment.
type Datum struct {
	Metric Metric
	At     time.Time
	Unit   string // empty for NoUnit
	Set    Set
	// HighResolution keeps the second, for HighResolutionAge; else the minute.
	HighResolution bool
}

// How long datapoints are kept.
const (
	Age               = 15 * 24 * time.Hour
	HighResolutionAge = 3 * time.Hour
)

// Query asks for a metric's datapoints from Start on and before End, a point for
// each Period that has data.
type Query struct {
	Metric     Metric
	Unit       string // empty for every unit
	Start, End time.Time
	Period     time.Duration // 1, 5, 10, 20 or 30 seconds, or whole minutes
	// Values tells that percentiles are wanted. Without it points have none, and a
	// long series takes little memory.
	Values bool
}

// ValidPeriod tells whether datapoints can be asked for by periods of so many seconds.
func ValidPeriod(seconds int) bool {
	return slices.Contains([]int{1, 5, 10, 20, 30}, seconds) || seconds > 0 && seconds%60 == 0
}

// Aligned rounds Start down to where the first period begins: to a division of the
// minute for periods below one, else to the minute.
func (q Query) Aligned() Query {
	q.Start = q.Start.Truncate(min(q.Period, time.Minute))
	return q
}

// Point is what a period holds of the data of one unit. At is its begin.
type Point struct {
	At   time.Time
	Unit string
	Set  Set
}

// After is the query without the periods that end at a time or before it.
func (q Query) After(t time.Time) Query {
	period := int64(q.Period / time.Second)
	// In seconds: a Duration has no room for the first centuries.
	if periods := (t.Unix() - q.Start.Unix()) / period; periods > 0 {
		q.Start = time.Unix(q.Start.Unix()+periods*period, 0).UTC()
	}
	return q
}

// Periods is how many there are, the last one perhaps cut.
func (q Query) Periods() int64 {
	period := int64(q.Period / time.Second)
	return (q.End.Unix() - q.Start.Unix() + period - 1) / period
}

// Combine makes one point of those of each moment, whatever their units. Points
// are in order of time.
func Combine(points []Point) []Point {
	var out []Point
	for _, p := range points {
		if n := len(out); n > 0 && out[n-1].At.Equal(p.At) {
			out[n-1].Set = out[n-1].Set.Plus(p.Set)
			continue
		}
		out = append(out, p)
	}
	return out
}
