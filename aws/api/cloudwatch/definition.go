package cloudwatch

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/metric"
)

// readDefinition reads and checks what an alarm is to watch.
func readDefinition(scope arn.Scope, in *cloudwatch.PutMetricAlarmInput) (alarm.Definition, error) {
	d := alarm.Definition{
		Description: member.Value(in.AlarmDescription), ActionsEnabled: in.ActionsEnabled == nil || *in.ActionsEnabled,
		OKActions: in.OKActions, AlarmActions: in.AlarmActions, InsufficientDataActions: in.InsufficientDataActions,
		EvaluationPeriods: int(member.Value(in.EvaluationPeriods)), DatapointsToAlarm: int(member.Value(in.DatapointsToAlarm)),
		Threshold: member.Value(in.Threshold), Operator: alarm.Operator(in.ComparisonOperator),
		TreatMissing: alarm.Treatment(member.Value(in.TreatMissingData)), LowSamples: member.Value(in.EvaluateLowSampleCountPercentile),
	}
	if err := checkSupported(in); err != nil {
		return d, err
	}
	readMetric := readPlainMetric
	if in.Metrics != nil {
		readMetric = readQueriedMetric
	}
	if err := readMetric(scope, in, &d); err != nil {
		return d, err
	}
	if err := checkSaid(in); err != nil {
		return d, err
	}
	return d, d.Check()
}

// checkSaid refuses an alarm without what every alarm has.
func checkSaid(in *cloudwatch.PutMetricAlarmInput) error {
	for _, c := range []struct {
		missing   bool
		parameter string
	}{
		{in.EvaluationPeriods == nil, "EvaluationPeriods"}, {in.Threshold == nil, "Threshold"}, {in.ComparisonOperator == "", "ComparisonOperator"},
	} {
		if c.missing {
			return fault.New(fault.Validation, "%s must not be null", c.parameter)
		}
	}
	return nil
}

// checkSupported refuses what berth would have to leave out of an alarm.
func checkSupported(in *cloudwatch.PutMetricAlarmInput) error {
	for _, c := range []struct {
		there     bool
		parameter string
	}{
		{in.EvaluationCriteria != nil, "EvaluationCriteria"},
		{in.EvaluationInterval != nil, "EvaluationInterval"},
		{in.ThresholdMetricId != nil, "ThresholdMetricId"},
		{in.EvaluationWindow != nil && in.EvaluationWindow.WallClockWindow != nil, "EvaluationWindow.WallClockWindow"},
		{in.WarmUpConfiguration != nil, "WarmUpConfiguration"},
		{in.ActionConfiguration != nil, "ActionConfiguration"},
	} {
		if c.there {
			return fault.New(fault.Validation, "The parameter %s is not supported.", c.parameter).
				WithHint("berth evaluates alarms that compare a metric's statistic with a fixed threshold")
		}
	}
	return nil
}

func readPlainMetric(_ arn.Scope, in *cloudwatch.PutMetricAlarmInput, d *alarm.Definition) (err error) {
	d.Statistic, d.Unit, d.Period = metric.Statistic(in.Statistic), string(in.Unit), int(member.Value(in.Period))
	if in.ExtendedStatistic != nil {
		if in.Statistic != "" {
			return exclusive("Statistic", "ExtendedStatistic")
		}
		d.Statistic = metric.Statistic(*in.ExtendedStatistic)
	}
	d.Metric, err = readMetric("PutMetricAlarm", member.Value(in.Namespace), member.Value(in.MetricName), in.Dimensions)
	return err
}

// readQueriedMetric reads an alarm given as a list of queries, which has to be one.
func readQueriedMetric(scope arn.Scope, in *cloudwatch.PutMetricAlarmInput, d *alarm.Definition) error {
	for _, c := range []struct {
		there     bool
		parameter string
	}{
		{in.MetricName != nil, "MetricName"}, {in.Namespace != nil, "Namespace"}, {in.Dimensions != nil, "Dimensions"}, {in.Period != nil, "Period"},
		{in.Unit != "", "Unit"}, {in.Statistic != "", "Statistic"}, {in.ExtendedStatistic != nil, "ExtendedStatistic"},
	} {
		if c.there {
			return fault.New(fault.Validation, "%s should not be set if list of Metrics is set.", c.parameter)
		}
	}
	if len(in.Metrics) != 1 {
		return fault.New(fault.Validation, "Metrics must have one element, which names a metric.").
			WithHint("berth has no metric math: let an alarm watch one metric")
	}
	q, err := readQuery(scope, "Metrics.member.1", &in.Metrics[0])
	if err != nil {
		return err
	}
	if q.hidden {
		return fault.New(fault.Validation, "Exactly one element of the metrics list should return data.")
	}
	d.Metric, d.QueryID, d.Label = q.Metric, q.id, member.Value(in.Metrics[0].Label)
	d.Statistic, d.Unit, d.Period = q.statistic, q.Unit, int(member.Value(in.Metrics[0].MetricStat.Period))
	return nil
}
