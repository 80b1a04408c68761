package cloudwatch_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/store"
)

// errorsAlarm is an alarm with all that matters said.
const errorsAlarm = `{"AlarmName":%q,"Namespace":"Web","MetricName":"Errors","Dimensions":[{"Name":"Zone","Value":"a"},{"Name":"App","Value":"shop"}],
	"Statistic":"Sum","Period":60,"EvaluationPeriods":3,"DatapointsToAlarm":2,"Threshold":1.5,"ComparisonOperator":"GreaterThanThreshold"%s}`

func (s *server) alarm(name, more string) {
	s.t.Helper()
	s.do("PutMetricAlarm", errorsAlarm, name, more)
}

func (s *server) described(name string) any {
	s.t.Helper()
	return pick(s.do("DescribeAlarms", `{"AlarmNames":[%q]}`, name), "MetricAlarms", 0)
}

func TestANewAlarm(t *testing.T) {
	s := start(t)
	s.alarm("a", `,"AlarmActions":["arn:aws:sns:r:1:t"],"TreatMissingData":"notBreaching","Tags":[{"Key":"k","Value":"v"}]`)
	a := s.described("a").(object)
	for name, want := range map[string]any{
		"AlarmArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:a", "ActionsEnabled": true, "OKActions": "[]", "AlarmActions": "[arn:aws:sns:r:1:t]",
		"StateValue": "INSUFFICIENT_DATA", "StateReason": "Unchecked: Initial alarm creation", "StateUpdatedTimestamp": float64(noon),
		"StateTransitionedTimestamp": float64(noon), "AlarmConfigurationUpdatedTimestamp": float64(noon), "TreatMissingData": "notBreaching",
		"Dimensions": "[map[Name:App Value:shop] map[Name:Zone Value:a]]", "Period": 60, "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Threshold": 1.5, "Statistic": "Sum",
	} {
		equal(t, name, a[name], want)
	}
	for _, name := range []string{"StateReasonData", "AlarmDescription", "ExtendedStatistic", "Unit", "Metrics", "EvaluateLowSampleCountPercentile"} {
		if v, there := a[name]; there {
			t.Errorf("%s is %v", name, v)
		}
	}
	equal(t, "tags", s.do("ListTagsForResource", `{"ResourceARN":%q}`, a["AlarmArn"])["Tags"], "[map[Key:k Value:v]]")
}

func TestAnotherDefinitionKeepsTheState(t *testing.T) {
	s := start(t)
	s.alarm("a", `,"Tags":[{"Key":"k","Value":"v"}],"TreatMissingData":"ignore","AlarmDescription":"old"`)
	s.do("SetAlarmState", `{"AlarmName":"a","StateValue":"ALARM","StateReason":"test"}`)
	s.advance(time.Minute)
	s.do("PutMetricAlarm", `{"AlarmName":"a","ComparisonOperator":"LessThanThreshold","Threshold":0,"EvaluationPeriods":1,"Tags":[{"Key":"other","Value":""}],
		"Metrics":[{"Id":"m1","Label":"L","MetricStat":{"Metric":{"Namespace":"Web","MetricName":"Latency"},"Period":300,"Stat":"p99","Unit":"Seconds"}}]}`)
	a := s.described("a").(object)
	equal(t, "state", a["StateValue"], "ALARM")
	equal(t, "changed", a["AlarmConfigurationUpdatedTimestamp"], float64(noon+60))
	equal(t, "metrics", a["Metrics"], "[map[Id:m1 Label:L MetricStat:map[Metric:map[Dimensions:[] MetricName:Latency Namespace:Web] Period:300 Stat:p99 Unit:Seconds] ReturnData:true]]")
	for _, name := range []string{"AlarmDescription", "TreatMissingData", "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "DatapointsToAlarm"} {
		if v, there := a[name]; there {
			t.Errorf("%s is %v", name, v)
		}
	}
	equal(t, "tags", s.do("ListTagsForResource", `{"ResourceARN":%q}`, a["AlarmArn"])["Tags"], "[map[Key:k Value:v]]")
}

func TestSetAlarmState(t *testing.T) {
	s := start(t)
	s.alarm("a", "")
	s.advance(time.Minute)
	s.do("SetAlarmState", `{"AlarmName":"a","StateValue":"ALARM","StateReason":"test","StateReasonData":"{\"x\":1}"}`)
	s.advance(time.Minute)
	s.do("SetAlarmState", `{"AlarmName":"a","StateValue":"ALARM","StateReason":"again"}`)
	a := s.described("a").(object)
	equal(t, "state", a["StateValue"], "ALARM")
	equal(t, "reason", a["StateReason"], "again")
	equal(t, "data", a["StateReasonData"], "<nil>")
	equal(t, "updated", a["StateUpdatedTimestamp"], float64(noon+120))
	equal(t, "transitioned", a["StateTransitionedTimestamp"], float64(noon+60))
	have, ok := store.Alarms.Get(s.Store.View(), alarm.Key(gatewaytest.Scope, "a"))
	if !ok || have.State != alarm.InAlarm {
		t.Errorf("the store has %+v", have)
	}
	s.refused("SetAlarmState", `{"AlarmName":"b","StateValue":"OK","StateReason":"r"}`, "ResourceNotFound", "ResourceNotFound", "Alarm b does not exist.")
	s.refused("SetAlarmState", `{"AlarmName":"a","StateValue":"OK","StateReason":"r","StateReasonData":"{"}`, "InvalidFormatFault", "InvalidFormat", "StateReasonData was not")
	s.refused("SetAlarmState", `{"AlarmName":"a","StateValue":"BAD","StateReason":"r"}`, "ValidationException", "ValidationError", "1 validation error detected: Value 'BAD' at 'stateValue'")
}

func TestAlarmsAreFound(t *testing.T) {
	s := start(t)
	for n := range 7 {
		s.alarm(fmt.Sprintf("web-%d", n), "")
	}
	s.alarm("db", `,"OKActions":["arn:aws:sns:r:1:ops"],"Unit":"Count"`)
	s.do("SetAlarmState", `{"AlarmName":"web-3","StateValue":"ALARM","StateReason":"test"}`)
	find := func(request string) string {
		return each(s.do("DescribeAlarms", "%s", request)["MetricAlarms"], "AlarmName")
	}
	equal(t, "all", find(`{}`), "db web-0 web-1 web-2 web-3 web-4 web-5 web-6")
	equal(t, "by prefix", find(`{"AlarmNamePrefix":"web-6"}`), "web-6")
	equal(t, "by state", find(`{"StateValue":"ALARM"}`), "web-3")
	equal(t, "by names", find(`{"AlarmNames":["web-5","none","db"]}`), "db web-5")
	equal(t, "by action", find(`{"ActionPrefix":"arn:aws:sns:r:1:o"}`), "db")
	equal(t, "composite", find(`{"AlarmTypes":["CompositeAlarm"]}`), "")
	equal(t, "both", find(`{"AlarmTypes":["CompositeAlarm","MetricAlarm"],"AlarmNames":["db"]}`), "db")
	equal(t, "parents", find(`{"ParentsOfAlarmName":"db"}`), "")
	var names []string
	token := ""
	for token != "end" {
		page := s.do("DescribeAlarms", `{"MaxRecords":3%s}`, token)
		names = append(names, each(page["MetricAlarms"], "AlarmName"))
		if next, more := page["NextToken"]; more {
			token = fmt.Sprintf(`,"NextToken":%q`, next)
		} else {
			token = "end"
		}
	}
	equal(t, "pages", strings.Join(names, " / "), "db web-0 web-1 / web-2 web-3 web-4 / web-5 web-6")
	s.refused("DescribeAlarms", `{"NextToken":"?"}`, "InvalidNextToken", "InvalidNextToken", "The next token specified is invalid.")
	s.refused("DescribeAlarms", `{"AlarmNames":["a"],"AlarmNamePrefix":"a"}`, "ValidationException", "ValidationError", "AlarmNamePrefix and AlarmNames")

	forMetric := func(more string) string {
		return each(s.do("DescribeAlarmsForMetric", `{"Namespace":"Web","MetricName":"Errors"%s}`, more)["MetricAlarms"], "AlarmName")
	}
	dimensions := `,"Dimensions":[{"Name":"App","Value":"shop"},{"Name":"Zone","Value":"a"}]`
	equal(t, "for another metric", forMetric(""), "")
	equal(t, "for the metric", forMetric(dimensions), "db web-0 web-1 web-2 web-3 web-4 web-5 web-6")
	equal(t, "with a unit", forMetric(dimensions+`,"Unit":"Count","Statistic":"Sum","Period":60`), "db")
	equal(t, "with another period", forMetric(dimensions+`,"Period":300`), "")
	equal(t, "with another statistic", forMetric(dimensions+`,"ExtendedStatistic":"p99"`), "")
}

func TestActionsAndDeletion(t *testing.T) {
	s := start(t)
	s.alarm("a", "")
	s.do("DisableAlarmActions", `{"AlarmNames":["a","none"]}`)
	equal(t, "disabled", s.described("a").(object)["ActionsEnabled"], false)
	s.do("EnableAlarmActions", `{"AlarmNames":["a"]}`)
	equal(t, "enabled", s.described("a").(object)["ActionsEnabled"], true)
	s.do("SetAlarmState", `{"AlarmName":"a","StateValue":"OK","StateReason":"test"}`)
	s.advance(time.Second)
	s.do("DeleteAlarms", `{"AlarmNames":["a","none"]}`)
	equal(t, "deleted", s.described("a"), nil)

	history := func(more string) string {
		return each(s.do("DescribeAlarmHistory", `{"AlarmName":"a"%s}`, more)["AlarmHistoryItems"], "HistorySummary")
	}
	all := []string{`Alarm "a" deleted`, "Alarm updated from INSUFFICIENT_DATA to OK", `Alarm "a" updated`, `Alarm "a" updated`, `Alarm "a" created`}
	equal(t, "history", history(""), strings.Join(all, " "))
	equal(t, "changes of state", history(`,"HistoryItemType":"StateUpdate"`), all[1])
	equal(t, "from then", history(fmt.Sprintf(`,"StartDate":%d`, noon+1)), all[0])
	equal(t, "until then", history(fmt.Sprintf(`,"EndDate":%d,"ScanBy":"TimestampAscending"`, noon)), `Alarm "a" created`)
	equal(t, "of another type", history(`,"AlarmTypes":["CompositeAlarm"]`), "")
	equal(t, "of all", each(s.do("DescribeAlarmHistory", `{"MaxRecords":1}`)["AlarmHistoryItems"], "AlarmName"), "a")
	for _, order := range []string{"TimestampAscending", "TimestampDescending"} {
		var got []string
		token := ""
		for range all {
			page := s.do("DescribeAlarmHistory", `{"MaxRecords":1,"ScanBy":%q%s}`, order, token)
			got = append(got, each(page["AlarmHistoryItems"], "HistorySummary"))
			token = fmt.Sprintf(`,"NextToken":%q`, page["NextToken"])
		}
		if order == "TimestampAscending" {
			slices.Reverse(got)
		}
		equal(t, order, strings.Join(got, " "), strings.Join(all, " "))
	}
	s.refused("DescribeAlarmHistory", `{"NextToken":"?"}`, "InvalidNextToken", "InvalidNextToken", "The next token")
}

func TestAlarmsThatAreRefused(t *testing.T) {
	s := start(t)
	const said = `"EvaluationPeriods":1,"Threshold":1,"ComparisonOperator":"LessThanThreshold"`
	const plain = `"Namespace":"N","MetricName":"m","Statistic":"Sum","Period":60`
	query := `"Metrics":[{"Id":"m1","MetricStat":{"Metric":{"Namespace":"N","MetricName":"m"},"Period":60,"Stat":"Sum"}}]`
	for request, says := range map[string]string{
		plain + `,"EvaluationPeriods":1,"Threshold":1`:                                               "ComparisonOperator must not be null",
		plain + `,"EvaluationPeriods":1,"ComparisonOperator":"LessThanThreshold"`:                    "Threshold must not be null",
		plain + `,"Threshold":1,"ComparisonOperator":"LessThanThreshold"`:                            "EvaluationPeriods must not be null",
		plain + `,"EvaluationPeriods":1,"Threshold":1,"ComparisonOperator":"LessThanLowerThreshold"`: "The comparison operator LessThanLowerThreshold needs an anomaly detection model.",
		said: "MetricName must not be null",
		said + `,` + plain + `,"EvaluationInterval":60`:                                "The parameter EvaluationInterval is not supported.",
		said + `,"EvaluationCriteria":{"PromQLCriteria":{"Query":"up"}}`:               "The parameter EvaluationCriteria is not supported.",
		said + `,` + plain + `,"ThresholdMetricId":"t"`:                                "The parameter ThresholdMetricId is not supported.",
		said + `,` + query + `,"Period":60`:                                            "Period should not be set if list of Metrics is set.",
		said + `,"Metrics":[{"Id":"e1","Expression":"1"}]`:                             "The expression Metrics.member.1.Expression is not supported.",
		said + `,"Metrics":[]`:                                                         "Metrics must have one element, which names a metric.",
		said + `,` + strings.Replace(query, `"Id"`, `"ReturnData":false,"Id"`, 1):      "Exactly one element of the metrics list should return data.",
		said + `,` + plain + `,"AlarmActions":["ring"]`:                                "Invalid arn syntax: ring",
		said + `,` + strings.Replace(plain, "60", "45", 1):                             "Period must be 10, 20, 30 or a multiple of 60",
		said + `,` + plain + `,"TreatMissingData":"well"`:                              "Value 'well' at 'treatMissingData'",
		said + `,` + plain + `,"Unit":"Pounds"`:                                        "1 validation error detected: Value 'Pounds' at 'unit'",
		said + `,` + strings.Replace(plain, `"Statistic":"Sum",`, "", 1):               "Either Statistic or ExtendedStatistic must be set",
		said + `,` + strings.Replace(plain, `"Sum"`, `"Sum","DatapointsToAlarm":2`, 1): "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
	} {
		s.refused("PutMetricAlarm", `{"AlarmName":"a",`+request+`}`, "ValidationException", "ValidationError", says)
	}
	s.refused("PutMetricAlarm", `{"AlarmName":"a",`+said+`,`+plain+`,"ExtendedStatistic":"p9"}`, "InvalidParameterCombinationException", "InvalidParameterCombination", "The parameters Statistic and ExtendedStatistic")
	s.refused("PutMetricAlarm", `{"AlarmName":"a",`+said+`,`+plain+`,"Tags":[{"Key":"aws:x","Value":""}]}`, "InvalidParameterValueException", "InvalidParameterValue", "aws: prefixed tag key names")
	s.refused("PutCompositeAlarm", `{"AlarmName":"a","AlarmRule":"ALARM(b)"}`, "UnknownOperationException", "InvalidAction", "berth does not support PutCompositeAlarm of cloudwatch yet.")
	if n := store.Alarms.Len(s.Store.View()) + store.AlarmHistory.Len(s.Store.View()); n != 0 {
		t.Errorf("%d records were made", n)
	}
}

func TestTheNumberOfAlarmsIsBounded(t *testing.T) {
	s := start(t)
	for first := range 5 {
		s.Put(t, func(tx *store.Tx) {
			for n := range alarm.MaxAlarms / 5 {
				store.Alarms.Put(tx, alarm.New(gatewaytest.Scope, fmt.Sprintf("%d-%d", first, n), alarm.Definition{}, s.now()))
			}
		})
	}
	s.refused("PutMetricAlarm", fmt.Sprintf(errorsAlarm, "more", ""), "LimitExceededFault", "LimitExceeded", "The maximum number of alarms, 5000, has been reached.")
	s.alarm("0-0", "") // one that is there
	s.do("DeleteAlarms", `{"AlarmNames":["0-1"]}`)
	s.alarm("more", "")
}

func TestTags(t *testing.T) {
	s := start(t)
	s.alarm("a: b/c", "")
	name := "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:a: b/c"
	list := func() any { return s.do("ListTagsForResource", `{"ResourceARN":%q}`, name)["Tags"] }
	equal(t, "none", list(), "[]")
	s.do("TagResource", `{"ResourceARN":%q,"Tags":[{"Key":"b","Value":"1"},{"Key":"a","Value":"2"}]}`, name)
	s.do("TagResource", `{"ResourceARN":%q,"Tags":[{"Key":"b","Value":"3"}]}`, name)
	equal(t, "two", list(), "[map[Key:a Value:2] map[Key:b Value:3]]")
	s.do("UntagResource", `{"ResourceARN":%q,"TagKeys":["b","none"]}`, name)
	equal(t, "one", list(), "[map[Key:a Value:2]]")
	const value, query = "InvalidParameterValueException", "InvalidParameterValue"
	s.refused("TagResource", fmt.Sprintf(`{"ResourceARN":%q,"Tags":[{"Key":"AWS:b","Value":"3"}]}`, name), value, query, "aws: prefixed tag key names")
	s.refused("ListTagsForResource", `{"ResourceARN":"a"}`, value, query, "The value a for parameter ResourceARN is invalid.")
	s.refused("ListTagsForResource", `{"ResourceARN":"arn:aws:cloudwatch::123456789012:dashboard/x"}`, value, query, "The value arn:aws:cloudwatch::123456789012:dashboard/x for")
	for _, other := range []string{name + "x", strings.Replace(name, "eu-central-1", "us-east-1", 1)} {
		s.refused("ListTagsForResource", fmt.Sprintf(`{"ResourceARN":%q}`, other), "ResourceNotFoundException", "ResourceNotFoundException", "The resource "+other+" does not exist.")
	}
	answer, _ := s.json("ListTagsForResource", fmt.Sprintf(`{"ResourceARN":%q}`, name+"x"))
	equal(t, "status", answer.StatusCode, http.StatusNotFound)
}
