package cloudwatch

import (
	"context"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/metric"
	"github.com/berthhq/berth/store"
)

// alarmCursor is where a page of alarms ended.
type alarmCursor struct {
	Name string `json:"a"`
}

// describeAlarms knows metric alarms alone: there are no composite ones.
func (a *API) describeAlarms(_ context.Context, call *gateway.Call, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	if in.AlarmNames != nil && in.AlarmNamePrefix != nil {
		return nil, fault.New(fault.Validation, "AlarmNamePrefix and AlarmNames cannot be specified together.")
	}
	var after alarmCursor
	if err := openPage(in.NextToken, &after); err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []cloudwatch.MetricAlarm{}, CompositeAlarms: []cloudwatch.CompositeAlarm{}}
	if in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil || !ofMetrics(in.AlarmTypes) {
		return out, nil
	}
	last := ""
	for x := range store.Alarms.Prefix(a.store.View(), alarm.Key(call.Scope, member.Value(in.AlarmNamePrefix))) {
		if after.Name != "" && x.Name <= after.Name || !wanted(x, in) {
			continue
		}
		if len(out.MetricAlarms) == pageSize(in.MaxRecords) {
			out.NextToken = sealPage(alarmCursor{last})
			break
		}
		out.MetricAlarms, last = append(out.MetricAlarms, alarmShape(x)), x.Name
	}
	return out, nil
}

// ofMetrics tells whether metric alarms are asked for; they are when nothing is said.
func ofMetrics(types []cloudwatch.AlarmType) bool {
	return len(types) == 0 || slices.Contains(types, cloudwatch.AlarmTypeMetricAlarm)
}

func wanted(x *alarm.Alarm, in *cloudwatch.DescribeAlarmsInput) bool {
	if in.AlarmNames != nil && !slices.Contains(in.AlarmNames, x.Name) {
		return false
	}
	if in.StateValue != "" && alarm.State(in.StateValue) != x.State {
		return false
	}
	if in.ActionPrefix == nil {
		return true
	}
	d := &x.Definition
	return slices.ContainsFunc(slices.Concat(d.OKActions, d.AlarmActions, d.InsufficientDataActions), func(action string) bool {
		return strings.HasPrefix(action, *in.ActionPrefix)
	})
}

func (a *API) describeAlarmsForMetric(_ context.Context, call *gateway.Call, in *cloudwatch.DescribeAlarmsForMetricInput) (*cloudwatch.DescribeAlarmsForMetricOutput, error) {
	statistic := string(in.Statistic)
	if in.ExtendedStatistic != nil {
		if statistic != "" {
			return nil, exclusive("Statistic", "ExtendedStatistic")
		}
		statistic = *in.ExtendedStatistic
	}
	m := metric.Metric{Namespace: *in.Namespace, Name: *in.MetricName, Dimensions: readDimensions(in.Dimensions)}
	out := &cloudwatch.DescribeAlarmsForMetricOutput{MetricAlarms: []cloudwatch.MetricAlarm{}}
	for x := range store.Alarms.By(a.store.View(), store.AlarmsByMetric, store.MetricKey(call.Scope, m)) {
		d := &x.Definition
		if d.Metric.Equal(m) && (statistic == "" || statistic == string(d.Statistic)) &&
			(in.Period == nil || int(*in.Period) == d.Period) && (in.Unit == "" || string(in.Unit) == d.Unit) {
			out.MetricAlarms = append(out.MetricAlarms, alarmShape(x))
		}
	}
	return out, nil
}

func alarmShape(x *alarm.Alarm) cloudwatch.MetricAlarm {
	d := &x.Definition
	s := cloudwatch.MetricAlarm{
		AlarmName: &x.Name, AlarmArn: new(x.ARN()), AlarmDescription: member.Present(d.Description), AlarmConfigurationUpdatedTimestamp: &x.ChangedAt,
		ActionsEnabled: &d.ActionsEnabled, OKActions: listed(d.OKActions), AlarmActions: listed(d.AlarmActions), InsufficientDataActions: listed(d.InsufficientDataActions),
		StateValue: cloudwatch.StateValue(x.State), StateReason: &x.Reason, StateReasonData: member.Present(x.ReasonData),
		StateUpdatedTimestamp: &x.StateUpdatedAt, StateTransitionedTimestamp: &x.TransitionedAt,
		EvaluationPeriods: new(int32(d.EvaluationPeriods)), DatapointsToAlarm: member.Present(int32(d.DatapointsToAlarm)),
		Threshold: &d.Threshold, ComparisonOperator: cloudwatch.ComparisonOperator(d.Operator),
		TreatMissingData: member.Present(string(d.TreatMissing)), EvaluateLowSampleCountPercentile: member.Present(d.LowSamples),
	}
	if d.QueryID != "" {
		s.Metrics = []cloudwatch.MetricDataQuery{queryShape(d)}
		return s
	}
	s.Namespace, s.MetricName, s.Dimensions = &d.Metric.Namespace, &d.Metric.Name, dimensionShapes(d.Metric.Dimensions)
	s.Period, s.Unit = new(int32(d.Period)), cloudwatch.StandardUnit(d.Unit)
	if _, percentile := d.Statistic.Percentile(); percentile {
		s.ExtendedStatistic = new(string(d.Statistic))
	} else {
		s.Statistic = cloudwatch.Statistic(d.Statistic)
	}
	return s
}

func queryShape(d *alarm.Definition) cloudwatch.MetricDataQuery {
	return cloudwatch.MetricDataQuery{
		Id: &d.QueryID, Label: member.Present(d.Label), ReturnData: new(true),
		MetricStat: &cloudwatch.MetricStat{
			Metric: new(metricShape(&d.Metric)), Period: new(int32(d.Period)), Stat: new(string(d.Statistic)), Unit: cloudwatch.StandardUnit(d.Unit),
		},
	}
}
