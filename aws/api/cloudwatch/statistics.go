package cloudwatch

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/metric"
)

// maxDatapoints is how many GetMetricStatistics returns.
const maxDatapoints = 1440

func (a *API) getMetricStatistics(_ context.Context, call *gateway.Call, in *cloudwatch.GetMetricStatisticsInput) (*cloudwatch.GetMetricStatisticsOutput, error) {
	q := metric.Query{
		Metric: metric.Metric{Namespace: member.Value(in.Namespace), Name: member.Value(in.MetricName), Dimensions: readDimensions(in.Dimensions)},
		Unit:   string(in.Unit), Start: member.Value(in.StartTime), End: member.Value(in.EndTime), Period: seconds(member.Value(in.Period)), Values: in.ExtendedStatistics != nil,
	}
	if err := checkWindow(q.Start, q.End); err != nil {
		return nil, err
	}
	if !metric.ValidPeriod(int(member.Value(in.Period))) {
		return nil, invalid(member.Value(in.Period), "Period")
	}
	if err := checkStatistics(in); err != nil {
		return nil, err
	}
	if n := q.Aligned().Periods(); n > maxDatapoints {
		return nil, fault.New(fault.InvalidParameterCombination, "You have requested up to %d datapoints, which exceeds the limit of 1,440. "+
			"You may reduce the datapoints requested by increasing Period, or decreasing the time range.", n)
	}
	points, err := a.metrics.Read(call.Scope, q)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []cloudwatch.Datapoint{}}
	for _, p := range points {
		if d, ok := datapoint(p, in); ok {
			out.Datapoints = append(out.Datapoints, d)
		}
	}
	return out, nil
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

func checkWindow(start, end time.Time) error {
	if start.Before(end) {
		return nil
	}
	return fault.New(fault.InvalidParameterValue, "The parameter StartTime must be less than the parameter EndTime.")
}

func checkStatistics(in *cloudwatch.GetMetricStatisticsInput) error {
	switch {
	case in.Statistics != nil && in.ExtendedStatistics != nil:
		return exclusive("Statistics", "ExtendedStatistics")
	case in.Statistics == nil && in.ExtendedStatistics == nil:
		return fault.New(fault.MissingRequiredParameter, "At least one of the parameters Statistics and ExtendedStatistics must be specified.")
	}
	for _, s := range in.ExtendedStatistics {
		if _, ok := metric.Statistic(s).Percentile(); !ok {
			return invalidStatistic(s, "ExtendedStatistics")
		}
	}
	return nil
}

func invalidStatistic(s, parameter string) error {
	return fault.New(fault.InvalidParameterValue, "The value %s for parameter %s is not supported.", s, parameter).
		WithHint("berth knows SampleCount, Average, Sum, Minimum, Maximum and percentiles such as p99")
}

// datapoint shows what was asked for; ok is false when there is nothing of it.
func datapoint(p metric.Point, in *cloudwatch.GetMetricStatisticsInput) (d cloudwatch.Datapoint, ok bool) {
	d = cloudwatch.Datapoint{Timestamp: &p.At, Unit: cloudwatch.StandardUnit(p.Unit)}
	for _, s := range in.Statistics {
		v, _ := metric.Statistic(s).Of(p.Set)
		switch s {
		case cloudwatch.StatisticSampleCount:
			d.SampleCount = &v
		case cloudwatch.StatisticAverage:
			d.Average = &v
		case cloudwatch.StatisticSum:
			d.Sum = &v
		case cloudwatch.StatisticMinimum:
			d.Minimum = &v
		case cloudwatch.StatisticMaximum:
			d.Maximum = &v
		}
	}
	for _, s := range in.ExtendedStatistics {
		if v, known := metric.Statistic(s).Of(p.Set); known {
			if d.ExtendedStatistics == nil {
				d.ExtendedStatistics = map[string]float64{}
			}
			d.ExtendedStatistics[s] = v
		}
	}
	return d, in.Statistics != nil || d.ExtendedStatistics != nil
}
