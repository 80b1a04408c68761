// Package cloudwatch answers the operations of Amazon CloudWatch: metrics, which
// are kept by a store of datapoints, and alarms on them, which are kept in the
// store and evaluated elsewhere.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html
//
// A file holds the operations of one resource. What the model constrains is
// checked before a handler is called; here is what it does not say.
package cloudwatch

import (
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/metric"
	"github.com/berthhq/berth/store"
)

// Metrics keeps datapoints. Put has them on disk when it returns.
type Metrics interface {
	Put(scope arn.Scope, data []metric.Datum) error
	Read(scope arn.Scope, q metric.Query) ([]metric.Point, error)
	List(scope arn.Scope, f metric.Filter) (list []metric.Metric, next string, err error)
}

// API answers CloudWatch.
type API struct {
	store   store.Store
	metrics Metrics
}

// New makes the API.
func New(s store.Store, m Metrics) *API { return &API{store: s, metrics: m} }

// Operations are the handlers by operation name.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"PutMetricData":       gateway.Handle(a.putMetricData),
		"GetMetricStatistics": gateway.Handle(a.getMetricStatistics),
		"GetMetricData":       gateway.Handle(a.getMetricData),
		"ListMetrics":         gateway.Handle(a.listMetrics),

		"PutMetricAlarm":          gateway.Handle(a.putMetricAlarm),
		"DescribeAlarms":          gateway.Handle(a.describeAlarms),
		"DescribeAlarmsForMetric": gateway.Handle(a.describeAlarmsForMetric),
		"DescribeAlarmHistory":    gateway.Handle(a.describeAlarmHistory),
		"SetAlarmState":           gateway.Handle(a.setAlarmState),
		"EnableAlarmActions":      gateway.Handle(a.enableAlarmActions),
		"DisableAlarmActions":     gateway.Handle(a.disableAlarmActions),
		"DeleteAlarms":            gateway.Handle(a.deleteAlarms),

		"TagResource":         gateway.Handle(a.tagResource),
		"UntagResource":       gateway.Handle(a.untagResource),
		"ListTagsForResource": gateway.Handle(a.listTagsForResource),
	}
}
