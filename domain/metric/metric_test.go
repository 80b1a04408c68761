package metric

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"testing/quick"
	"time"
)

func TestStatistics(t *testing.T) {
	set := OfValues([]Value{{4, 1}, {1, 2}, {10, 1}})
	for s, want := range map[Statistic]float64{
		SampleCount: 4, Sum: 16, Average: 4, Minimum: 1, Maximum: 10,
		"p0": 1, "p50": 1, "p50.1": 4, "p75": 4, "p75.01": 10, "p100": 10,
	} {
		if got, ok := s.Of(set); !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", s, got, ok, want)
		}
	}
	for name, set := range map[string]Set{
		"nothing": {}, "negative values": OfValues([]Value{{-1, 1}, {2, 1}}), "statistics alone": OfStatistics(3, 6, 1, 3),
		"statistics among values": One(1).Plus(OfStatistics(3, 6, 1, 3)),
	} {
		if got, ok := Statistic("p50").Of(set); ok {
			t.Errorf("%s has p50 %v", name, got)
		}
	}
	if got, ok := Statistic("p90").Of(OfStatistics(5, 10, 2, 2)); !ok || got != 2 {
		t.Errorf("p90 of equal values: %v %v", got, ok)
	}
}

func TestParseStatistic(t *testing.T) {
	for text, want := range map[string]bool{
		"Average": true, "SampleCount": true, "p0": true, "p99": true, "p99.99": true, "p100": true,
		"average": false, "": false, "p": false, "p101": false, "p-1": false, "p1e1": false, "p9.9.9": false, "tm90": false, "IQM": false, "pNaN": false,
	} {
		if _, ok := ParseStatistic(text); ok != want {
			t.Errorf("%q is a statistic: %v", text, ok)
		}
	}
}

// TestSumsAgreeWithAllValues adds sets in any order and holds them against the
// plain list of values, which are no more different ones than a set keeps as they are.
func TestSumsAgreeWithAllValues(t *testing.T) {
	if err := quick.Check(func(parts [][]uint16) bool {
		var sum Set
		var all []float64
		for _, part := range parts {
			var values []Value
			for _, v := range part {
				values = append(values, Value{float64(v % MaxValues), 1})
				all = append(all, float64(v%MaxValues))
			}
			sum = OfValues(values).Plus(sum)
		}
		if len(all) == 0 {
			return sum.Count == 0
		}
		slices.Sort(all)
		total := 0.0
		for _, v := range all {
			total += v
		}
		median, _ := Statistic("p50").Of(sum)
		return sum.Count == float64(len(all)) && sum.Sum == total && sum.Min == all[0] && sum.Max == all[len(all)-1] &&
			median == all[(len(all)+1)/2-1]
	}, nil); err != nil {
		t.Error(err)
	}
}

// TestManyValuesBecomeBuckets bounds what a set keeps, and how far percentiles are off.
func TestManyValuesBecomeBuckets(t *testing.T) {
	var set Set
	const all = 5000
	for n := range all {
		set = set.Plus(One(100 + float64(n*7919%all)))
	}
	if len(set.Values) > MaxValues {
		t.Fatalf("%d values", len(set.Values))
	}
	if !slices.IsSortedFunc(set.Values, func(a, b Value) int { return cmp.Compare(a.Of, b.Of) }) {
		t.Error("not in order")
	}
	for _, rank := range []float64{1, 50, 90, 99} {
		s := Statistic("p" + map[float64]string{1: "1", 50: "50", 90: "90", 99: "99"}[rank])
		got, _ := s.Of(set)
		want := 100 + rank/100*all
		if math.Abs(got-want)/want > 0.05 {
			t.Errorf("%s is %v, want %v", s, got, want)
		}
	}
	var wild Set
	for n := range 4000 {
		wild = wild.Plus(One(math.Pow(2, float64(n%1400)-1000) * float64(1-2*(n%2))))
	}
	if len(wild.Values) > MaxValues || wild.Count != 4000 {
		t.Errorf("%d values, count %v", len(wild.Values), wild.Count)
	}
}

func TestPointsOfOneMomentCombine(t *testing.T) {
	at := time.Unix(600, 0)
	got := Combine([]Point{{at, "Count", One(1)}, {at, "None", One(3)}, {at.Add(time.Minute), "Count", One(5)}})
	if len(got) != 2 || got[0].Set.Sum != 4 || got[1].Set.Sum != 5 {
		t.Errorf("%+v", got)
	}
}

func TestPeriodsBeginWhereTheyShould(t *testing.T) {
	at := time.Date(2026, 1, 2, 12, 2, 37, 5e8, time.UTC)
	for period, want := range map[time.Duration]int{time.Second: 37, 10 * time.Second: 30, 30 * time.Second: 30, time.Minute: 0, 5 * time.Minute: 0} {
		got := Query{Start: at, Period: period}.Aligned().Start
		if got != time.Date(2026, 1, 2, 12, 2, want, 0, time.UTC) {
			t.Errorf("%v: %v", period, got)
		}
	}
	long := Query{Start: time.Time{}, End: at, Period: 5 * time.Minute}
	if got := long.After(at); got.Start.After(at) || at.Sub(got.Start) >= 5*time.Minute || got.Periods() != 1 || got.Start.Unix()%300 != 0 {
		t.Errorf("%+v", got)
	}
	if got := long.Periods(); got != (at.Unix()-long.Start.Unix())/300+1 {
		t.Errorf("%d periods", got)
	}
	if got := (Query{Start: at, End: at.Add(time.Hour), Period: time.Minute}).After(at.Add(-time.Hour)); got.Start != at || got.Periods() != 60 {
		t.Errorf("%+v", got)
	}
	for seconds, want := range map[int]bool{0: false, 1: true, 5: true, 10: true, 20: true, 30: true, 60: true, 300: true, 2: false, 90: false, -60: false} {
		if ValidPeriod(seconds) != want {
			t.Errorf("period %d: %v", seconds, !want)
		}
	}
}
