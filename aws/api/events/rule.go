package events

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/events"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/store"
)

// maxRules is how many rules a bus has.
const maxRules = 300

func (a *API) putRule(ctx context.Context, call *gateway.Call, in *events.PutRuleRequest) (*events.PutRuleResponse, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := checkRule(in); err != nil {
		return nil, err
	}
	var made *event.Rule
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		b, err := findBus(tx, call.Scope, in.EventBusName)
		if err != nil {
			return err
		}
		if in.ScheduleExpression != nil && b.Name != event.DefaultBus {
			return invalid("ScheduleExpression is supported only on the default event bus.")
		}
		made = &event.Rule{Scope: call.Scope, Bus: b.Name, Name: *in.Name, ARN: ruleARN(call.Scope, b.Name, *in.Name), Tags: tags, Start: call.Now}
		have, ok := store.Rules.Get(tx, store.RuleKey(call.Scope, b.Name, *in.Name))
		switch {
		case ok: // tags are those of the first time
			*made = *have
		case ruleCount(tx, call.Scope, b.Name) >= maxRules:
			return tooMany().WithHint("an event bus has at most %d rules", maxRules)
		}
		if err := say(made, in, call.Now); err != nil {
			return err
		}
		store.Rules.Put(tx, made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &events.PutRuleResponse{RuleArn: &made.ARN}, nil
}

func checkRule(in *events.PutRuleRequest) error {
	if member.Value(in.EventPattern) == "" && member.Value(in.ScheduleExpression) == "" {
		return invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	if member.Value(in.EventPattern) != "" {
		if _, err := event.ParsePattern(*in.EventPattern); err != nil {
			return err
		}
	}
	if member.Value(in.ScheduleExpression) != "" {
		if _, err := event.ParseSchedule(*in.ScheduleExpression); err != nil {
			return err
		}
	}
	return nil
}

// say writes into a rule what a caller says of it. What it leaves out is gone.
func say(r *event.Rule, in *events.PutRuleRequest, now time.Time) error {
	r.Pattern, r.Description, r.RoleARN = member.Value(in.EventPattern), member.Value(in.Description), member.Value(in.RoleArn)
	state := in.State
	if state == "" {
		state = events.RuleStateEnabled
	}
	schedule := member.Value(in.ScheduleExpression)
	if schedule == r.Schedule {
		return turn(r, state, now)
	}
	r.Schedule, r.Start, r.State = schedule, now, string(state)
	return r.Plan(now)
}

// turn sets a rule's state. Unless that turns it on or off, its schedule goes on.
func turn(r *event.Rule, state events.RuleState, now time.Time) error {
	was := r.State
	r.State = string(state)
	if (was == event.Disabled) == (r.State == event.Disabled) {
		return nil
	}
	return r.Plan(now)
}

func ruleARN(scope arn.Scope, bus, name string) string {
	if bus == event.DefaultBus {
		return scope.Of("events", "rule/"+name)
	}
	return scope.Of("events", "rule/"+bus+"/"+name)
}

func ruleCount(r store.Reader, scope arn.Scope, bus string) (n int) {
	for range store.Rules.Prefix(r, store.RuleKey(scope, bus, "")) {
		n++
	}
	return n
}

func findRule(r store.Reader, scope arn.Scope, bus *string, name string) (*event.Rule, error) {
	b, err := findBus(r, scope, bus)
	if err != nil {
		return nil, err
	}
	found, ok := store.Rules.Get(r, store.RuleKey(scope, b.Name, name))
	if !ok {
		return nil, missing("Rule %s does not exist on EventBus %s.", name, b.Name)
	}
	return found, nil
}

// changeRule changes a copy of a rule and stores it.
func (a *API) changeRule(ctx context.Context, scope arn.Scope, bus *string, name string, change func(*event.Rule) error) error {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := findRule(tx, scope, bus, name)
		if err != nil {
			return err
		}
		next := *have
		if err := change(&next); err != nil {
			return err
		}
		store.Rules.Put(tx, &next)
		return nil
	})
	return err
}

func (a *API) deleteRule(ctx context.Context, call *gateway.Call, in *events.DeleteRuleRequest) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		b, err := findBus(tx, call.Scope, in.EventBusName)
		if err != nil {
			return err
		}
		key := store.RuleKey(call.Scope, b.Name, *in.Name)
		if r, ok := store.Rules.Get(tx, key); ok && len(r.Targets) > 0 {
			return invalid("Rule can't be deleted since it has targets.").WithHint("remove them first: aws events remove-targets --rule %s --ids %s", r.Name, r.Targets[0].ID)
		}
		store.Rules.Delete(tx, key) // one that is not there is deleted already
		return nil
	})
	return &wire.Empty{}, err
}

func (a *API) describeRule(_ context.Context, call *gateway.Call, in *events.DescribeRuleRequest) (*events.DescribeRuleResponse, error) {
	r, err := findRule(a.store.View(), call.Scope, in.EventBusName, *in.Name)
	if err != nil {
		return nil, err
	}
	return &events.DescribeRuleResponse{
		Name: &r.Name, Arn: &r.ARN, EventPattern: member.Present(r.Pattern), ScheduleExpression: member.Present(r.Schedule), State: events.RuleState(r.State),
		Description: member.Present(r.Description), RoleArn: member.Present(r.RoleARN), EventBusName: &r.Bus, CreatedBy: &r.Scope.Account,
	}, nil
}

func (a *API) listRules(_ context.Context, call *gateway.Call, in *events.ListRulesRequest) (*events.ListRulesResponse, error) {
	p, err := readPage(in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	v := a.store.View()
	b, err := findBus(v, call.Scope, in.EventBusName)
	if err != nil {
		return nil, err
	}
	rules := store.Rules.Prefix(v, store.RuleKey(call.Scope, b.Name, member.Value(in.NamePrefix)))
	list, next := fill(p, rules, ruleName, func(*event.Rule) bool { return true })
	return &events.ListRulesResponse{NextToken: next, Rules: member.Each(list, func(r **event.Rule) events.Rule { return showRule(*r) })}, nil
}

func ruleName(r *event.Rule) string { return r.Name }

func showRule(r *event.Rule) events.Rule {
	return events.Rule{
		Name: &r.Name, Arn: &r.ARN, EventPattern: member.Present(r.Pattern), ScheduleExpression: member.Present(r.Schedule), State: events.RuleState(r.State),
		Description: member.Present(r.Description), RoleArn: member.Present(r.RoleARN), EventBusName: &r.Bus,
	}
}

func (a *API) enableRule(ctx context.Context, call *gateway.Call, in *events.EnableRuleRequest) (*wire.Empty, error) {
	return &wire.Empty{}, a.changeRule(ctx, call.Scope, in.EventBusName, *in.Name, func(r *event.Rule) error {
		return turn(r, events.RuleStateEnabled, call.Now)
	})
}

func (a *API) disableRule(ctx context.Context, call *gateway.Call, in *events.DisableRuleRequest) (*wire.Empty, error) {
	return &wire.Empty{}, a.changeRule(ctx, call.Scope, in.EventBusName, *in.Name, func(r *event.Rule) error {
		return turn(r, events.RuleStateDisabled, call.Now)
	})
}

func (a *API) listRuleNamesByTarget(_ context.Context, call *gateway.Call, in *events.ListRuleNamesByTargetRequest) (*events.ListRuleNamesByTargetResponse, error) {
	p, err := readPage(in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	v := a.store.View()
	b, err := findBus(v, call.Scope, in.EventBusName)
	if err != nil {
		return nil, err
	}
	list, next := fill(p, targeting(v, *in.TargetArn), ruleName, func(r *event.Rule) bool { return r.Scope == call.Scope && r.Bus == b.Name })
	return &events.ListRuleNamesByTargetResponse{NextToken: next, RuleNames: member.Each(list, func(r **event.Rule) string { return (*r).Name })}, nil
}

// targeting yields the rules with a target in order of name.
func targeting(r store.Reader, targetARN string) iter.Seq[*event.Rule] {
	return slices.Values(slices.SortedFunc(store.Rules.By(r, store.RulesByTarget, targetARN), func(a, b *event.Rule) int {
		return strings.Compare(a.Name, b.Name)
	}))
}
