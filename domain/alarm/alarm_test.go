package alarm

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/metric"
)

func TestDue(t *testing.T) {
	at := func(second int) time.Time { return noon.Add(time.Duration(second) * time.Second) }
	for _, c := range []struct {
		name            string
		period, periods int
		updated, after  int
		upTo            int
		due             int // -1 for not
	}{
		{"each minute", 300, 1, -600, 55, 60, 60},
		{"not between minutes", 300, 1, -600, 60, 70, -1},
		{"each ten seconds", 30, 1, -600, 60, 70, 70},
		{"the last of those missed", 60, 1, -600, 0, 250, 240},
		{"each hour over days", 3600, 48, -600, 0, 3599, -1},
		{"at the hour over days", 3600, 48, -600, 3590, 3600, 3600},
		{"not at once after a change", 10, 1, 66, 60, 70, -1},
		{"soon after a change", 10, 1, 65, 60, 70, 70},
	} {
		a := watching(0, c.periods, "")
		a.Definition.Period, a.StateUpdatedAt = c.period, at(c.updated)
		got, ok := a.Due(at(c.after), at(c.upTo))
		if ok != (c.due >= 0) || ok && !got.Equal(at(c.due)) {
			t.Errorf("%s: %v %v", c.name, got, ok)
		}
	}
}

func TestTheRangeHasTwoMorePeriods(t *testing.T) {
	a := watching(0, 3, "")
	q := a.Query(noon)
	if !q.Start.Equal(noon.Add(-25*time.Minute)) || !q.End.Equal(noon) || q.Period != 5*time.Minute || q.Metric.Name != "Errors" {
		t.Errorf("%+v", q)
	}
}

func TestDefinitionsThatAreRefused(t *testing.T) {
	good := watching(2, 3, TreatAsIgnored).Definition
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(*Definition){
		"MetricName must not be null":                                       func(d *Definition) { d.Metric.Name = "" },
		"Namespace must not be null":                                        func(d *Definition) { d.Metric.Namespace = "" },
		"Either Statistic or ExtendedStatistic must be set":                 func(d *Definition) { d.Statistic = "" },
		"The value tm90 for parameter ExtendedStatistic is not":             func(d *Definition) { d.Statistic = "tm90" },
		"The comparison operator LessThanLowerThreshold needs an anomaly":   func(d *Definition) { d.Operator = "LessThanLowerThreshold" },
		"Threshold must be a finite number":                                 func(d *Definition) { d.Threshold = math.NaN() },
		"Period must not be null":                                           func(d *Definition) { d.Period = 0 },
		"Period must be 10, 20, 30 or a multiple of 60":                     func(d *Definition) { d.Period = 90 },
		"DatapointsToAlarm must be less than or equal to EvaluationPeriods": func(d *Definition) { d.DatapointsToAlarm = 4 },
		"Metrics cannot be checked across more than a day":                  func(d *Definition) { d.EvaluationPeriods = 289 },
		"Metrics cannot be checked across more than seven days":             func(d *Definition) { d.Period, d.EvaluationPeriods = 3600, 169 },
		"Value 'well' at 'treatMissingData' failed":                         func(d *Definition) { d.TreatMissing = "well" },
		"Value 'well' at 'evaluateLowSampleCountPercentile'":                func(d *Definition) { d.LowSamples = "well" },
		"Invalid arn syntax: ring":                                          func(d *Definition) { d.AlarmActions = []string{"ring"} },
	} {
		d := good
		change(&d)
		if err := d.Check(); !fault.IsKind(err, fault.Validation) || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("got %v, want %s", err, says)
		}
	}
}

func TestTags(t *testing.T) {
	many := map[string]string{}
	for n := range MaxTags {
		many[fmt.Sprint(n)] = ""
	}
	for name, c := range map[string]struct {
		has, add map[string]string
		fine     bool
	}{
		"some":     {nil, map[string]string{"a": "b"}, true},
		"replaced": {many, map[string]string{"1": "b"}, true},
		"too many": {many, map[string]string{"a": "b"}, false},
		"AWS's":    {nil, map[string]string{"Aws:x": "b"}, false},
	} {
		if err := CheckTags(c.has, c.add); (err == nil) != c.fine {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNames(t *testing.T) {
	a := watching(0, 1, "")
	a.Name = "web: 5xx/errors"
	if got, want := a.ARN(), "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:web: 5xx/errors"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	parsed, err := arn.Parse(a.ARN())
	if err != nil {
		t.Fatal(err)
	}
	if name, ok := NameIn(parsed); !ok || name != a.Name {
		t.Errorf("%q %v", name, ok)
	}
	for _, other := range []string{"arn:aws:cloudwatch::1:dashboard/x", "arn:aws:ecs:r:1:alarm:x", "arn:aws:cloudwatch:r:1:alarm:"} {
		parsed, err := arn.Parse(other)
		if err != nil {
			t.Fatal(err)
		}
		if name, ok := NameIn(parsed); ok {
			t.Errorf("%s names %q", other, name)
		}
	}
}

func TestHistory(t *testing.T) {
	a := watching(1, 1, "")
	next := a.In(InAlarm, "because", `{"version":"1.0"}`, noon)
	item := Transition(a, next)
	want := `{"version":"1.0","oldState":{"stateValue":"INSUFFICIENT_DATA","stateReason":"Unchecked: Initial alarm creation"},` +
		`"newState":{"stateValue":"ALARM","stateReason":"because","stateReasonData":{"version":"1.0"}}}`
	if item.Data != want || item.Summary != "Alarm updated from INSUFFICIENT_DATA to ALARM" || item.Type != StateUpdate || !item.At.Equal(noon) {
		t.Errorf("%+v", item)
	}
	long := next.In(OK, "fine", `"`+strings.Repeat("x", 3800)+`"`, noon)
	if got := Transition(next.In(InAlarm, "because", long.ReasonData, noon), long).Data; len(got) > maxData || !strings.Contains(got, "xxx") {
		t.Errorf("%d bytes: %.80s", len(got), got)
	}
	for kind, item := range map[string]*Item{"created": a.Created(noon), "updated": a.Updated(noon), "deleted": a.Deleted(noon)} {
		var data map[string]any
		if err := json.Unmarshal([]byte(item.Data), &data); err != nil || data[kind+"Alarm"] == nil || item.Summary != `Alarm "a" `+kind {
			t.Errorf("%s: %+v %v", kind, item, err)
		}
	}
	a.Definition.Description = strings.Repeat("é", 1024)
	for range 30 {
		a.Definition.Metric.Dimensions = append(a.Definition.Metric.Dimensions, metric.Dimension{Name: "n", Value: strings.Repeat("v", 1000)})
	}
	if got := a.Created(noon).Data; len(got) > maxData || !json.Valid([]byte(got)) {
		t.Errorf("%d bytes", len(got))
	}
	later := *item
	later.At = item.At.Add(time.Nanosecond)
	if later.Key() <= item.Key() || !strings.HasPrefix(item.Key(), a.Key()) {
		t.Errorf("%q, %q", item.Key(), later.Key())
	}
}

func TestOnlyAChangeOfStateIsATransition(t *testing.T) {
	a := watching(1, 1, "").In(InAlarm, "one", "", noon)
	b := a.In(InAlarm, "two", "{}", noon.Add(time.Minute))
	if !b.TransitionedAt.Equal(noon) || !b.StateUpdatedAt.Equal(noon.Add(time.Minute)) || b.Reason != "two" || a.Reason != "one" {
		t.Errorf("%+v", b)
	}
}
