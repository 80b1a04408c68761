package alarm

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/metric"
)

// Limits of alarms.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
const (
	MaxAlarms = 5000 // in an account and region
	MaxTags   = 50

	day  = 24 * 60 * 60 // seconds
	week = 7 * day
)

// Check refuses a definition that CloudWatch would refuse, or that berth cannot
// evaluate. What the API's model constrains is not looked at again.
func (d *Definition) Check() error {
	for _, check := range []func() error{d.checkMetric, d.checkComparison, d.checkPeriods, d.checkMissing, d.checkActions} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func refused(format string, args ...any) error { return fault.New(fault.Validation, format, args...) }

func (d *Definition) checkMetric() error {
	switch {
	case d.Metric.Name == "":
		return refused("MetricName must not be null")
	case d.Metric.Namespace == "":
		return refused("Namespace must not be null")
	case d.Statistic == "":
		return refused("Either Statistic or ExtendedStatistic must be set")
	}
	if _, ok := metric.ParseStatistic(string(d.Statistic)); !ok {
		return fault.New(fault.Validation, "The value %s for parameter ExtendedStatistic is not supported.", d.Statistic).
			WithHint("berth evaluates SampleCount, Average, Sum, Minimum, Maximum and percentiles such as p99")
	}
	return nil
}

func (d *Definition) checkComparison() error {
	if !slices.Contains([]Operator{GreaterOrEqual, Greater, Less, LessOrEqual}, d.Operator) {
		return fault.New(fault.Validation, "The comparison operator %s needs an anomaly detection model.", d.Operator).
			WithHint("berth has none: compare with a fixed threshold")
	}
	if math.IsNaN(d.Threshold) || math.IsInf(d.Threshold, 0) {
		return refused("Threshold must be a finite number")
	}
	return nil
}

func (d *Definition) checkPeriods() error {
	seconds := d.Period * d.EvaluationPeriods
	switch {
	case d.Period == 0:
		return refused("Period must not be null")
	case !slices.Contains([]int{10, 20, 30}, d.Period) && (d.Period < 0 || d.Period%60 != 0):
		return refused("Period must be 10, 20, 30 or a multiple of 60")
	case d.DatapointsToAlarm > d.EvaluationPeriods:
		return refused("DatapointsToAlarm must be less than or equal to EvaluationPeriods")
	case d.Period >= 3600 && seconds > week:
		return refused("Metrics cannot be checked across more than seven days (EvaluationPeriods * Period must be <= %d).", week)
	case d.Period < 3600 && seconds > day:
		return refused("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= %d).", day)
	}
	return nil
}

func (d *Definition) checkMissing() error {
	if !slices.Contains([]Treatment{"", TreatAsMissing, TreatAsIgnored, TreatAsBreaching, TreatAsNotBreaching}, d.TreatMissing) {
		return refused("Value '%s' at 'treatMissingData' failed to satisfy constraint: Member must satisfy enum value set: [breaching, notBreaching, ignore, missing]", d.TreatMissing)
	}
	if !slices.Contains([]string{"", EvaluateLowSamples, IgnoreLowSamples}, d.LowSamples) {
		return refused("Value '%s' at 'evaluateLowSampleCountPercentile' failed to satisfy constraint: Member must satisfy enum value set: [evaluate, ignore]", d.LowSamples)
	}
	return nil
}

func (d *Definition) checkActions() error {
	for _, action := range slices.Concat(d.OKActions, d.AlarmActions, d.InsufficientDataActions) {
		if !arn.IsARN(action) {
			return refused("Invalid arn syntax: %s", action)
		}
	}
	return nil
}

// CheckTags refuses tags that cannot be added to those an alarm has.
func CheckTags(has, add map[string]string) error {
	sum := len(has)
	for k := range add {
		if strings.HasPrefix(strings.ToLower(k), "aws:") {
			return fault.New(fault.InvalidParameterValue, "aws: prefixed tag key names are not allowed for external use.")
		}
		if _, known := has[k]; !known {
			sum++
		}
	}
	if sum > MaxTags {
		return fault.New(fault.InvalidParameterValue, "The resource can have no more than %d tags.", MaxTags)
	}
	return nil
}

// CheckReasonData refuses the data of a reason that is not JSON.
func CheckReasonData(text string) error {
	if text != "" && !json.Valid([]byte(text)) {
		return fault.New(fault.InvalidFormat, "StateReasonData was not syntactically valid JSON.")
	}
	return nil
}

// NotFound is the answer about an alarm that is not there.
func NotFound(name string) error {
	return fault.New(fault.AlarmNotFound, "Alarm %s does not exist.", name)
}
