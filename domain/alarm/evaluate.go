package alarm

import (
	"slices"
	"time"

	"github.com/berthhq/berth/domain/metric"
)

// sample is what a period said.
type sample struct {
	at       time.Time
	value    float64
	count    float64 // of values in the period
	breaches bool
}

// Evaluate is the alarm after it was looked at for a moment, with the datapoints
// that Query asked for in order of time; the same alarm if its state stays.
func (a *Alarm) Evaluate(points []metric.Point, at, now time.Time) *Alarm {
	e := evaluation{Definition: &a.Definition, at: at, now: now, samples: a.Definition.samples(points)}
	state := e.decide()
	if state == "" || state == a.State {
		return a
	}
	return a.In(state, e.reason(state), e.data(), now)
}

// samples are the periods that have a value, the newest first.
func (d *Definition) samples(points []metric.Point) []sample {
	var out []sample
	for _, p := range metric.Combine(points) {
		if v, ok := d.Statistic.Of(p.Set); ok {
			out = append(out, sample{p.At, v, p.Set.Count, d.breaches(v)})
		}
	}
	slices.Reverse(out)
	return out
}

// evaluation is one look at an alarm.
type evaluation struct {
	*Definition
	at, now time.Time
	samples []sample // the newest first
}

// decide is the state that follows; empty to keep the one there is.
//
// The newest real datapoints decide, those of the extra periods included. Only
// where they are fewer than the evaluation periods does the treatment of missing
// data count, for as many as lack.
func (e *evaluation) decide() State {
	if len(e.samples) > e.EvaluationPeriods {
		e.samples = e.samples[:e.EvaluationPeriods]
	}
	if e.tooFewSamples() {
		return ""
	}
	breaching, lacking := e.breaching(), e.lacking()
	switch e.treatment() {
	case TreatAsBreaching:
		breaching += lacking
	case TreatAsNotBreaching:
	default:
		switch {
		case len(e.samples) == 0 && e.treatment() == TreatAsIgnored:
			return ""
		case len(e.samples) == 0:
			return InsufficientData
		case breaching < e.needed() && breaching == len(e.samples) && lacking > 0:
			return e.onlyBreaching()
		}
	}
	if breaching >= e.needed() {
		return InAlarm
	}
	return OK
}

// onlyBreaching decides where all there is is breaching, but not enough: once the
// oldest is as old as the datapoints to alarm, those that did not come since do
// not count. Before, the next may still be better.
func (e *evaluation) onlyBreaching() State {
	oldest := e.samples[len(e.samples)-1]
	old := e.at.Sub(oldest.at) >= time.Duration(e.needed())*e.period()
	if old && e.treatment() == TreatAsMissing {
		return InAlarm
	}
	return ""
}

func (e *evaluation) treatment() Treatment {
	if e.TreatMissing == "" {
		return TreatAsMissing
	}
	return e.TreatMissing
}

// lacking is how many datapoints there are too few.
func (e *evaluation) lacking() int { return e.EvaluationPeriods - len(e.samples) }

func (e *evaluation) breaching() (n int) {
	for _, s := range e.samples {
		if s.breaches {
			n++
		}
	}
	return n
}

// tooFewSamples tells that a percentile is of too few values to mean something,
// for alarms that ask for that: ten beyond the percentile on its thinner side.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
func (e *evaluation) tooFewSamples() bool {
	rank, ok := e.Statistic.Percentile()
	if !ok || e.LowSamples != IgnoreLowSamples || rank <= 0 || rank >= 100 {
		return false
	}
	enough := 10 / (min(rank, 100-rank) / 100)
	for _, s := range e.samples {
		if s.count < enough {
			return true
		}
	}
	return false
}
