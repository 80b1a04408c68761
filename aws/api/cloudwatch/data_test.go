package cloudwatch_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const noon = 1767355200 // 2026-01-02T12:00:00Z

func TestDataComeBackAsStatistics(t *testing.T) {
	s := start(t)
	s.do("PutMetricData", `{"Namespace":"Web","MetricData":[
		{"MetricName":"Latency","Dimensions":[{"Name":"Zone","Value":"a"},{"Name":"App","Value":"shop"}],"Timestamp":%d,"Values":[1,2,3],"Counts":[1,2,1],"Unit":"Seconds"},
		{"MetricName":"Latency","Dimensions":[{"Name":"App","Value":"shop"},{"Name":"Zone","Value":"a"}],"Timestamp":%d,"Value":12,"Unit":"Seconds"},
		{"MetricName":"Latency","Timestamp":%d,"StatisticValues":{"SampleCount":2,"Sum":30,"Minimum":10,"Maximum":20}}]}`, noon-120, noon-60, noon-60)
	out := s.do("GetMetricStatistics", `{"Namespace":"Web","MetricName":"Latency","Dimensions":[{"Name":"App","Value":"shop"},{"Name":"Zone","Value":"a"}],
		"StartTime":%d,"EndTime":%d,"Period":300,"Statistics":["SampleCount","Average","Sum","Minimum","Maximum"]}`, noon-300, noon)
	equal(t, "label", out["Label"], "Latency")
	equal(t, "datapoints", out["Datapoints"], fmt.Sprintf("[map[Average:4 Maximum:12 Minimum:1 SampleCount:5 Sum:20 Timestamp:%v Unit:Seconds]]", float64(noon-300)))
	out = s.do("GetMetricStatistics", `{"Namespace":"Web","MetricName":"Latency","Dimensions":[{"Name":"App","Value":"shop"},{"Name":"Zone","Value":"a"}],
		"StartTime":%d,"EndTime":%d,"Period":60,"ExtendedStatistics":["p50","p100"]}`, noon-300, noon)
	equal(t, "percentiles", pick(out, "Datapoints", 0, "ExtendedStatistics"), "map[p100:3 p50:2]")
	equal(t, "minutes", each(out["Datapoints"], "Timestamp"), fmt.Sprint(float64(noon-120), float64(noon-60)))
	out = s.do("GetMetricStatistics", `{"Namespace":"Web","MetricName":"Latency","StartTime":%d,"EndTime":%d,"Period":60,"Statistics":["Average"],"Unit":"None"}`, noon-300, noon)
	equal(t, "averages", each(out["Datapoints"], "Average"), "15")
	out = s.do("GetMetricStatistics", `{"Namespace":"Web","MetricName":"Latency","StartTime":%d,"EndTime":%d,"Period":60,"ExtendedStatistics":["p50"]}`, noon-300, noon)
	equal(t, "percentiles of statistics", out["Datapoints"], "[]")
}

func TestDataInEveryProtocol(t *testing.T) {
	s := start(t)
	s.do("PutMetricData", `{"Namespace":"N","MetricData":[{"MetricName":"m","Value":1}]}`)
	text := `{"Namespace":"N","MetricData":[{"MetricName":"m","Value":10}]}`
	if answer, body := s.send(squeezed(t, text), map[string]string{
		"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData", "Content-Encoding": "gzip",
	}); answer.StatusCode != http.StatusOK {
		t.Errorf("gzip: %s", body)
	}
	if status, body := s.query("PutMetricData", "Namespace", "N", "MetricData.member.1.MetricName", "m", "MetricData.member.1.Value", "100",
		"MetricData.member.1.Timestamp", "2026-01-02T12:00:00Z", "MetricData.member.1.StorageResolution", "1"); status != http.StatusOK {
		t.Errorf("query: %s", body)
	}
	status, body := s.query("GetMetricStatistics", "Namespace", "N", "MetricName", "m", "StartTime", "2026-01-02T11:00:00Z", "EndTime", "2026-01-02T13:00:00Z",
		"Period", "60", "Statistics.member.1", "Sum")
	if want := "<Timestamp>2026-01-02T12:00:00Z</Timestamp><Sum>111.0</Sum><Unit>None</Unit>"; status != http.StatusOK || !strings.Contains(body, want) {
		t.Errorf("%d %s\nwant %s", status, body, want)
	}
	status, body = s.query("SetAlarmState", "AlarmName", "none", "StateValue", "OK", "StateReason", "r")
	if status != http.StatusNotFound || !strings.Contains(body, "<Code>ResourceNotFound</Code>") {
		t.Errorf("%d %s", status, body)
	}
	status, body = s.query("PutMetricData", "Namespace", "AWS/ECS", "MetricData.member.1.MetricName", "m", "MetricData.member.1.Value", "1")
	if status != http.StatusBadRequest || !strings.Contains(body, "<Code>InvalidParameterValue</Code>") {
		t.Errorf("%d %s", status, body)
	}
}

func TestDataThatAreRefused(t *testing.T) {
	s := start(t)
	const (
		valueJSON, valueQuery     = "InvalidParameterValueException", "InvalidParameterValue"
		bothJSON, bothQuery       = "InvalidParameterCombinationException", "InvalidParameterCombination"
		missingJSON, missingQuery = "MissingRequiredParameterException", "MissingParameter"
	)
	at := "MetricData.member.1"
	for _, c := range []struct{ datum, code, query, says string }{
		{`"Value":1,"Values":[1]`, bothJSON, bothQuery, "The parameters " + at + ".Value and " + at + ".Values are mutually exclusive and you have specified both."},
		{`"Value":1,"StatisticValues":{"SampleCount":1,"Sum":1,"Minimum":1,"Maximum":1}`, bothJSON, bothQuery, "The parameters " + at + ".Value and " + at + ".StatisticValues are"},
		{`"Values":[1],"StatisticValues":{"SampleCount":1,"Sum":1,"Minimum":1,"Maximum":1}`, bothJSON, bothQuery, "The parameters " + at + ".Values and"},
		{`"Unit":"Count"`, missingJSON, missingQuery, "At least one of the parameters " + at + ".Value, "},
		{`"Values":[1,2],"Counts":[1]`, valueJSON, valueQuery, "The parameters " + at + ".Values and " + at + ".Counts must be of the same size."},
		{`"Values":[1],"Counts":[-1]`, valueJSON, valueQuery, "The value -1 for parameter " + at + ".Counts is invalid."},
		{`"Values":[` + strings.Repeat("1,", 150) + `1]`, valueJSON, valueQuery, "The collection " + at + ".Values must not have a size greater than 150."},
		{`"Value":1e200`, valueJSON, valueQuery, "The value 1e+200 for parameter " + at + ".Value is invalid."},
		{`"Value":"NaN"`, valueJSON, valueQuery, "The value NaN for parameter " + at + ".Value is invalid."},
		{`"StatisticValues":{"SampleCount":0,"Sum":1,"Minimum":1,"Maximum":1}`, valueJSON, valueQuery, "The parameter " + at + ".StatisticValues.SampleCount must be greater than 0."},
		{`"StatisticValues":{"SampleCount":2,"Sum":1,"Minimum":2,"Maximum":1}`, valueJSON, valueQuery, "The parameter " + at + ".StatisticValues.Maximum must be greater than"},
		{`"StatisticValues":{"SampleCount":2}`, "ValidationException", "ValidationError", "3 validation errors detected"},
		{fmt.Sprintf(`"Value":1,"Timestamp":%d`, noon-15*86400), valueJSON, valueQuery, "The parameter " + at + ".Timestamp must specify a time within the past two weeks."},
		{fmt.Sprintf(`"Value":1,"Timestamp":%d`, noon+3*3600), valueJSON, valueQuery, "The parameter " + at + ".Timestamp must specify a time no more than two hours in the future."},
		{`"Value":1,"StorageResolution":5`, valueJSON, valueQuery, "The value 5 for parameter " + at + ".StorageResolution is invalid."},
		{`"Value":1,"Dimensions":[{"Name":"a","Value":"1"},{"Name":"a","Value":"2"}]`, valueJSON, valueQuery, "The parameter " + at + ".Dimensions has the name a twice."},
		{`"Value":1,"Dimensions":[{"Name":"a","Value":"1\u0000"}]`, valueJSON, valueQuery, `The value "1\x00" of the parameter ` + at},
		{`"Value":1,"Unit":"Pounds"`, "ValidationException", "ValidationError", "1 validation error detected: Value 'Pounds' at 'metricData.1.member.unit'"},
	} {
		s.refused("PutMetricData", `{"Namespace":"N","MetricData":[{"MetricName":"m",`+c.datum+`}]}`, c.code, c.query, c.says)
	}
	s.refused("PutMetricData", `{"Namespace":"N"}`, missingJSON, missingQuery, "The parameter MetricData is required.")
	s.refused("PutMetricData", `{"Namespace":"AWS/ECS","MetricData":[]}`, valueJSON, valueQuery, "The value AWS/ for parameter Namespace is invalid.")
	s.refused("PutMetricData", `{"Namespace":"N","EntityMetricData":[{"MetricData":[{"MetricName":"m"}]}]}`, missingJSON, missingQuery,
		"At least one of the parameters EntityMetricData.member.1.MetricData.member.1.Value")
	s.refused("PutMetricData", `{"Namespace":"N","MetricData":[`+strings.Repeat(`{"MetricName":"m","Value":1},`, 1000)+`{"MetricName":"m","Value":1}]}`,
		"ValidationException", "ValidationError", "The collection MetricData must not have a size greater than 1000.")
	equal(t, "metrics", s.do("ListMetrics", `{}`)["Metrics"], "[]")
}

func TestStatisticsThatAreRefused(t *testing.T) {
	s := start(t)
	call := func(changes string) string {
		return fmt.Sprintf(`{"Namespace":"N","MetricName":"m","StartTime":%d,"EndTime":%d,%s}`, noon-86460, noon, changes)
	}
	s.refused("GetMetricStatistics", call(`"Period":60,"Statistics":["Sum"]`), "InvalidParameterCombinationException", "InvalidParameterCombination", "You have requested up to 1441 datapoints")
	s.refused("GetMetricStatistics", call(`"Period":90,"Statistics":["Sum"]`), "InvalidParameterValueException", "InvalidParameterValue", "The value 90 for parameter Period is invalid.")
	s.refused("GetMetricStatistics", call(`"Period":300`), "MissingRequiredParameterException", "MissingParameter", "At least one of the parameters Statistics and ExtendedStatistics must be specified.")
	s.refused("GetMetricStatistics", call(`"Period":300,"Statistics":["Sum"],"ExtendedStatistics":["p1"]`), "InvalidParameterCombinationException", "InvalidParameterCombination", "The parameters Statistics and ExtendedStatistics")
	s.refused("GetMetricStatistics", call(`"Period":300,"ExtendedStatistics":["tm90"]`), "InvalidParameterValueException", "InvalidParameterValue", "The value tm90 for parameter ExtendedStatistics is not supported.")
	s.refused("GetMetricStatistics", fmt.Sprintf(`{"Namespace":"N","MetricName":"m","StartTime":%d,"EndTime":%d,"Period":60,"Statistics":["Sum"]}`, noon, noon),
		"InvalidParameterValueException", "InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime.")
}

func TestSeriesComeInPages(t *testing.T) {
	s := start(t)
	for n := range 5 {
		s.do("PutMetricData", `{"Namespace":"N","MetricData":[{"MetricName":"a","Value":%d,"Timestamp":%d},{"MetricName":"b","Value":%d,"Timestamp":%d}]}`,
			n, noon-60*(5-n), 10+n, noon-60*(5-n))
	}
	query := func(id, name, more string) string {
		return fmt.Sprintf(`{"Id":%q,"MetricStat":{"Metric":{"Namespace":"N","MetricName":%q},"Period":60,"Stat":"Sum"}%s}`, id, name, more)
	}
	queries := strings.Join([]string{query("m1", "a", ""), query("m2", "none", ""), query("m3", "a", `,"ReturnData":false`), query("m4", "b", `,"Label":"B"`)}, ",")
	call := func(more string) object {
		return s.do("GetMetricData", `{"StartTime":%d,"EndTime":%d,"MetricDataQueries":[%s]%s}`, noon-600, noon, queries, more)
	}
	out := call("")
	equal(t, "ids", each(out["MetricDataResults"], "Id"), "m1 m2 m4")
	equal(t, "labels", each(out["MetricDataResults"], "Label"), "a none B")
	equal(t, "the newest first", each(out["MetricDataResults"], "Values"), "[4 3 2 1 0] [] [14 13 12 11 10]")
	equal(t, "status", each(out["MetricDataResults"], "StatusCode"), "Complete Complete Complete")
	equal(t, "times", pick(out, "MetricDataResults", 0, "Timestamps", 0), float64(noon-60))
	for size := 1; size <= 11; size++ {
		got, token := map[string]string{}, ""
		for pages := 0; ; pages++ {
			page := call(fmt.Sprintf(`,"ScanBy":"TimestampAscending","MaxDatapoints":%d%s`, size, token))
			results, _ := page["MetricDataResults"].([]any)
			for _, r := range results {
				got[fmt.Sprint(pick(r, "Id"))] += strings.Trim(fmt.Sprint(pick(r, "Values")), "[]") + " "
			}
			next, more := page["NextToken"].(string)
			if !more {
				break
			}
			if pages > 10 {
				t.Fatal("the pages do not end")
			}
			token = `,"NextToken":"` + next + `"`
		}
		equal(t, fmt.Sprint("pages of ", size), strings.Fields(got["m1"]+"/ "+got["m2"]+"/ "+got["m4"]), "[0 1 2 3 4 / / 10 11 12 13 14]")
	}
}

func TestQueriesThatAreRefused(t *testing.T) {
	s := start(t)
	const stat = `"MetricStat":{"Metric":{"Namespace":"N","MetricName":"m"},"Period":60,"Stat":"Sum"}`
	refuse := func(queries, says string) {
		t.Helper()
		s.refused("GetMetricData", fmt.Sprintf(`{"StartTime":%d,"EndTime":%d,"MetricDataQueries":[%s]}`, noon-60, noon, queries), "ValidationException", "ValidationError", says)
	}
	refuse(`{"Id":"M1",`+stat+`}`, "The value for parameter MetricDataQueries.member.1.Id is not matching the expected pattern")
	refuse(`{"Id":"m1",`+stat+`},{"Id":"m1",`+stat+`}`, "The values for parameter id in MetricDataQueries are not unique.")
	refuse(`{"Id":"m1",`+stat+`},{"Id":"e1","Expression":"m1*2"}`, "The expression MetricDataQueries.member.2.Expression is not supported.")
	refuse(`{"Id":"m1","Expression":"1",`+stat+`}`, "The parameters MetricDataQueries.member.1.Expression and MetricDataQueries.member.1.MetricStat are")
	refuse(`{"Id":"m1"}`, "At least one of the parameters MetricDataQueries.member.1.Expression")
	refuse(`{"Id":"m1","Period":60,`+stat+`}`, "The parameters MetricDataQueries.member.1.Period and MetricDataQueries.member.1.MetricStat are mutually exclusive")
	refuse(`{"Id":"m1","AccountId":"9",`+stat+`}`, "The account 9 is not linked to this one.")
	refuse(strings.Replace(`{"Id":"m1",`+stat+`}`, "60", "61", 1), "The value 61 for parameter MetricDataQueries.member.1.MetricStat.Period is invalid.")
	refuse(strings.Replace(`{"Id":"m1",`+stat+`}`, `"Sum"`, `"IQM"`, 1), "The value IQM for parameter MetricDataQueries.member.1.MetricStat.Stat is not a valid statistic.")
	refuse(strings.Replace(`{"Id":"m1",`+stat+`}`, `"Namespace":"N",`, "", 1), "The parameters MetricDataQueries.member.1.MetricStat.Metric.Namespace and")
	refuse("", "The collection MetricDataQueries must have a size from 1 to 500.")
	s.refused("GetMetricData", fmt.Sprintf(`{"StartTime":%d,"EndTime":%d,"MetricDataQueries":[{"Id":"m1",%s}]}`, noon, noon, stat), "ValidationException", "ValidationError", "The parameter StartTime must be less")
	s.refused("GetMetricData", fmt.Sprintf(`{"StartTime":%d,"EndTime":%d,"MetricDataQueries":[{"Id":"m1",%s}],"MaxDatapoints":0}`, noon-60, noon, stat), "ValidationException", "ValidationError", "The value 0 for parameter MaxDatapoints")
	for _, token := range []string{"?", "eyJxIjotMX0", "eyJxIjo5fQ"} {
		s.refused("GetMetricData", fmt.Sprintf(`{"StartTime":%d,"EndTime":%d,"MetricDataQueries":[{"Id":"m1",%s}],"NextToken":%q}`, noon-60, noon, stat, token), "InvalidNextToken", "InvalidNextToken", "The next token")
	}
}

func TestMetricsAreListed(t *testing.T) {
	s := start(t)
	var data []string
	for n := range 600 {
		data = append(data, fmt.Sprintf(`{"MetricName":"m","Value":1,"Dimensions":[{"Name":"n","Value":"%03d"}]}`, n))
	}
	s.do("PutMetricData", `{"Namespace":"N","MetricData":[%s]}`, strings.Join(data, ","))
	s.advance(4 * time.Hour)
	s.do("PutMetricData", `{"Namespace":"O","MetricData":[{"MetricName":"young","Value":1}]}`)
	first := s.do("ListMetrics", `{"Namespace":"N"}`)
	second := s.do("ListMetrics", `{"Namespace":"N","NextToken":%q}`, first["NextToken"])
	a, _ := first["Metrics"].([]any)
	b, _ := second["Metrics"].([]any)
	if len(a) != 500 || len(b) != 100 || second["NextToken"] != nil || fmt.Sprint(pick(b, 0, "Dimensions", 0, "Value")) != "500" {
		t.Errorf("pages of %d and %d, then %v", len(a), len(b), second["NextToken"])
	}
	equal(t, "active", s.do("ListMetrics", `{"RecentlyActive":"PT3H"}`)["Metrics"], "[map[Dimensions:[] MetricName:young Namespace:O]]")
	equal(t, "by dimension", each(s.do("ListMetrics", `{"MetricName":"m","Dimensions":[{"Name":"n","Value":"007"}]}`)["Metrics"], "Namespace"), "N")
	s.refused("ListMetrics", `{"NextToken":"?"}`, "InvalidParameterValueException", "InvalidParameterValue", "The value ? for parameter NextToken is invalid.")
}
