package metric

import (
	"strconv"
	"strings"
)

// Statistic is what is told of a period's values: one of those below, or a
// percentile such as p99.9.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
type Statistic string

// Statistics other than percentiles.
const (
	SampleCount Statistic = "SampleCount"
	Average     Statistic = "Average"
	Sum         Statistic = "Sum"
	Minimum     Statistic = "Minimum"
	Maximum     Statistic = "Maximum"
)

// ParseStatistic reads a statistic or a percentile; ok is false for anything else,
// trimmed means among it.
func ParseStatistic(text string) (s Statistic, ok bool) {
	s = Statistic(text)
	switch s {
	case SampleCount, Average, Sum, Minimum, Maximum:
		return s, true
	}
	_, ok = s.Percentile()
	return s, ok
}

// Percentile is the rank, from 0 to 100, when the statistic is a percentile.
func (s Statistic) Percentile() (rank float64, ok bool) {
	digits, ok := strings.CutPrefix(string(s), "p")
	if !ok || digits == "" || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	rank, err := strconv.ParseFloat(digits, 64)
	return rank, err == nil && rank <= 100
}

// Of is the statistic of the set's values; ok is false where there is none, as
// with percentiles of values that are not known or negative.
func (s Statistic) Of(set Set) (value float64, ok bool) {
	if set.Count == 0 {
		return 0, false
	}
	switch s {
	case SampleCount:
		return set.Count, true
	case Average:
		return set.Sum / set.Count, true
	case Sum:
		return set.Sum, true
	case Minimum:
		return set.Min, true
	case Maximum:
		return set.Max, true
	}
	rank, ok := s.Percentile()
	if !ok || len(set.Values) == 0 || set.Min < 0 {
		return 0, false
	}
	return percentile(set, rank), true
}

// percentile is the least value that so many percent of all do not exceed.
func percentile(set Set, rank float64) float64 {
	wanted, seen := rank/100*set.Count, 0.0
	for _, v := range set.Values {
		if seen += v.Count; seen >= wanted {
			return v.Of
		}
	}
	return set.Max
}
