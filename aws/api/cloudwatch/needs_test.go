package cloudwatch_test

import (
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/cloudwatch"
)

func TestAuthorisation(t *testing.T) {
	const alarm, all = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:a", "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:*"
	const metric = `"MetricName":"M","Namespace":"N"`
	const put = `{"AlarmName":"a","ComparisonOperator":"GreaterThanThreshold","EvaluationPeriods":1,"Period":60,"Statistic":"Sum","Threshold":1,` + metric
	on := func(operation, input string, resources ...string) gatewaytest.Authorised {
		return gatewaytest.Authorised{Operation: operation, Input: input, Needs: []gateway.Need{{Action: "cloudwatch:" + operation, Resources: resources}}}
	}
	gatewaytest.Authorisation(t, func(t testing.TB) *gatewaytest.Server { return startNow(t).Server }, shape.API, []gatewaytest.Authorised{
		{
			Operation: "PutMetricData", Input: `{"Namespace":"N","MetricData":[{"MetricName":"M","Value":1}]}`,
			Needs: []gateway.Need{{Action: "cloudwatch:PutMetricData", Keys: map[string][]string{"cloudwatch:namespace": {"N"}}}},
		},
		on("GetMetricStatistics", `{`+metric+`,"StartTime":0,"EndTime":60,"Period":60,"Statistics":["Sum"]}`),
		on("GetMetricData", `{"StartTime":0,"EndTime":60,"MetricDataQueries":[]}`),
		on("ListMetrics", `{}`),
		{
			Operation: "PutMetricAlarm", Input: put + `,"AlarmActions":["arn:aws:sns:eu-central-1:123456789012:t"],"Tags":[{"Key":"team","Value":"a"}]}`,
			Needs: []gateway.Need{
				{Action: "cloudwatch:PutMetricAlarm", Resources: []string{alarm}, Keys: map[string][]string{
					"cloudwatch:AlarmActions": {"arn:aws:sns:eu-central-1:123456789012:t"}, "aws:RequestTag/team": {"a"},
				}},
				{Action: "cloudwatch:TagResource", Resources: []string{alarm}},
			},
		},
		on("DescribeAlarms", `{}`, all),
		on("DescribeAlarms", `{"AlarmNames":["a"]}`, alarm),
		on("DescribeAlarmsForMetric", `{`+metric+`}`),
		on("DescribeAlarmHistory", `{}`, all),
		on("DescribeAlarmHistory", `{"AlarmName":"a"}`, alarm),
		on("SetAlarmState", `{"AlarmName":"a","StateValue":"OK","StateReason":"r"}`, alarm),
		on("EnableAlarmActions", `{"AlarmNames":["a"]}`, alarm),
		on("DisableAlarmActions", `{"AlarmNames":["a"]}`, alarm),
		on("DeleteAlarms", `{"AlarmNames":["a"]}`, alarm),
		on("TagResource", `{"ResourceARN":"`+alarm+`","Tags":[{"Key":"a","Value":"b"}]}`, alarm),
		on("UntagResource", `{"ResourceARN":"`+alarm+`","TagKeys":["a"]}`, alarm),
		on("ListTagsForResource", `{"ResourceARN":"`+alarm+`"}`, alarm),
	})
}

// startNow is a server at the real time, by which the harness signs.
func startNow(t testing.TB) *server {
	s := start(t)
	s.nanos.Store(time.Now().UnixNano())
	return s
}
