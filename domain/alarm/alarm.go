// Package alarm holds metric alarms: what one watches, how its state follows from
// datapoints, and what its history tells.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
package alarm

import (
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/metric"
)

// State is what an alarm says.
type State string

// States of an alarm.
const (
	OK               State = "OK"
	InAlarm          State = "ALARM"
	InsufficientData State = "INSUFFICIENT_DATA"
)

// Alarm is a metric alarm. The API writes its definition; SetAlarmState and the
// evaluation write its state. Who wants to act on a change of state watches the
// table: old and new record differ in State.
type Alarm struct {
	Scope      arn.Scope
	Name       string
	Definition Definition
	Tags       map[string]string
	CreatedAt  time.Time
	ChangedAt  time.Time // of the definition

	State          State
	Reason         string // in words
	ReasonData     string // JSON; empty when there is none
	StateUpdatedAt time.Time
	TransitionedAt time.Time // when State was last another
}

// Definition is what an alarm watches, and what it would do.
//
// Nothing carries out the actions: their ARNs are kept and shown. Amazon ECS reads
// the state of the alarms that a deployment names.
type Definition struct {
	Description             string
	ActionsEnabled          bool
	OKActions               []string
	AlarmActions            []string
	InsufficientDataActions []string

	Metric metric.Metric
	// QueryID and Label are those of the one query of an alarm that was given as a
	// list of them; QueryID is empty for the others.
	QueryID, Label string

	Statistic         metric.Statistic
	Unit              string // empty for any
	Period            int    // seconds
	EvaluationPeriods int
	DatapointsToAlarm int // 0 when it was not said: as many as EvaluationPeriods
	Threshold         float64
	Operator          Operator
	TreatMissing      Treatment // empty when it was not said: TreatAsMissing
	LowSamples        string    // empty, EvaluateLowSamples or IgnoreLowSamples
}

// Operator compares a value with the threshold.
type Operator string

// Operators of alarms with a fixed threshold.
const (
	GreaterOrEqual Operator = "GreaterThanOrEqualToThreshold"
	Greater        Operator = "GreaterThanThreshold"
	Less           Operator = "LessThanThreshold"
	LessOrEqual    Operator = "LessThanOrEqualToThreshold"
)

// Treatment is what a period without data counts as.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
type Treatment string

// Treatments of missing data.
const (
	TreatAsMissing      Treatment = "missing"
	TreatAsIgnored      Treatment = "ignore"
	TreatAsBreaching    Treatment = "breaching"
	TreatAsNotBreaching Treatment = "notBreaching"
)

// What happens to percentiles of too few samples.
const (
	EvaluateLowSamples = "evaluate"
	IgnoreLowSamples   = "ignore"
)

// FirstReason is the reason of a new alarm's state.
const FirstReason = "Unchecked: Initial alarm creation"

// New makes an alarm, which knows nothing yet.
func New(scope arn.Scope, name string, d Definition, now time.Time) *Alarm {
	return &Alarm{
		Scope: scope, Name: name, Definition: d, CreatedAt: now, ChangedAt: now,
		State: InsufficientData, Reason: FirstReason, StateUpdatedAt: now, TransitionedAt: now,
	}
}

// Key is the primary key of an alarm.
func Key(scope arn.Scope, name string) string { return Prefix(scope) + name }

// Prefix is what the keys of all alarms of an account and region begin with.
func Prefix(scope arn.Scope) string { return scope.Account + "/" + scope.Region + "/" }

// Key of this alarm.
func (a *Alarm) Key() string { return Key(a.Scope, a.Name) }

// ARN names the alarm.
func (a *Alarm) ARN() string { return a.Scope.Of("cloudwatch", arnPrefix+a.Name) }

const arnPrefix = "alarm:"

// NameIn reads the name of an alarm from its ARN, whose resource begins with
// alarm: and may have any character after that.
func NameIn(a arn.ARN) (name string, ok bool) {
	name, ok = strings.CutPrefix(a.Resource, arnPrefix)
	return name, ok && a.Service == "cloudwatch" && name != ""
}

// In is the alarm with another state, or with another reason for the same.
func (a *Alarm) In(state State, reason, reasonData string, now time.Time) *Alarm {
	next := *a
	next.State, next.Reason, next.ReasonData, next.StateUpdatedAt = state, reason, reasonData, now
	if state != a.State {
		next.TransitionedAt = now
	}
	return &next
}

// needed is how many datapoints must be breaching.
func (d *Definition) needed() int {
	if d.DatapointsToAlarm == 0 {
		return d.EvaluationPeriods
	}
	return d.DatapointsToAlarm
}

// breaches tells whether the value is beyond the threshold.
func (d *Definition) breaches(v float64) bool {
	switch d.Operator {
	case GreaterOrEqual:
		return v >= d.Threshold
	case Greater:
		return v > d.Threshold
	case Less:
		return v < d.Threshold
	}
	return v <= d.Threshold
}
