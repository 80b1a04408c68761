package cloudwatch

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/arn"
)

// Needs says by operation what its callers must be allowed to do; reading metrics
// knows no resources.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
func (a *API) Needs() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"PutMetricData": gateway.NeedsOf(func(_ *gateway.Call, in *shape.PutMetricDataInput) []gateway.Need {
			return []gateway.Need{{Keys: map[string][]string{"cloudwatch:namespace": {member.Value(in.Namespace)}}}}
		}),

		"PutMetricAlarm": gateway.NeedsOf(putMetricAlarmNeeds),
		"DescribeAlarms": gateway.On(func(c *gateway.Call, in *shape.DescribeAlarmsInput) []string {
			if len(in.AlarmNames) == 0 {
				return alarms(c.Scope, "*")
			}
			return alarms(c.Scope, in.AlarmNames...)
		}),
		"DescribeAlarmHistory": gateway.On(func(c *gateway.Call, in *shape.DescribeAlarmHistoryInput) []string {
			if in.AlarmName == nil {
				return alarms(c.Scope, "*")
			}
			return alarms(c.Scope, *in.AlarmName)
		}),
		"SetAlarmState": gateway.On(func(c *gateway.Call, in *shape.SetAlarmStateInput) []string {
			return alarms(c.Scope, member.Value(in.AlarmName))
		}),
		"EnableAlarmActions": gateway.On(func(c *gateway.Call, in *shape.EnableAlarmActionsInput) []string {
			return alarms(c.Scope, in.AlarmNames...)
		}),
		"DisableAlarmActions": gateway.On(func(c *gateway.Call, in *shape.DisableAlarmActionsInput) []string {
			return alarms(c.Scope, in.AlarmNames...)
		}),
		"DeleteAlarms": gateway.On(func(c *gateway.Call, in *shape.DeleteAlarmsInput) []string { return alarms(c.Scope, in.AlarmNames...) }),

		"TagResource": gateway.On(func(_ *gateway.Call, in *shape.TagResourceInput) []string {
			return []string{member.Value(in.ResourceARN)}
		}),
		"UntagResource": gateway.On(func(_ *gateway.Call, in *shape.UntagResourceInput) []string {
			return []string{member.Value(in.ResourceARN)}
		}),
		"ListTagsForResource": gateway.On(func(_ *gateway.Call, in *shape.ListTagsForResourceInput) []string {
			return []string{member.Value(in.ResourceARN)}
		}),
	}
}

// putMetricAlarmNeeds: an alarm that is born with tags is tagged, too.
func putMetricAlarmNeeds(call *gateway.Call, in *shape.PutMetricAlarmInput) []gateway.Need {
	on := alarms(call.Scope, member.Value(in.AlarmName))
	put := gateway.Need{Resources: on}
	if len(in.AlarmActions) > 0 {
		put.Keys = map[string][]string{"cloudwatch:AlarmActions": in.AlarmActions}
	}
	if len(in.Tags) == 0 {
		return []gateway.Need{put}
	}
	return []gateway.Need{put, {Action: "cloudwatch:TagResource", Resources: on}}
}

func alarms(scope arn.Scope, names ...string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = (&alarm.Alarm{Scope: scope, Name: name}).ARN()
	}
	return out
}
