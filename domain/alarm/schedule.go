package alarm

import (
	"time"

	"github.com/berthhq/berth/domain/metric"
)

const (
	// extraPeriods are looked at beyond the evaluation periods, for datapoints in
	// place of missing ones. AWS does not say how many; its examples have two.
	extraPeriods = 2
	// hold is how long a state is at least left as it is, so that whoever watches
	// alarms sees one that was set by hand.
	hold = 5 * time.Second
)

// Tick is how often an alarm may be due: those with periods below a minute are.
const Tick = 10 * time.Second

// step is how often the alarm is evaluated. Periods slide: one of five minutes ends
// at each minute.
func (d *Definition) step() time.Duration {
	switch {
	case d.Period < 60:
		return Tick
	case d.span() > 24*time.Hour:
		return time.Hour
	}
	return time.Minute
}

func (d *Definition) period() time.Duration { return time.Duration(d.Period) * time.Second }

// span is the length of the evaluation periods together.
func (d *Definition) span() time.Duration { return d.period() * time.Duration(d.EvaluationPeriods) }

// Due is the last moment to evaluate the alarm for, after one and up to another;
// ok is false when there is none.
func (a *Alarm) Due(after, upTo time.Time) (at time.Time, ok bool) {
	at = upTo.Truncate(a.Definition.step())
	return at, at.After(after) && !at.Before(a.StateUpdatedAt.Add(hold))
}

// Query asks for the datapoints that an evaluation for the moment looks at.
func (a *Alarm) Query(at time.Time) metric.Query {
	d := &a.Definition
	_, percentile := d.Statistic.Percentile()
	return metric.Query{
		Metric: d.Metric, Unit: d.Unit, Period: d.period(), Values: percentile,
		Start: at.Add(-d.span() - extraPeriods*d.period()), End: at,
	}
}
