package life_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// watcher is CloudWatch of the berth here, and a metric.
type watcher struct {
	*cloudwatch.Client
	t      *testing.T
	metric string
}

// watch has a client that compresses what it can.
func watch(t *testing.T) watcher {
	c := here.config()
	c.RequestMinCompressSizeBytes = 1
	return watcher{cloudwatch.NewFromConfig(c), t, t.Name()}
}

// alarm makes an alarm on errors in ten seconds.
func (w watcher) alarm(name, treat string) {
	w.t.Helper()
	_, err := w.PutMetricAlarm(w.t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("Life"), MetricName: &w.metric, Statistic: types.StatisticSum, Period: aws.Int32(10), EvaluationPeriods: aws.Int32(1),
		Threshold: aws.Float64(1), ComparisonOperator: types.ComparisonOperatorGreaterThanOrEqualToThreshold, TreatMissingData: &treat,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if _, err := w.DeleteAlarms(context.Background(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}}); err != nil {
			w.t.Error(err)
		}
	})
}

func (w watcher) put(value float64) {
	w.t.Helper()
	_, err := w.PutMetricData(w.t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Life"), MetricData: []types.MetricDatum{{
		MetricName: &w.metric, Value: &value, StorageResolution: aws.Int32(1),
	}}})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w watcher) set(name string, state types.StateValue) {
	w.t.Helper()
	_, err := w.SetAlarmState(w.t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: &name, StateValue: state, StateReason: aws.String("by hand")})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w watcher) described(name string) types.MetricAlarm {
	w.t.Helper()
	out, err := w.DescribeAlarms(w.t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}})
	if err != nil || len(out.MetricAlarms) != 1 {
		w.t.Fatalf("%+v %v", out, err)
	}
	return out.MetricAlarms[0]
}

// becomes waits for a state.
func (w watcher) becomes(name string, state types.StateValue) {
	w.t.Helper()
	eventually(w.t, fmt.Sprintf("%s in %s", name, state), func() bool { return w.described(name).StateValue == state })
}

// TestAlarmsGoOffAndBack puts errors, then none, then nothing.
func TestAlarmsGoOffAndBack(t *testing.T) {
	t.Parallel()
	w := watch(t)
	w.alarm("errors", "missing")
	if got := w.described("errors"); got.StateValue != types.StateValueInsufficientData {
		t.Errorf("a new alarm is %s", got.StateValue)
	}
	w.put(3)
	w.becomes("errors", types.StateValueAlarm)
	if got := w.described("errors"); !strings.HasPrefix(*got.StateReason, "Threshold Crossed: 1 datapoint [3.0 (") {
		t.Errorf("because %s", *got.StateReason)
	}
	w.put(0)
	w.becomes("errors", types.StateValueOk)
	w.becomes("errors", types.StateValueInsufficientData)
	out, err := w.DescribeAlarmHistory(t.Context(), &cloudwatch.DescribeAlarmHistoryInput{AlarmName: aws.String("errors"), HistoryItemType: types.HistoryItemTypeStateUpdate, ScanBy: types.ScanByTimestampAscending})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range out.AlarmHistoryItems {
		got = append(got, *i.HistorySummary)
	}
	want := "[Alarm updated from INSUFFICIENT_DATA to ALARM Alarm updated from ALARM to OK Alarm updated from OK to INSUFFICIENT_DATA]"
	if fmt.Sprint(got) != want {
		t.Errorf("history %v", got)
	}
}

// TestAlarmsSetByHand lets the evaluation decide how long.
func TestAlarmsSetByHand(t *testing.T) {
	t.Parallel()
	w := watch(t)
	w.alarm("held", "ignore")
	w.alarm("judged", "missing")
	w.set("held", types.StateValueAlarm)
	w.set("judged", types.StateValueAlarm)
	if got := w.described("judged"); got.StateValue != types.StateValueAlarm || *got.StateReason != "by hand" {
		t.Errorf("%s because %s", got.StateValue, *got.StateReason)
	}
	w.becomes("judged", types.StateValueInsufficientData)
	w.set("judged", types.StateValueOk)
	w.becomes("judged", types.StateValueInsufficientData) // a second evaluation
	if got := w.described("held"); got.StateValue != types.StateValueAlarm || *got.StateReason != "by hand" {
		t.Errorf("%s because %s", got.StateValue, *got.StateReason)
	}
}

// TestDatapointsComeBack reads what was put.
func TestDatapointsComeBack(t *testing.T) {
	t.Parallel()
	w := watch(t)
	w.put(2)
	w.put(4)
	end := time.Now().Add(time.Minute)
	out, err := w.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(end.Add(-time.Hour)), EndTime: &end, MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("m"), MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: aws.String("Life"), MetricName: &w.metric}, Period: aws.Int32(3600), Stat: aws.String("Average"),
		}}},
	})
	if err != nil || len(out.MetricDataResults) != 1 || fmt.Sprint(out.MetricDataResults[0].Values) != "[3]" {
		t.Errorf("%s %v", shown(out), err)
	}
	list, err := w.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: aws.String("Life"), MetricName: &w.metric})
	if err != nil || len(list.Metrics) != 1 {
		t.Errorf("%s %v", shown(list), err)
	}
}

// TestRefusalsOfCloudWatch are those that programs look for by their types.
func TestRefusalsOfCloudWatch(t *testing.T) {
	t.Parallel()
	w := watch(t)
	_, err := w.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("none"), StateValue: types.StateValueOk, StateReason: aws.String("r")})
	if missing := new(types.ResourceNotFound); !errors.As(err, &missing) {
		t.Errorf("no such alarm: %v", err)
	}
	_, err = w.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{NextToken: aws.String("?")})
	if bad := new(types.InvalidNextToken); !errors.As(err, &bad) {
		t.Errorf("no such page: %v", err)
	}
	_, err = w.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Life"), MetricData: []types.MetricDatum{{MetricName: &w.metric, Value: aws.Float64(1), Values: []float64{1}}}})
	if both := new(types.InvalidParameterCombinationException); !errors.As(err, &both) {
		t.Errorf("two kinds of value: %v", err)
	}
	_, err = w.PutCompositeAlarm(t.Context(), &cloudwatch.PutCompositeAlarmInput{AlarmName: aws.String("c"), AlarmRule: aws.String("ALARM(a)")})
	var refusal smithy.APIError
	if !errors.As(err, &refusal) || refusal.ErrorCode() != "InvalidAction" {
		t.Errorf("a composite alarm: %v", err)
	}
}
