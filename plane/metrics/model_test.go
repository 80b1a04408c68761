package metrics

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/metric"
)

// TestReadsAgreeWithAPlainSum puts random datapoints in random batches and reads
// them by random periods and windows.
func TestReadsAgreeWithAPlainSum(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m, _ := fresh(t)
		type written struct {
			second int
			unit   string
			value  float64
		}
		var model []written
		for range rapid.IntRange(1, 5).Draw(rt, "batches") {
			var batch []metric.Datum
			for range rapid.IntRange(1, 10).Draw(rt, "size") {
				w := written{
					second: rapid.IntRange(-600, 599).Draw(rt, "second"),
					unit:   rapid.SampledFrom([]string{"Count", "None"}).Draw(rt, "unit"),
					value:  float64(rapid.IntRange(0, 9).Draw(rt, "value")),
				}
				model = append(model, w)
				d := at(time.Duration(w.second)*time.Second, w.value)
				d.Unit, d.HighResolution = w.unit, true
				batch = append(batch, d)
			}
			put(t, m, batch...)
		}
		period := rapid.SampledFrom([]int{1, 5, 10, 20, 30, 60, 120, 300}).Draw(rt, "period")
		start := rapid.IntRange(-10, 10).Draw(rt, "start") * max(period, 60)
		end := start + rapid.IntRange(1, 10).Draw(rt, "periods")*period
		want := map[string]metric.Set{}
		for _, w := range model {
			if w.second >= start && w.second < end {
				key := fmt.Sprintf("%05d %s", 10000+start+(w.second-start)/period*period, w.unit)
				want[key] = want[key].Plus(metric.One(w.value))
			}
		}
		points, err := m.Read(here, metric.Query{
			Metric: cpu, Start: noon.Add(time.Duration(start) * time.Second), End: noon.Add(time.Duration(end) * time.Second), Period: time.Duration(period) * time.Second, Values: true,
		})
		must(t, err)
		got := map[string]metric.Set{}
		for i, p := range points {
			got[fmt.Sprintf("%05d %s", 10000+int(p.At.Sub(noon)/time.Second), p.Unit)] = p.Set
			if i > 0 && p.At.Before(points[i-1].At) {
				rt.Fatalf("not in order of time: %+v", points)
			}
		}
		if len(got) != len(points) || !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
			rt.Fatalf("got %v, want %v", got, want)
		}
		for key, set := range want {
			if fmt.Sprint(got[key]) != fmt.Sprint(set) {
				rt.Fatalf("%s: got %v, want %v", key, got[key], set)
			}
		}
	})
}
