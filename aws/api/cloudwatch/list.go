package cloudwatch

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/domain/metric"
)

const (
	metricsPage = 500
	// activeFor is what PT3H, the one value of RecentlyActive, says.
	activeFor = 3 * time.Hour
)

// listCursor is where a page of metrics ended.
type listCursor struct {
	After string `json:"m"`
}

func (a *API) listMetrics(_ context.Context, call *gateway.Call, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
	var at listCursor
	if err := openPage(in.NextToken, &at); err != nil {
		return nil, invalid(*in.NextToken, "NextToken")
	}
	f := metric.Filter{Namespace: member.Value(in.Namespace), Name: member.Value(in.MetricName), After: at.After, Limit: metricsPage}
	if in.RecentlyActive != "" {
		f.Active = activeFor
	}
	for _, d := range in.Dimensions {
		f.Dimensions = append(f.Dimensions, metric.Dimension{Name: member.Value(d.Name), Value: member.Value(d.Value)})
	}
	list, next, err := a.metrics.List(call.Scope, f)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.ListMetricsOutput{Metrics: []cloudwatch.Metric{}}
	for i := range list {
		out.Metrics = append(out.Metrics, metricShape(&list[i]))
	}
	if next != "" {
		out.NextToken = sealPage(listCursor{next})
	}
	return out, nil
}

func metricShape(m *metric.Metric) cloudwatch.Metric {
	return cloudwatch.Metric{Namespace: &m.Namespace, MetricName: &m.Name, Dimensions: dimensionShapes(m.Dimensions)}
}

func dimensionShapes(list []metric.Dimension) []cloudwatch.Dimension {
	out := make([]cloudwatch.Dimension, len(list))
	for i := range list {
		out[i] = cloudwatch.Dimension{Name: &list[i].Name, Value: &list[i].Value}
	}
	return out
}
