package metrics

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/metric"
)

var (
	here = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	cpu  = metric.Metric{Namespace: "AWS/ECS", Name: "CPUUtilization", Dimensions: []metric.Dimension{{Name: "ClusterName", Value: "default"}}}
)

// clock is a time the test moves.
type clock struct{ seconds atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.seconds.Store(noon.Unix())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(c.seconds.Load(), 0).UTC() }
func (c *clock) advance(d time.Duration) { c.seconds.Add(int64(d / time.Second)) }

func open(t testing.TB, dir string, c *clock) *Metrics {
	t.Helper()
	m, err := Open(dir, Options{Now: c.now, DiskUse: func() float64 { return 0 }})
	must(t, err)
	return m
}

func fresh(t testing.TB) (*Metrics, *clock) {
	c := newClock()
	m := open(t, t.TempDir(), c)
	t.Cleanup(func() { must(t, m.Close()) })
	return m, c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, m *Metrics, data ...metric.Datum) {
	t.Helper()
	must(t, m.Put(here, data))
}

// show reads the sums from the hour before noon to the one after it.
func show(t testing.TB, m *Metrics, q metric.Query) string {
	t.Helper()
	q.Metric = cpu
	if q.Start.IsZero() {
		q.Start, q.End = noon.Add(-time.Hour), noon.Add(time.Hour)
	}
	points, err := m.Read(here, q)
	must(t, err)
	var out []string
	for _, p := range points {
		out = append(out, fmt.Sprintf("%s %s %v/%v", p.At.Sub(noon), p.Unit, p.Set.Sum, p.Set.Count))
	}
	return strings.Join(out, ", ")
}

func equal(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func at(d time.Duration, v float64) metric.Datum {
	return metric.Datum{Metric: cpu, At: noon.Add(d), Set: metric.One(v)}
}

func TestDatapointsOfAPeriodAreOne(t *testing.T) {
	m, _ := fresh(t)
	put(t, m, at(0, 1), at(30*time.Second, 2), at(-time.Minute, 4))
	put(t, m, at(59*time.Second, 8), at(time.Minute, 16))
	equal(t, "minutes", show(t, m, metric.Query{Period: time.Minute}), "-1m0s None 4/1, 0s None 11/3, 1m0s None 16/1")
	equal(t, "five minutes", show(t, m, metric.Query{Period: 5 * time.Minute}), "-5m0s None 4/1, 0s None 27/4")
	equal(t, "sliding periods", show(t, m, metric.Query{Period: 2 * time.Minute, Start: noon.Add(-time.Minute), End: noon.Add(time.Minute)}), "-1m0s None 15/4")
	equal(t, "seconds of a metric of minutes", show(t, m, metric.Query{Period: 10 * time.Second}), "-1m0s None 4/1, 0s None 11/3, 1m0s None 16/1")
	equal(t, "the end is not in it", show(t, m, metric.Query{Period: time.Minute, Start: noon.Add(-time.Minute), End: noon}), "-1m0s None 4/1")
	equal(t, "nothing", show(t, m, metric.Query{Period: time.Minute, Start: noon.Add(2 * time.Minute), End: noon}), "")
}

func TestUnitsAreApart(t *testing.T) {
	m, _ := fresh(t)
	count, percent := at(0, 1), at(time.Second, 50)
	count.Unit, percent.Unit = "Count", "Percent"
	later := at(time.Minute, 2)
	later.Unit = "Count"
	put(t, m, count, percent, later)
	equal(t, "any", show(t, m, metric.Query{Period: 5 * time.Minute}), "0s Count 3/2, 0s Percent 50/1")
	equal(t, "one", show(t, m, metric.Query{Period: time.Minute, Unit: "Count"}), "0s Count 1/1, 1m0s Count 2/1")
	equal(t, "another", show(t, m, metric.Query{Period: time.Minute, Unit: "Bytes"}), "")
}

func TestHighResolution(t *testing.T) {
	m, c := fresh(t)
	for n := range 25 {
		d := at(time.Duration(n)*time.Second, 1)
		d.HighResolution = true
		put(t, m, d)
	}
	equal(t, "ten seconds", show(t, m, metric.Query{Period: 10 * time.Second}), "0s None 10/10, 10s None 10/10, 20s None 5/5")
	equal(t, "from within", show(t, m, metric.Query{Period: 10 * time.Second, Start: noon.Add(12 * time.Second), End: noon.Add(time.Hour)}), "10s None 10/10, 20s None 5/5")
	equal(t, "minutes", show(t, m, metric.Query{Period: time.Minute}), "0s None 25/25")
	c.advance(metric.HighResolutionAge + 15*time.Second)
	equal(t, "three hours later", show(t, m, metric.Query{Period: 10 * time.Second}), "10s None 5/5, 20s None 5/5")
	equal(t, "minutes later", show(t, m, metric.Query{Period: time.Minute}), "0s None 25/25")
	must(t, m.Sweep(context.Background()))
	equal(t, "minutes after a sweep", show(t, m, metric.Query{Period: time.Minute}), "0s None 25/25")
}

func TestPercentilesFollowFromWhatWasPut(t *testing.T) {
	m, _ := fresh(t)
	for n := range 100 {
		put(t, m, at(time.Duration(n)*time.Second, float64(n+1)))
	}
	points, err := m.Read(here, metric.Query{Metric: cpu, Start: noon, End: noon.Add(5 * time.Minute), Period: 5 * time.Minute, Values: true})
	must(t, err)
	if got, ok := metric.Statistic("p90").Of(points[0].Set); !ok || got != 90 {
		t.Errorf("p90 is %v", got)
	}
}

func TestAllSurvivesARestart(t *testing.T) {
	c, dir := newClock(), t.TempDir()
	m := open(t, dir, c)
	put(t, m, at(0, 1))
	must(t, m.Close())
	m = open(t, dir, c)
	defer m.Close()
	put(t, m, at(time.Second, 2))
	equal(t, "minutes", show(t, m, metric.Query{Period: time.Minute}), "0s None 3/2")
}

func TestANewerStoreIsRefused(t *testing.T) {
	c, dir := newClock(), t.TempDir()
	m := open(t, dir, c)
	must(t, m.db.Set([]byte{kindSchema}, []byte{0, 0, 0, 0, 0, 0, 0, 2}, nil))
	must(t, m.Close())
	if _, err := Open(dir, Options{Now: c.now}); err == nil || !strings.Contains(err.Error(), "newer berth") {
		t.Errorf("%v", err)
	}
}

func TestScopesAreApart(t *testing.T) {
	m, _ := fresh(t)
	put(t, m, at(0, 1))
	other := arn.Scope{Account: here.Account, Region: "eu-west-1"}
	points, err := m.Read(other, metric.Query{Metric: cpu, Start: noon.Add(-time.Hour), End: noon.Add(time.Hour), Period: time.Minute})
	must(t, err)
	list, _, err := m.List(other, metric.Filter{Limit: 10, After: "\x00"})
	must(t, err)
	if len(points)+len(list) != 0 {
		t.Errorf("%v %v", points, list)
	}
}

func TestRetention(t *testing.T) {
	m, c := fresh(t)
	put(t, m, at(0, 1))
	put(t, m, at(-metric.Age, 1000)) // forgotten at once
	c.advance(10 * 24 * time.Hour)
	put(t, m, at(10*24*time.Hour, 2))
	c.advance(5*24*time.Hour + time.Minute)
	whole := metric.Query{Period: time.Minute, Start: time.Unix(-6e10, 0), End: noon.Add(100 * 24 * time.Hour)}
	equal(t, "hidden before any sweep", show(t, m, whole), "240h0m0s None 2/1")
	must(t, m.Sweep(context.Background()))
	if n := count(t, m, kindMinute); n != 1 {
		t.Errorf("%d records of minutes", n)
	}
	if n := count(t, m, kindSecond); n != 0 {
		t.Errorf("%d records of seconds", n)
	}
	c.advance(metric.Age)
	must(t, m.Sweep(context.Background()))
	if n := count(t, m, kindMinute) + count(t, m, kindName); n != 0 {
		t.Errorf("%d records are left", n)
	}
}

func count(t *testing.T, m *Metrics, kind byte) (n int) {
	t.Helper()
	must(t, m.scan([]byte{kind}, []byte{kind + 1}, func(_, _ []byte) error { n++; return nil }))
	return n
}

func TestSweepsOfManyMetrics(t *testing.T) {
	m, c := fresh(t)
	var data []metric.Datum
	for n := range 2*sweptAtOnce + 5 {
		data = append(data, metric.Datum{Metric: metric.Metric{Namespace: "N", Name: fmt.Sprint(n)}, At: noon, Set: metric.One(1)})
	}
	put(t, m, data...)
	c.advance(2 * metric.Age)
	put(t, m, data[0])
	must(t, m.Sweep(context.Background()))
	if names, minutes := count(t, m, kindName), count(t, m, kindMinute); names != 1 || minutes != 0 {
		t.Errorf("%d metrics, %d records", names, minutes)
	}
}

func TestAFullDiskRefuses(t *testing.T) {
	c, used := newClock(), 0.95
	m, err := Open(t.TempDir(), Options{Now: c.now, DiskUse: func() float64 { return used }})
	must(t, err)
	defer m.Close()
	if err := m.Put(here, []metric.Datum{at(0, 1)}); !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	used = 0.5
	c.advance(time.Second)
	put(t, m, at(0, 1))
	equal(t, "minutes", show(t, m, metric.Query{Period: time.Minute}), "0s None 1/1")
}

func TestList(t *testing.T) {
	m, c := fresh(t)
	named := func(namespace, name string, dimensions ...metric.Dimension) metric.Datum {
		return metric.Datum{Metric: metric.Metric{Namespace: namespace, Name: name, Dimensions: dimensions}, At: noon, Set: metric.One(1)}
	}
	web, db := metric.Dimension{Name: "Service", Value: "web"}, metric.Dimension{Name: "Service", Value: "db"}
	zone := metric.Dimension{Name: "Zone", Value: "a"}
	put(t, m, named("A", "x"), named("A", "x", web), named("A", "y", web, zone), named("AB", "x", db))
	c.advance(4 * time.Hour)
	put(t, m, named("A", "z", db))
	list := func(f metric.Filter) string {
		var out []string
		for pages := 0; ; pages++ {
			page, next, err := m.List(here, f)
			must(t, err)
			for _, found := range page {
				text := found.Namespace + "." + found.Name
				for _, d := range found.Dimensions {
					text += " " + d.Value
				}
				out = append(out, text)
			}
			if f.After = next; next == "" {
				return strings.Join(out, ", ")
			}
			if len(page) != f.Limit {
				t.Fatalf("a page of %d", len(page))
			}
		}
	}
	for limit := 1; limit < 6; limit++ {
		equal(t, "all", list(metric.Filter{Limit: limit}), "A.x, A.x web, A.y web a, A.z db, AB.x db")
		equal(t, "a namespace", list(metric.Filter{Limit: limit, Namespace: "A"}), "A.x, A.x web, A.y web a, A.z db")
		equal(t, "a metric", list(metric.Filter{Limit: limit, Namespace: "A", Name: "x"}), "A.x, A.x web")
		equal(t, "a name", list(metric.Filter{Limit: limit, Name: "x"}), "A.x, A.x web, AB.x db")
		equal(t, "a dimension", list(metric.Filter{Limit: limit, Dimensions: []metric.Dimension{{Name: "Service"}}}), "A.x web, A.y web a, A.z db, AB.x db")
		equal(t, "a dimension's value", list(metric.Filter{Limit: limit, Dimensions: []metric.Dimension{web, {Name: "Zone"}}}), "A.y web a")
		equal(t, "active", list(metric.Filter{Limit: limit, Active: 3 * time.Hour}), "A.z db")
	}
	c.advance(14 * 24 * time.Hour)
	equal(t, "two weeks later", list(metric.Filter{Limit: 5}), "A.z db")
	c.advance(time.Hour)
	equal(t, "later", list(metric.Filter{Limit: 5}), "")
}
