package events_test

import (
	"testing"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/events"
)

func TestAuthorisation(t *testing.T) {
	const (
		prefix = "arn:aws:events:eu-central-1:123456789012:"
		rule   = prefix + "rule/r"
		bus    = prefix + "event-bus/orders"
		role   = "arn:aws:iam::123456789012:role/runs"
	)
	on := func(operation, input string, resources ...string) gatewaytest.Authorised {
		return gatewaytest.Authorised{Operation: operation, Input: input, Needs: []gateway.Need{{Action: "events:" + operation, Resources: resources}}}
	}
	pass := gateway.Need{Action: "iam:PassRole", Resources: []string{role}, Keys: map[string][]string{"iam:PassedToService": {"events.amazonaws.com"}}}
	gatewaytest.Authorisation(t, func(t testing.TB) *gatewaytest.Server { return start(t).Server }, shape.API, []gatewaytest.Authorised{
		on("PutRule", `{"Name":"r","EventBusName":"orders","ScheduleExpression":"rate(1 minute)"}`, prefix+"rule/orders/r"),
		{
			Operation: "PutRule",
			Input:     `{"Name":"r","EventPattern":"{\"source\":[\"shop\"],\"detail-type\":[\"Sold\"]}","RoleArn":"` + role + `","Tags":[{"Key":"team","Value":"a"}]}`,
			Needs: []gateway.Need{
				{Action: "events:PutRule", Resources: []string{rule}, Keys: map[string][]string{
					"events:source": {"shop"}, "events:detail-type": {"Sold"}, "aws:RequestTag/team": {"a"},
				}},
				{Action: "events:TagResource", Resources: []string{rule}}, pass,
			},
		},
		on("DeleteRule", `{"Name":"r"}`, rule), on("DescribeRule", `{"Name":"r"}`, rule), on("ListRules", `{}`),
		on("EnableRule", `{"Name":"r"}`, rule), on("DisableRule", `{"Name":"r"}`, rule), on("ListRuleNamesByTarget", `{"TargetArn":"a"}`),
		{
			Operation: "PutTargets", Input: `{"Rule":"r","Targets":[{"Id":"1","Arn":"a","RoleArn":"` + role + `"}]}`,
			Needs: []gateway.Need{{Action: "events:PutTargets", Resources: []string{rule}, Keys: map[string][]string{"events:TargetArn": {"a"}}}, pass},
		},
		on("RemoveTargets", `{"Rule":"r","Ids":["1"]}`, rule), on("ListTargetsByRule", `{"Rule":"r"}`, rule),
		{
			Operation: "PutEvents", Input: `{"Entries":[{"Source":"shop","DetailType":"Sold","Detail":"{}","EventBusName":"orders"}]}`,
			Needs: []gateway.Need{{Action: "events:PutEvents", Resources: []string{bus}, Keys: map[string][]string{
				"events:source": {"shop"}, "events:detail-type": {"Sold"}, "events:eventBusInvocation": {"false"},
			}}},
		},
		on("TestEventPattern", `{"EventPattern":"{}","Event":"{}"}`),
		on("CreateEventBus", `{"Name":"orders"}`, bus), on("DescribeEventBus", `{"Name":"orders"}`, bus),
		on("DescribeEventBus", `{}`, prefix+"event-bus/default"),
		on("ListEventBuses", `{}`), on("DeleteEventBus", `{"Name":"orders"}`, bus),
		on("CreateConnection", `{"Name":"c","AuthorizationType":"API_KEY","AuthParameters":{"ApiKeyAuthParameters":{"ApiKeyName":"k","ApiKeyValue":"v"}}}`, prefix+"connection/c"),
		on("DescribeConnection", `{"Name":"c"}`, prefix+"connection/c"), on("ListConnections", `{}`), on("DeleteConnection", `{"Name":"c"}`, prefix+"connection/c"),
		on("CreateApiDestination", `{"Name":"d","ConnectionArn":"`+prefix+`connection/c/11111111-1111-4111-a111-111111111111","InvocationEndpoint":"http://127.0.0.1/","HttpMethod":"POST"}`,
			prefix+"api-destination/d", prefix+"connection/c"),
		on("DescribeApiDestination", `{"Name":"d"}`, prefix+"api-destination/d"), on("ListApiDestinations", `{}`),
		on("DeleteApiDestination", `{"Name":"d"}`, prefix+"api-destination/d"),
		on("TagResource", `{"ResourceARN":"`+rule+`","Tags":[{"Key":"a","Value":"b"}]}`, rule),
		on("UntagResource", `{"ResourceARN":"`+rule+`","TagKeys":["a"]}`, rule),
		on("ListTagsForResource", `{"ResourceARN":"`+rule+`"}`, rule),
	})
}
