package alarm

import (
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/metric"
)

var (
	scope = arn.Scope{Account: "123456789012", Region: "eu-central-1"}
	noon  = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
)

// threshold 1, so that X is 1 and 0 is 0.
func watching(needed, periods int, treat Treatment) *Alarm {
	return New(scope, "a", Definition{
		Metric: metric.Metric{Namespace: "N", Name: "Errors"}, Statistic: metric.Sum, Period: 300, EvaluationPeriods: periods, DatapointsToAlarm: needed,
		Threshold: 1, Operator: GreaterOrEqual, TreatMissing: treat,
	}, noon.Add(-time.Hour))
}

// drawn reads datapoints as AWS's documentation draws them, the newest last.
func drawn(a *Alarm, picture string) (points []metric.Point) {
	start := a.Query(noon).Start
	for i, mark := range strings.Fields(picture) {
		if mark != "-" {
			value := map[string]float64{"X": 1, "0": 0}[mark]
			points = append(points, metric.Point{At: start.Add(time.Duration(i) * a.Definition.period()), Set: metric.One(value)})
		}
	}
	return points
}

const kept = State("")

// TestMissingData is the two tables of AWS's documentation, and what its text says
// besides.
func TestMissingData(t *testing.T) {
	treatments := []Treatment{"", TreatAsMissing, TreatAsIgnored, TreatAsBreaching, TreatAsNotBreaching}
	for _, c := range []struct {
		needed                              int
		picture                             string
		missing, ignore, breaching, notSuch State
	}{
		{3, "0 - X - X", OK, OK, OK, OK},
		{3, "0 - - - -", OK, OK, OK, OK},
		{3, "- - - - -", InsufficientData, kept, InAlarm, OK},
		{3, "0 X X - X", InAlarm, InAlarm, InAlarm, InAlarm},
		{3, "- - X - -", InAlarm, kept, InAlarm, OK},
		{2, "0 - X - X", InAlarm, InAlarm, InAlarm, InAlarm},
		{2, "0 0 X 0 X", InAlarm, InAlarm, InAlarm, InAlarm},
		{2, "0 - X - -", OK, OK, InAlarm, OK},
		{2, "- - - - 0", OK, OK, InAlarm, OK},
		{2, "- - - X -", InAlarm, kept, InAlarm, OK},
		{3, "- - - - X", kept, kept, InAlarm, OK},
		{3, "- - - X -", kept, kept, InAlarm, OK},
		{3, "X X 0 0 0", OK, OK, OK, OK},
		{1, "X 0 0 0 0", OK, OK, OK, OK},
	} {
		for i, want := range []State{c.missing, c.missing, c.ignore, c.breaching, c.notSuch} {
			for _, before := range []State{OK, InAlarm, InsufficientData} {
				a := watching(c.needed, 3, treatments[i])
				a.State = before
				want := want
				if want == kept {
					want = before
				}
				if got := a.Evaluate(drawn(a, c.picture), noon, noon); got.State != want {
					t.Errorf("%d of 3, %q, %s: from %s to %s, want %s", c.needed, c.picture, treatments[i], before, got.State, want)
				}
			}
		}
	}
}

func TestOperators(t *testing.T) {
	for operator, want := range map[Operator]string{
		GreaterOrEqual: "OK ALARM ALARM", Greater: "OK OK ALARM", Less: "ALARM OK OK", LessOrEqual: "ALARM ALARM OK",
	} {
		var got []string
		for _, v := range []float64{69.9, 70, 70.1} {
			a := watching(0, 1, "")
			a.Definition.Operator, a.Definition.Threshold, a.Definition.Statistic = operator, 70, metric.Average
			got = append(got, string(a.Evaluate([]metric.Point{{At: noon.Add(-5 * time.Minute), Set: metric.One(v)}}, noon, noon).State))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", operator, got, want)
		}
	}
}

// TestReasons is AWS's words for people.
func TestReasons(t *testing.T) {
	for _, c := range []struct {
		needed, periods int
		treat           Treatment
		before          State
		picture         string
		want            string
	}{
		{1, 1, "", InsufficientData, "- - X", "Threshold Crossed: 1 out of the last 1 datapoints [1.0 (02/01/26 11:55:00)] was greater than or equal to the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition)."},
		{2, 3, "", InAlarm, "- - 0 0 X", "Threshold Crossed: 2 out of the last 3 datapoints [0.0 (02/01/26 11:50:00), 0.0 (02/01/26 11:45:00)] were not greater than or equal to the threshold (1.0) (minimum 2 datapoints for ALARM -> OK transition)."},
		{0, 1, "", InAlarm, "- - 0", "Threshold Crossed: 1 datapoint [0.0 (02/01/26 11:55:00)] was not greater than or equal to the threshold (1.0)."},
		{0, 2, "", OK, "- - X X", "Threshold Crossed: 2 datapoints [1.0 (02/01/26 11:55:00), 1.0 (02/01/26 11:50:00)] were greater than or equal to the threshold (1.0)."},
		{0, 2, TreatAsBreaching, OK, "- - - -", "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching]."},
		{0, 1, TreatAsNotBreaching, InAlarm, "- - -", "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching]."},
		{0, 3, TreatAsBreaching, OK, "- - - - X", "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as [Breaching]."},
		{0, 5, "", OK, "", "Insufficient Data: 5 datapoints were unknown."},
		{0, 1, "", OK, "", "Insufficient Data: 1 datapoint was unknown."},
	} {
		a := watching(c.needed, c.periods, c.treat)
		a.State = c.before
		if got := a.Evaluate(drawn(a, c.picture), noon, noon).Reason; got != c.want {
			t.Errorf("%q: %s\nwant %s", c.picture, got, c.want)
		}
	}
}

// TestReasonData is AWS's words for programs.
func TestReasonData(t *testing.T) {
	a := watching(1, 2, "")
	a.Definition.Unit = "Count"
	now := noon.Add(12500 * time.Microsecond)
	next := a.Evaluate(drawn(a, "- 0 - X"), noon, now)
	want := `{"version":"1.0","queryDate":"2026-01-02T12:00:00.012+0000","startDate":"2026-01-02T11:45:00.000+0000","unit":"Count","statistic":"Sum","period":300,` +
		`"recentDatapoints":[0.0,1.0],"threshold":1.0,"evaluatedDatapoints":[{"timestamp":"2026-01-02T11:55:00.000+0000","sampleCount":1.0,"value":1.0},` +
		`{"timestamp":"2026-01-02T11:45:00.000+0000","sampleCount":1.0,"value":0.0}]}`
	if next.ReasonData != want {
		t.Errorf("%s\nwant %s", next.ReasonData, want)
	}
	if !next.StateUpdatedAt.Equal(now) || !next.TransitionedAt.Equal(now) || a.State != InsufficientData {
		t.Errorf("from %+v to %+v", a, next)
	}
	if again := next.Evaluate(drawn(a, "- 0 - X"), noon, now.Add(time.Minute)); again != next {
		t.Errorf("the same state is another record: %+v", again)
	}
	nothing := next.Evaluate(nil, noon, now)
	if want := `"recentDatapoints":[],"threshold":1.0}`; !strings.HasSuffix(nothing.ReasonData, want) {
		t.Errorf("%s", nothing.ReasonData)
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0.0", 70: "70.0", -1.25: "-1.25", 1e7: "1.0E7", 123456789: "1.23456789E8", 0.001: "0.001", 0.0001: "1.0E-4"} {
		if got := number(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestPercentilesOfFewSamples(t *testing.T) {
	a := watching(0, 1, "")
	a.Definition.Statistic, a.Definition.LowSamples = "p90", IgnoreLowSamples
	look := func(samples float64) State {
		set := metric.OfValues([]metric.Value{{Of: 5, Count: samples}})
		return a.Evaluate([]metric.Point{{At: noon.Add(-5 * time.Minute), Set: set}}, noon, noon).State
	}
	if few, enough := look(99), look(100); few != InsufficientData || enough != InAlarm {
		t.Errorf("99 samples: %s, 100 samples: %s", few, enough)
	}
	a.Definition.LowSamples = EvaluateLowSamples
	if got := look(1); got != InAlarm {
		t.Errorf("one sample, evaluated: %s", got)
	}
}

// TestMoreIsNeverBetter: a breaching datapoint in place of any other never turns
// ALARM to OK, and reasons fit in what the API allows.
func TestMoreIsNeverBetter(t *testing.T) {
	severity := map[State]int{OK: 0, InsufficientData: 1, InAlarm: 2}
	marks := []string{"0", "-", "X"}
	if err := quick.Check(func(data []uint8, at, needed, periods, treat uint8) bool {
		n := 1 + int(periods%60)
		m := 1 + int(needed)%n
		a := watching(m, n, []Treatment{TreatAsMissing, TreatAsIgnored, TreatAsBreaching, TreatAsNotBreaching}[treat%4])
		picture := make([]string, n+extraPeriods)
		for i := range picture {
			picture[i] = "0"
			if i < len(data) {
				picture[i] = marks[data[i]%3]
			}
		}
		before := a.Evaluate(drawn(a, strings.Join(picture, " ")), noon, noon)
		i := int(at) % len(picture)
		replaced := picture[i]
		picture[i] = "X"
		after := a.Evaluate(drawn(a, strings.Join(picture, " ")), noon, noon)
		worse := severity[after.State] >= severity[before.State] || replaced == "-"
		return worse && len(after.Reason) <= 1023 && len(after.ReasonData) <= 4000 && len(Transition(before, after).Data) <= maxData
	}, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}
