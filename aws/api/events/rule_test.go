package events_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/store"
)

const (
	ruleARN = "arn:aws:events:eu-central-1:123456789012:rule/"
	group   = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/events/x"
	cluster = "arn:aws:ecs:eu-central-1:123456789012:cluster/default"
	role    = "arn:aws:iam::123456789012:role/r"
)

func TestARuleFromPutToDelete(t *testing.T) {
	s := start(t)
	s.expect("arn", s.do("PutRule", `{"Name": "r", "EventPattern": "{\"source\": [\"aws.ecs\"]}", "Description": "d", "Tags": [{"Key": "a", "Value": "1"}]}`), object{"RuleArn": ruleARN + "r"})
	s.expect("rule", s.do("DescribeRule", `{"Name": "r"}`), object{
		"Name": "r", "Arn": ruleARN + "r", "EventPattern": `{"source": ["aws.ecs"]}`, "State": "ENABLED", "Description": "d", "EventBusName": "default", "CreatedBy": "123456789012",
	})
	s.do("DisableRule", `{"Name": "r"}`)
	s.expect("state", s.do("DescribeRule", `{"Name": "r"}`)["State"], "DISABLED")
	s.do("EnableRule", `{"Name": "r"}`)
	s.expect("state", s.do("DescribeRule", `{"Name": "r"}`)["State"], "ENABLED")

	s.do("PutTargets", `{"Rule": "r", "Targets": [{"Id": "b", "Arn": %q}, {"Id": "a", "Arn": %q}]}`, group, group)
	s.refused("DeleteRule", `{"Name": "r"}`, "ValidationException", "Rule can't be deleted since it has targets. (hint: ")
	// What a caller leaves out is gone; targets and tags stay.
	s.do("PutRule", `{"Name": "r", "ScheduleExpression": "rate(1 hour)", "Tags": [{"Key": "a", "Value": "2"}]}`)
	got := s.do("DescribeRule", `{"Name": "r"}`)
	s.expect("pattern and description", []any{got["EventPattern"], got["Description"], got["ScheduleExpression"]}, []any{nil, nil, "rate(1 hour)"})
	s.expect("targets", names(s.do("ListTargetsByRule", `{"Rule": "r"}`)["Targets"], "Id"), []string{"a", "b"})
	s.expect("tags", s.do("ListTagsForResource", `{"ResourceARN": %q}`, ruleARN+"r")["Tags"], []any{object{"Key": "a", "Value": "1"}})

	s.expect("removed", s.do("RemoveTargets", `{"Rule": "r", "Ids": ["a", "c", "b"]}`), object{"FailedEntryCount": 1.0, "FailedEntries": []any{object{
		"TargetId": "c", "ErrorCode": "ResourceNotFoundException", "ErrorMessage": "Rule r does not have target c on EventBus default.",
	}}})
	s.do("DeleteRule", `{"Name": "r"}`)
	s.do("DeleteRule", `{"Name": "r"}`)
	s.refused("DescribeRule", `{"Name": "r"}`, "ResourceNotFoundException", "Rule r does not exist on EventBus default.")
}

func TestRulesAreRefused(t *testing.T) {
	s := start(t)
	for _, c := range []struct{ body, kind, message string }{
		{`{}`, "ValidationException", "1 validation error detected: Value null at 'name'"},
		{`{"Name": "r"}`, "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified."},
		{`{"Name": "r", "EventPattern": "{"}`, "InvalidEventPatternException", "Event pattern is not valid. Reason: "},
		{`{"Name": "r", "ScheduleExpression": "rate(1 minutes)"}`, "ValidationException", "Parameter ScheduleExpression is not valid. (hint: "},
		{`{"Name": "r", "ScheduleExpression": "rate(1 minute)", "EventBusName": "none"}`, "ResourceNotFoundException", "Event bus none does not exist."},
		{`{"Name": "r", "ScheduleExpression": "rate(1 minute)", "State": "OFF"}`, "ValidationException", "1 validation error detected: Value 'OFF' at 'state'"},
		{`{"Name": "r", "ScheduleExpression": "rate(1 minute)", "Tags": [{"Key": "berth:concurrency", "Value": "never"}]}`, "ValidationException", `The tag berth:concurrency can not be "never". (hint: use allow, forbid or replace)`},
		{`{"Name": "r", "ScheduleExpression": "rate(1 minute)", "Tags": [{"Key": "aws:x", "Value": "1"}]}`, "ValidationException", "Tag keys beginning with 'aws:'"},
	} {
		s.refused("PutRule", c.body, c.kind, c.message)
	}
	s.do("CreateEventBus", `{"Name": "own"}`)
	s.refused("PutRule", `{"Name": "r", "ScheduleExpression": "rate(1 minute)", "EventBusName": "own"}`, "ValidationException", "ScheduleExpression is supported only on the default event bus.")
	s.refused("EnableRule", `{"Name": "r", "EventBusName": "own"}`, "ResourceNotFoundException", "Rule r does not exist on EventBus own.")
	s.refused("PutPermission", `{}`, "UnknownOperationException", "")

	s.do("PutRule", `{"Name": "r", "ScheduleExpression": "rate(1 minute)"}`)
	s.refused("TagResource", fmt.Sprintf(`{"ResourceARN": %q, "Tags": [{"Key": "berth:concurrency", "Value": "x"}]}`, ruleARN+"r"), "ValidationException", "The tag berth:concurrency")
	s.expect("tags", s.do("ListTagsForResource", `{"ResourceARN": %q}`, ruleARN+"r")["Tags"], []any{})
	s.Put(t, func(tx *store.Tx) {
		for i := range 299 {
			store.Rules.Put(tx, &event.Rule{Scope: gatewaytest.Scope, Bus: "default", Name: fmt.Sprintf("x%03d", i), Pattern: `{"a": [1]}`})
		}
	})
	s.refused("PutRule", `{"Name": "more", "ScheduleExpression": "rate(1 minute)"}`, "LimitExceededException", "The requested resource exceeds the maximum number allowed.")
}

func TestSchedulesArePlanned(t *testing.T) {
	s := start(t)
	next := func() time.Time {
		r, ok := store.Rules.Get(s.Store.View(), store.RuleKey(gatewaytest.Scope, "default", "r"))
		if !ok {
			t.Fatal("no rule")
		}
		return r.NextAt
	}
	before := time.Now()
	s.do("PutRule", `{"Name": "r", "ScheduleExpression": "rate(1 hour)"}`)
	first := next()
	if first.Before(before.Add(time.Hour)) || first.After(time.Now().Add(time.Hour)) {
		t.Errorf("an hour from %v is %v", before, first)
	}
	s.do("PutRule", `{"Name": "r", "ScheduleExpression": "rate(1 hour)", "Description": "new"}`)
	if !next().Equal(first) {
		t.Error("another description moved the schedule")
	}
	s.do("DisableRule", `{"Name": "r"}`)
	if !next().IsZero() {
		t.Error("a disabled rule fires")
	}
	s.do("EnableRule", `{"Name": "r"}`)
	if !next().Equal(first) {
		t.Errorf("enabled again: %v, not %v", next(), first)
	}
	s.do("PutRule", `{"Name": "r", "EventPattern": "{\"a\": [1]}"}`)
	if !next().IsZero() {
		t.Error("a rule without schedule fires")
	}
}

func TestListsOfRules(t *testing.T) {
	s := start(t)
	for _, name := range []string{"a1", "a2", "a3", "b1"} {
		s.do("PutRule", `{"Name": %q, "EventPattern": "{\"a\": [1]}"}`, name)
		s.do("PutTargets", `{"Rule": %q, "Targets": [{"Id": "t", "Arn": %q}]}`, name, group)
	}
	page := s.do("ListRules", `{"NamePrefix": "a", "Limit": 2}`)
	s.expect("first page", names(page["Rules"], "Name"), []string{"a1", "a2"})
	page = s.do("ListRules", `{"NamePrefix": "a", "Limit": 2, "NextToken": %q}`, page["NextToken"])
	s.expect("second page", names(page["Rules"], "Name"), []string{"a3"})
	s.expect("its token", page["NextToken"], nil)
	s.refused("ListRules", `{"NextToken": "!"}`, "ValidationException", "NextToken is not valid.")

	page = s.do("ListRuleNamesByTarget", `{"TargetArn": %q, "Limit": 3}`, group)
	s.expect("by target", page["RuleNames"], []any{"a1", "a2", "a3"})
	s.expect("the rest", s.do("ListRuleNamesByTarget", `{"TargetArn": %q, "NextToken": %q}`, group, page["NextToken"])["RuleNames"], []any{"b1"})
	s.expect("of nobody", s.do("ListRuleNamesByTarget", `{"TargetArn": "arn:x"}`)["RuleNames"], []any{})
}

func TestTargets(t *testing.T) {
	s := start(t)
	s.do("PutRule", `{"Name": "r", "EventPattern": "{\"a\": [1]}"}`)
	ecs := object{
		"TaskDefinitionArn": "arn:td", "TaskCount": 2.0, "LaunchType": "FARGATE", "PlatformVersion": "1.4.0", "Group": "g", "PropagateTags": "TASK_DEFINITION", "ReferenceId": "ref",
		"EnableECSManagedTags": true, "EnableExecuteCommand": false, "Tags": []any{object{"Key": "k", "Value": "v"}},
		"NetworkConfiguration": object{"awsvpcConfiguration": object{"Subnets": []any{"subnet-1"}, "SecurityGroups": []any{"sg-1"}, "AssignPublicIp": "ENABLED"}},
	}
	s.do("PutTargets", `{"Rule": "r", "Targets": [{"Id": "run", "Arn": %q, "RoleArn": %q, "Input": "{}", "RetryPolicy": {"MaximumRetryAttempts": 3}, "EcsParameters": {
		"TaskDefinitionArn": "arn:td", "TaskCount": 2, "LaunchType": "FARGATE", "PlatformVersion": "1.4.0", "Group": "g", "PropagateTags": "TASK_DEFINITION", "ReferenceId": "ref",
		"EnableECSManagedTags": true, "Tags": [{"Key": "k", "Value": "v"}],
		"NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": ["subnet-1"], "SecurityGroups": ["sg-1"], "AssignPublicIp": "ENABLED"}}}},
		{"Id": "log", "Arn": %q, "InputTransformer": {"InputPathsMap": {"s": "$.source"}, "InputTemplate": "\"<s>\""}}]}`, cluster, role, group)
	s.expect("targets", s.do("ListTargetsByRule", `{"Rule": "r"}`)["Targets"], []any{
		object{"Id": "log", "Arn": group, "InputTransformer": object{"InputPathsMap": object{"s": "$.source"}, "InputTemplate": `"<s>"`}},
		object{"Id": "run", "Arn": cluster, "RoleArn": role, "Input": "{}", "RetryPolicy": object{"MaximumRetryAttempts": 3.0, "MaximumEventAgeInSeconds": 86400.0}, "EcsParameters": ecs},
	})
	for _, c := range []struct{ target, message string }{
		{`"Arn": "nonsense"`, "Parameter nonsense is not valid. Reason: Provided Arn is not in correct format."},
		{`"Arn": "arn:aws:lambda:eu-central-1:123456789012:function:f"`, "Targets of the service lambda are not supported"},
		{`"Arn": "arn:aws:logs:us-east-1:123456789012:log-group:x"`, "The target arn:aws:logs:us-east-1:123456789012:log-group:x is in another account or region."},
		{`"Arn": "` + cluster + `", "EcsParameters": {"TaskDefinitionArn": "t"}`, "RoleArn is required for target " + cluster},
		{`"Arn": "` + cluster + `", "RoleArn": "` + role + `"`, "Parameter EcsParameters is required"},
		{`"Arn": "` + cluster + `", "RoleArn": "` + role + `", "EcsParameters": {"TaskDefinitionArn": "t", "TaskCount": 11}`, "TaskCount of target x must be at most 10."},
		{`"Arn": "` + group + `", "EcsParameters": {"TaskDefinitionArn": "t"}`, "EcsParameters is not supported"},
		{`"Arn": "` + group + `", "DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-central-1:123456789012:q"}`, "DeadLetterConfig is not supported"},
		{`"Arn": "` + group + `", "Input": "{"`, "JSON syntax error in input for target x"},
		{`"Arn": "` + group + `", "Input": "1", "InputPath": "$"`, "Only one of Input, InputPath, or InputTransformer must be provided for target x."},
	} {
		s.refused("PutTargets", `{"Rule": "r", "Targets": [{"Id": "x", `+c.target+`}]}`, "ValidationException", c.message)
	}
	s.refused("PutTargets", `{"Rule": "none", "Targets": [{"Id": "x", "Arn": "`+group+`"}]}`, "ResourceNotFoundException", "Rule none does not exist on EventBus default.")
	many := ""
	for i := range 4 {
		many += fmt.Sprintf(`,{"Id": "m%d", "Arn": %q}`, i, group)
	}
	s.refused("PutTargets", `{"Rule": "r", "Targets": [`+many[1:]+`]}`, "LimitExceededException", "The requested resource exceeds the maximum number allowed.")
	s.expect("after all refusals", names(s.do("ListTargetsByRule", `{"Rule": "r"}`)["Targets"], "Id"), []string{"log", "run"})
}
