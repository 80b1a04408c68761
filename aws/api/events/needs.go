package events

import (
	"encoding/json"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/events"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/store"
)

// principal is what EventBridge is in trust policies, and to whom roles are passed.
const principal = "events.amazonaws.com"

// Needs says by operation what its callers must be allowed to do.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
func (a *API) Needs() map[string]gateway.Needs {
	named := func(call *gateway.Call, bus, rule *string) []gateway.Need { return a.onRule(call, bus, rule, nil) }
	return map[string]gateway.Needs{
		"PutRule":    gateway.NeedsOf(a.putRuleNeeds),
		"PutTargets": gateway.NeedsOf(a.putTargetsNeeds),
		"DeleteRule": gateway.NeedsOf(func(c *gateway.Call, in *events.DeleteRuleRequest) []gateway.Need {
			return named(c, in.EventBusName, in.Name)
		}),
		"DescribeRule": gateway.NeedsOf(func(c *gateway.Call, in *events.DescribeRuleRequest) []gateway.Need {
			return named(c, in.EventBusName, in.Name)
		}),
		"EnableRule": gateway.NeedsOf(func(c *gateway.Call, in *events.EnableRuleRequest) []gateway.Need {
			return named(c, in.EventBusName, in.Name)
		}),
		"DisableRule": gateway.NeedsOf(func(c *gateway.Call, in *events.DisableRuleRequest) []gateway.Need {
			return named(c, in.EventBusName, in.Name)
		}),
		"RemoveTargets": gateway.NeedsOf(func(c *gateway.Call, in *events.RemoveTargetsRequest) []gateway.Need {
			return named(c, in.EventBusName, in.Rule)
		}),
		"ListTargetsByRule": gateway.NeedsOf(func(c *gateway.Call, in *events.ListTargetsByRuleRequest) []gateway.Need {
			return named(c, in.EventBusName, in.Rule)
		}),

		"PutEvents": gateway.NeedsOf(putEventsNeeds),
		"CreateEventBus": gateway.NeedsOf(func(c *gateway.Call, in *events.CreateEventBusRequest) []gateway.Need {
			return needsTagging(gateway.Need{Resources: []string{busOf(c.Scope, in.Name)}}, in.Tags)
		}),
		"DescribeEventBus": gateway.On(func(c *gateway.Call, in *events.DescribeEventBusRequest) []string {
			return []string{busOf(c.Scope, in.Name)}
		}),
		"DeleteEventBus": gateway.On(func(c *gateway.Call, in *events.DeleteEventBusRequest) []string {
			return []string{busOf(c.Scope, in.Name)}
		}),

		"CreateConnection": gateway.On(func(c *gateway.Call, in *events.CreateConnectionRequest) []string {
			return []string{c.Scope.Of("events", "connection/"+member.Value(in.Name))}
		}),
		"DescribeConnection": gateway.On(func(c *gateway.Call, in *events.DescribeConnectionRequest) []string {
			return []string{c.Scope.Of("events", "connection/"+member.Value(in.Name))}
		}),
		"DeleteConnection": gateway.On(func(c *gateway.Call, in *events.DeleteConnectionRequest) []string {
			return []string{c.Scope.Of("events", "connection/"+member.Value(in.Name))}
		}),
		"CreateApiDestination": gateway.On(func(c *gateway.Call, in *events.CreateApiDestinationRequest) []string {
			return []string{c.Scope.Of("events", "api-destination/"+member.Value(in.Name)), withoutID(member.Value(in.ConnectionArn))}
		}),
		"DescribeApiDestination": gateway.On(func(c *gateway.Call, in *events.DescribeApiDestinationRequest) []string {
			return []string{c.Scope.Of("events", "api-destination/"+member.Value(in.Name))}
		}),
		"DeleteApiDestination": gateway.On(func(c *gateway.Call, in *events.DeleteApiDestinationRequest) []string {
			return []string{c.Scope.Of("events", "api-destination/"+member.Value(in.Name))}
		}),

		"TagResource": gateway.On(func(_ *gateway.Call, in *events.TagResourceRequest) []string {
			return []string{member.Value(in.ResourceARN)}
		}),
		"UntagResource": gateway.On(func(_ *gateway.Call, in *events.UntagResourceRequest) []string {
			return []string{member.Value(in.ResourceARN)}
		}),
		"ListTagsForResource": gateway.On(func(_ *gateway.Call, in *events.ListTagsForResourceRequest) []string {
			return []string{member.Value(in.ResourceARN)}
		}),
	}
}

// onRule is the need of a call about a rule. A rule that exists has its maker's
// account as a condition key.
func (a *API) onRule(call *gateway.Call, bus, rule *string, keys map[string][]string) []gateway.Need {
	name := busName(bus)
	if keys == nil {
		keys = map[string][]string{}
	}
	if r, ok := store.Rules.Get(a.store.View(), store.RuleKey(call.Scope, name, member.Value(rule))); ok {
		keys["events:creatorAccount"] = []string{r.Scope.Account}
	}
	return []gateway.Need{{Resources: []string{ruleARN(call.Scope, name, member.Value(rule))}, Keys: keys}}
}

func (a *API) putRuleNeeds(call *gateway.Call, in *events.PutRuleRequest) []gateway.Need {
	needs := a.onRule(call, in.EventBusName, in.Name, patternKeys(member.Value(in.EventPattern)))
	return append(needsTagging(needs[0], in.Tags), gateway.PassRole(member.Value(in.RoleArn), principal)...)
}

func (a *API) putTargetsNeeds(call *gateway.Call, in *events.PutTargetsRequest) []gateway.Need {
	keys := map[string][]string{}
	var passed []gateway.Need
	for i := range in.Targets {
		keys["events:TargetArn"] = append(keys["events:TargetArn"], member.Value(in.Targets[i].Arn))
		passed = append(passed, gateway.PassRole(member.Value(in.Targets[i].RoleArn), principal)...)
	}
	return append(a.onRule(call, in.EventBusName, in.Rule, keys), passed...)
}

// putEventsNeeds are one for each entry: its source and kind are condition keys.
func putEventsNeeds(call *gateway.Call, in *events.PutEventsRequest) []gateway.Need {
	var needs []gateway.Need
	for i := range in.Entries {
		e := &in.Entries[i]
		needs = append(needs, gateway.Need{
			Resources: []string{busOf(call.Scope, e.EventBusName)},
			Keys: map[string][]string{
				"events:source": {member.Value(e.Source)}, "events:detail-type": {member.Value(e.DetailType)}, "events:eventBusInvocation": {"false"},
			},
		})
	}
	return needs
}

// patternKeys are the literal sources and kinds that a pattern matches.
func patternKeys(pattern string) map[string][]string {
	var said struct {
		Source     []any `json:"source"`
		DetailType []any `json:"detail-type"`
	}
	keys := map[string][]string{}
	if json.Unmarshal([]byte(pattern), &said) != nil {
		return keys
	}
	for name, values := range map[string][]any{"events:source": said.Source, "events:detail-type": said.DetailType} {
		for _, v := range values {
			if text, ok := v.(string); ok {
				keys[name] = append(keys[name], text)
			}
		}
	}
	return keys
}

// needsTagging adds that what is born with tags is tagged, too.
func needsTagging(need gateway.Need, tags []events.Tag) []gateway.Need {
	if len(tags) == 0 {
		return []gateway.Need{need}
	}
	return []gateway.Need{need, {Action: "events:TagResource", Resources: need.Resources}}
}

// busName is the name in a bus's name or ARN; the default one's for nil.
func busName(ref *string) string {
	if member.Value(ref) == "" {
		return event.DefaultBus
	}
	return arn.NameOf(*ref)
}

// busOf is the ARN of a bus by name or ARN.
func busOf(scope arn.Scope, ref *string) string {
	if arn.IsARN(member.Value(ref)) {
		return *ref
	}
	return busARN(scope, busName(ref))
}

// withoutID is how policies name a connection: its ARN without the id at the end.
func withoutID(connection string) string {
	a, err := arn.Parse(connection)
	if err != nil || len(a.Path()) != 2 {
		return connection
	}
	a.Resource = "connection/" + a.Path()[0]
	return a.String()
}
