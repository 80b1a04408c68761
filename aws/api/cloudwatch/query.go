package cloudwatch

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/metric"
)

// Limits of GetMetricData.
const (
	maxQueries       = 500
	maxDataAnswered  = 100800
	parameterQueries = "MetricDataQueries"
)

// queryID is what the id of a query looks like.
var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

// query asks for one series.
type query struct {
	metric.Query
	statistic metric.Statistic
	id, label string
	hidden    bool // not to be returned
}

// queryCursor is where a page of data ended.
type queryCursor struct {
	Query  int `json:"q"`
	Offset int `json:"o"`
}

func (a *API) getMetricData(_ context.Context, call *gateway.Call, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	queries, err := readDataRequest(call.Scope, in)
	if err != nil {
		return nil, err
	}
	var at queryCursor
	if err := openPage(in.NextToken, &at); err != nil {
		return nil, err
	}
	if at.Query < 0 || at.Offset < 0 || at.Query > len(queries) {
		return nil, badToken()
	}
	out := &cloudwatch.GetMetricDataOutput{MetricDataResults: []cloudwatch.MetricDataResult{}, Messages: []cloudwatch.MessageData{}}
	room := maxDataAnswered
	if in.MaxDatapoints != nil {
		room = int(*in.MaxDatapoints)
	}
	for ; at.Query < len(queries); at = (queryCursor{Query: at.Query + 1}) {
		q := queries[at.Query]
		if q.hidden {
			continue
		}
		if room == 0 {
			out.NextToken = sealPage(at)
			break
		}
		result, size, err := a.result(call.Scope, q, in.ScanBy, at.Offset, room)
		if err != nil {
			return nil, err
		}
		out.MetricDataResults = append(out.MetricDataResults, result)
		room -= len(result.Values)
		if at.Offset += len(result.Values); at.Offset < size {
			out.NextToken = sealPage(at)
			break
		}
	}
	return out, nil
}

// result is a query's series from an offset on, and how long all of it is.
func (a *API) result(scope arn.Scope, q query, order cloudwatch.ScanBy, offset, room int) (cloudwatch.MetricDataResult, int, error) {
	r := cloudwatch.MetricDataResult{Id: &q.id, Label: &q.label, StatusCode: cloudwatch.StatusCodeComplete, Timestamps: []time.Time{}, Values: []float64{}}
	points, err := a.metrics.Read(scope, q.Query)
	if err != nil {
		return r, 0, err
	}
	for _, p := range metric.Combine(points) {
		if v, ok := q.statistic.Of(p.Set); ok {
			r.Timestamps, r.Values = append(r.Timestamps, p.At), append(r.Values, v)
		}
	}
	if order != cloudwatch.ScanByTimestampAscending {
		slices.Reverse(r.Timestamps)
		slices.Reverse(r.Values)
	}
	size := len(r.Values)
	from := min(offset, size)
	to := min(from+room, size)
	r.Timestamps, r.Values = r.Timestamps[from:to], r.Values[from:to]
	if to < size {
		r.StatusCode = cloudwatch.StatusCodePartialData
	}
	return r, size, nil
}

func readDataRequest(scope arn.Scope, in *cloudwatch.GetMetricDataInput) ([]query, error) {
	if err := checkWindow(member.Value(in.StartTime), member.Value(in.EndTime)); err != nil {
		return nil, fault.New(fault.Validation, "%s", err.Error())
	}
	if n := len(in.MetricDataQueries); n == 0 || n > maxQueries {
		return nil, fault.New(fault.Validation, "The collection %s must have a size from 1 to %d.", parameterQueries, maxQueries)
	}
	if in.MaxDatapoints != nil && (*in.MaxDatapoints < 1 || *in.MaxDatapoints > maxDataAnswered) {
		return nil, fault.New(fault.Validation, "The value %d for parameter MaxDatapoints is invalid.", *in.MaxDatapoints)
	}
	var out []query
	for i := range in.MetricDataQueries {
		q, err := readQuery(scope, fmt.Sprintf("%s.member.%d", parameterQueries, i+1), &in.MetricDataQueries[i])
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o query) bool { return o.id == q.id }) {
			return nil, fault.New(fault.Validation, "The values for parameter id in %s are not unique.", parameterQueries)
		}
		q.Start, q.End = member.Value(in.StartTime), member.Value(in.EndTime)
		out = append(out, q)
	}
	return out, nil
}

// readQuery reads a query that names a metric. The window is the caller's.
func readQuery(scope arn.Scope, at string, in *cloudwatch.MetricDataQuery) (q query, err error) {
	q = query{id: member.Value(in.Id), label: member.Value(in.Label), hidden: in.ReturnData != nil && !*in.ReturnData}
	switch {
	case !queryID.MatchString(q.id):
		return q, fault.New(fault.Validation, "The value for parameter %s.Id is not matching the expected pattern %s.", at, queryID)
	case in.Expression != nil && in.MetricStat != nil:
		return q, fault.New(fault.Validation, "The parameters %s.Expression and %s.MetricStat are mutually exclusive and you have specified both.", at, at)
	case in.Expression != nil:
		return q, fault.New(fault.Validation, "The expression %s.Expression is not supported.", at).
			WithHint("berth has no metric math and no Metrics Insights: ask for each metric by MetricStat")
	case in.MetricStat == nil:
		return q, fault.New(fault.Validation, "At least one of the parameters %s.Expression and %s.MetricStat must be specified.", at, at)
	case in.Period != nil:
		return q, fault.New(fault.Validation, "The parameters %s.Period and %s.MetricStat are mutually exclusive and you have specified both.", at, at)
	case in.AccountId != nil && *in.AccountId != scope.Account:
		return q, fault.New(fault.Validation, "The account %s is not linked to this one.", *in.AccountId)
	}
	return q, q.readStat(at+".MetricStat", in.MetricStat)
}

func (q *query) readStat(at string, in *cloudwatch.MetricStat) (err error) {
	m := member.Value(in.Metric)
	if m.Namespace == nil || m.MetricName == nil {
		return fault.New(fault.Validation, "The parameters %s.Metric.Namespace and %s.Metric.MetricName are required.", at, at)
	}
	if q.Metric, err = readMetric(at+".Metric", *m.Namespace, *m.MetricName, m.Dimensions); err != nil {
		return err
	}
	if !metric.ValidPeriod(int(member.Value(in.Period))) {
		return fault.New(fault.Validation, "The value %d for parameter %s.Period is invalid.", member.Value(in.Period), at)
	}
	statistic, ok := metric.ParseStatistic(member.Value(in.Stat))
	if !ok {
		return fault.New(fault.Validation, "The value %s for parameter %s.Stat is not a valid statistic.", member.Value(in.Stat), at).
			WithHint("berth knows SampleCount, Average, Sum, Minimum, Maximum and percentiles such as p99")
	}
	q.statistic, q.Unit, q.Period = statistic, string(in.Unit), seconds(*in.Period)
	_, q.Values = statistic.Percentile()
	if q.label == "" {
		q.label = q.Metric.Name
	}
	return nil
}
