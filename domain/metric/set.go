package metric

import (
	"cmp"
	"math"
	"slices"
)

// MaxValues is how many different values a Set keeps. Of more it keeps buckets,
// each at least one percent wide.
const MaxValues = 250

// Value is a number that was measured, and how often.
type Value struct {
	Of    float64
	Count float64
}

// Set is what is kept of all values of a period. The zero Set has none.
type Set struct {
	Count, Sum, Min, Max float64
	// Values tell percentiles, in rising order. They are nil though there is a
	// Count when only statistics were put.
	Values []Value
}

// One is the set of a single value.
func One(v float64) Set { return OfValues([]Value{{v, 1}}) }

// OfValues is the set of values, in any order, whose counts are positive.
func OfValues(values []Value) Set {
	s := Set{Min: math.Inf(1), Max: math.Inf(-1)}
	for _, v := range values {
		s.Count += v.Count
		s.Sum += v.Of * v.Count
		s.Min, s.Max = min(s.Min, v.Of), max(s.Max, v.Of)
	}
	if s.Count == 0 {
		return Set{}
	}
	s.Values = tidy(values)
	return s
}

// OfStatistics is the set of values known by their statistics alone. Equal ones
// are known all the same.
func OfStatistics(count, sum, minimum, maximum float64) Set {
	s := Set{Count: count, Sum: sum, Min: minimum, Max: maximum}
	if minimum == maximum && sum == minimum*count {
		s.Values = []Value{{minimum, count}}
	}
	return s
}

// Plus is the set of both sets' values.
func (s Set) Plus(o Set) Set {
	switch {
	case s.Count == 0:
		return o
	case o.Count == 0:
		return s
	}
	sum := Set{Count: s.Count + o.Count, Sum: s.Sum + o.Sum, Min: min(s.Min, o.Min), Max: max(s.Max, o.Max)}
	if s.Values != nil && o.Values != nil {
		sum.Values = tidy(slices.Concat(s.Values, o.Values))
	}
	return sum
}

// tidy sorts values, joins equal ones, and joins close ones where they are too many.
func tidy(values []Value) []Value {
	out := slices.Clone(values)
	slices.SortFunc(out, func(a, b Value) int { return cmp.Compare(a.Of, b.Of) })
	out = join(out, func(a, b float64) bool { return a == b })
	for width := 0.01; len(out) > MaxValues; width *= 2 {
		out = join(out, func(a, b float64) bool { return bucket(a, width) == bucket(b, width) })
	}
	return out
}

// bucket numbers ranges of numbers, each so much (0.01 for one percent) wider than
// the one before it.
func bucket(v, width float64) float64 {
	if v == 0 {
		return math.Inf(-1)
	}
	n := math.Floor(math.Log(math.Abs(v)) / math.Log1p(width))
	if v < 0 {
		return -1e9 + n // apart from those of positive numbers
	}
	return n
}

// join makes one value, their mean, of neighbours that are the same.
func join(values []Value, same func(a, b float64) bool) []Value {
	out := values[:0]
	first := 0.0 // of the values that became the last of out
	for _, v := range values {
		if n := len(out); n > 0 && same(first, v.Of) {
			last := &out[n-1]
			count := last.Count + v.Count
			if last.Of != v.Of {
				last.Of += (v.Of - last.Of) * (v.Count / count)
			}
			last.Count = count
			continue
		}
		first = v.Of
		out = append(out, v)
	}
	return out
}
