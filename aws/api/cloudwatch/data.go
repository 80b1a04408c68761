package cloudwatch

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/metric"
)

// Limits of PutMetricData.
const (
	maxData       = 1000 // in a request
	maxValues     = 150  // of a datum
	oldestData    = 14 * 24 * time.Hour
	newestData    = 2 * time.Hour
	reservedSpace = "AWS/"
)

// maxMagnitude bounds values, in both directions.
var maxMagnitude = math.Ldexp(1, 360)

// putMetricData takes data with the entity they belong to as well; the entity itself
// is of no use to berth.
func (a *API) putMetricData(_ context.Context, call *gateway.Call, in *cloudwatch.PutMetricDataInput) (*wire.Empty, error) {
	r := dataReader{namespace: member.Value(in.Namespace), now: call.Now}
	if strings.HasPrefix(r.namespace, reservedSpace) {
		return nil, invalid(reservedSpace, "Namespace")
	}
	if in.MetricData == nil && in.EntityMetricData == nil {
		return nil, fault.New(fault.MissingRequiredParameter, "The parameter MetricData is required.")
	}
	if err := r.read("MetricData", in.MetricData); err != nil {
		return nil, err
	}
	for i, e := range in.EntityMetricData {
		if err := r.read(fmt.Sprintf("EntityMetricData.member.%d.MetricData", i+1), e.MetricData); err != nil {
			return nil, err
		}
	}
	if len(r.data) > maxData {
		return nil, fault.New(fault.Validation, "The collection MetricData must not have a size greater than %d.", maxData)
	}
	return &wire.Empty{}, a.metrics.Put(call.Scope, r.data)
}

func invalid(v any, parameter string) error {
	return fault.New(fault.InvalidParameterValue, "The value %v for parameter %s is invalid.", v, parameter)
}

func exclusive(one, other string) error {
	return fault.New(fault.InvalidParameterCombination, "The parameters %s and %s are mutually exclusive and you have specified both.", one, other)
}

// dataReader turns data of a request into berth's.
type dataReader struct {
	namespace string
	now       time.Time
	data      []metric.Datum
}

func (r *dataReader) read(parameter string, list []cloudwatch.MetricDatum) error {
	for i := range list {
		d, err := r.datum(fmt.Sprintf("%s.member.%d", parameter, i+1), &list[i])
		if err != nil {
			return err
		}
		r.data = append(r.data, d)
	}
	return nil
}

func (r *dataReader) datum(at string, in *cloudwatch.MetricDatum) (d metric.Datum, err error) {
	if d.Metric, err = readMetric(at, r.namespace, member.Value(in.MetricName), in.Dimensions); err != nil {
		return d, err
	}
	d.At, d.Unit = r.now, string(in.Unit)
	if in.Timestamp != nil {
		d.At = *in.Timestamp
	}
	switch age := r.now.Sub(d.At); {
	case age > oldestData:
		return d, fault.New(fault.InvalidParameterValue, "The parameter %s.Timestamp must specify a time within the past two weeks.", at)
	case -age > newestData:
		return d, fault.New(fault.InvalidParameterValue, "The parameter %s.Timestamp must specify a time no more than two hours in the future.", at)
	}
	switch member.Value(in.StorageResolution) {
	case 1:
		d.HighResolution = true
	case 0, 60:
	default:
		return d, invalid(*in.StorageResolution, at+".StorageResolution")
	}
	d.Set, err = readSet(at, in)
	return d, err
}

// readMetric checks the words of a metric.
func readMetric(at, namespace, name string, dimensions []cloudwatch.Dimension) (metric.Metric, error) {
	m := metric.Metric{Namespace: namespace, Name: name, Dimensions: readDimensions(dimensions)}
	texts := []string{namespace, name}
	for i, d := range m.Dimensions {
		if i > 0 && m.Dimensions[i-1].Name == d.Name {
			return m, fault.New(fault.InvalidParameterValue, "The parameter %s.Dimensions has the name %s twice.", at, d.Name)
		}
		texts = append(texts, d.Name, d.Value)
	}
	for _, text := range texts {
		if strings.ContainsFunc(text, unicode.IsControl) {
			return m, fault.New(fault.InvalidParameterValue, "The value %q of the parameter %s has control characters.", text, at)
		}
	}
	return m, nil
}

func readDimensions(in []cloudwatch.Dimension) []metric.Dimension {
	var out []metric.Dimension
	for _, d := range in {
		out = append(out, metric.Dimension{Name: member.Value(d.Name), Value: member.Value(d.Value)})
	}
	return metric.Sorted(out)
}

// readSet reads the values of a datum: one, several with their counts, or their
// statistics.
func readSet(at string, in *cloudwatch.MetricDatum) (metric.Set, error) {
	switch {
	case in.Value != nil && in.Values != nil:
		return metric.Set{}, exclusive(at+".Value", at+".Values")
	case in.Value != nil && in.StatisticValues != nil:
		return metric.Set{}, exclusive(at+".Value", at+".StatisticValues")
	case in.Values != nil && in.StatisticValues != nil:
		return metric.Set{}, exclusive(at+".Values", at+".StatisticValues")
	case in.Value != nil:
		return metric.One(*in.Value), checkNumbers(at+".Value", *in.Value)
	case in.StatisticValues != nil:
		return readStatistics(at+".StatisticValues", in.StatisticValues)
	case len(in.Values) > 0:
		return readValues(at, in.Values, in.Counts)
	}
	return metric.Set{}, fault.New(fault.MissingRequiredParameter,
		"At least one of the parameters %s.Value, %s.Values or %s.StatisticValues must be specified.", at, at, at)
}

func checkNumbers(at string, numbers ...float64) error {
	for _, n := range numbers {
		if !(math.Abs(n) <= maxMagnitude) { // NaN is not either
			return invalid(n, at)
		}
	}
	return nil
}

func readValues(at string, values, counts []float64) (s metric.Set, err error) {
	if len(values) > maxValues {
		return s, fault.New(fault.InvalidParameterValue, "The collection %s.Values must not have a size greater than %d.", at, maxValues)
	}
	if counts != nil && len(counts) != len(values) {
		return s, fault.New(fault.InvalidParameterValue, "The parameters %s.Values and %s.Counts must be of the same size.", at, at)
	}
	if err := checkNumbers(at+".Values", values...); err != nil {
		return s, err
	}
	if err := checkNumbers(at+".Counts", counts...); err != nil {
		return s, err
	}
	var list []metric.Value
	for i, v := range values {
		count := 1.0
		if counts != nil {
			count = counts[i]
		}
		if count < 0 {
			return s, invalid(count, at+".Counts")
		}
		list = append(list, metric.Value{Of: v, Count: count})
	}
	return metric.OfValues(slices.DeleteFunc(list, func(v metric.Value) bool { return v.Count == 0 })), nil
}

func readStatistics(at string, in *cloudwatch.StatisticSet) (s metric.Set, err error) {
	count, sum, minimum, maximum := member.Value(in.SampleCount), member.Value(in.Sum), member.Value(in.Minimum), member.Value(in.Maximum)
	if err := checkNumbers(at, count, sum, minimum, maximum); err != nil {
		return s, err
	}
	switch {
	case count <= 0:
		return s, fault.New(fault.InvalidParameterValue, "The parameter %s.SampleCount must be greater than 0.", at)
	case maximum < minimum:
		return s, fault.New(fault.InvalidParameterValue, "The parameter %s.Maximum must be greater than %s.Minimum.", at, at)
	}
	return metric.OfStatistics(count, sum, minimum, maximum), nil
}
