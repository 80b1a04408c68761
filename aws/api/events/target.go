package events

import (
	"context"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/events"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
)

// maxTargets is how many targets a rule has.
const maxTargets = 5

func (a *API) putTargets(ctx context.Context, call *gateway.Call, in *events.PutTargetsRequest) (*events.PutTargetsResponse, error) {
	var said []event.Target
	for i := range in.Targets {
		t, err := readTarget(call.Scope, &in.Targets[i])
		if err != nil {
			return nil, err
		}
		said = append(said, t)
	}
	err := a.changeRule(ctx, call.Scope, in.EventBusName, *in.Rule, func(r *event.Rule) error {
		r.Targets = slices.Clone(r.Targets)
		for _, t := range said {
			if have := r.Target(t.ID); have != nil {
				*have = t
				continue
			}
			r.Targets = append(r.Targets, t)
		}
		if len(r.Targets) > maxTargets {
			return tooMany().WithHint("a rule has at most %d targets", maxTargets)
		}
		slices.SortFunc(r.Targets, func(a, b event.Target) int { return strings.Compare(a.ID, b.ID) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &events.PutTargetsResponse{FailedEntryCount: new(int32(0)), FailedEntries: []events.PutTargetsResultEntry{}}, nil
}

func readTarget(scope arn.Scope, in *events.Target) (event.Target, error) {
	t := event.Target{
		ID: *in.Id, ARN: *in.Arn, RoleARN: member.Value(in.RoleArn), Input: member.Value(in.Input), InputPath: member.Value(in.InputPath),
		Transformer: readTransformer(in.InputTransformer), ECS: readECS(in.EcsParameters), HTTP: readHTTP(in.HttpParameters), Retry: readRetry(in.RetryPolicy),
	}
	if err := checkTarget(scope, in, &t); err != nil {
		return t, err
	}
	return t, t.CheckInput()
}

// checkTarget refuses what no event can be sent to.
func checkTarget(scope arn.Scope, in *events.Target, t *event.Target) error {
	a, err := arn.Parse(t.ARN)
	switch kind := t.Kind(); {
	case err != nil:
		return invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", t.ARN)
	case kind == event.Unsupported:
		return invalid("Targets of the service %s are not supported: %s", a.Service, t.ARN).
			WithHint("send events to a CloudWatch Logs group, to ECS tasks (the ARN of a cluster, with EcsParameters) or to an API destination")
	case a.Scope() != scope:
		return invalid("The target %s is in another account or region.", t.ARN).WithHint("rules send events within %s in %s", scope.Account, scope.Region)
	case in.DeadLetterConfig != nil:
		return invalid("DeadLetterConfig is not supported for target %s.", t.ID).WithHint("leave it out; what cannot be delivered is in the log of berth server")
	case kind != event.LogGroup && t.RoleARN == "":
		return invalid("RoleArn is required for target %s.", t.ARN)
	case kind == event.Tasks && t.ECS == nil:
		return invalid("Parameter EcsParameters is required for target %s.", t.ARN)
	case kind != event.Tasks && t.ECS != nil:
		return invalid("EcsParameters is not supported for target %s.", t.ARN)
	case kind != event.APIDestination && t.HTTP != nil:
		return invalid("HttpParameters is not supported for target %s.", t.ARN)
	}
	return checkECS(t)
}

// maxCount is how many tasks one RunTask makes.
const maxCount = 10

func checkECS(t *event.Target) error {
	switch e := t.ECS; {
	case e == nil:
	case e.Count > maxCount:
		return invalid("TaskCount of target %s must be at most %d.", t.ID, maxCount)
	case e.LaunchType != "" && len(e.CapacityProviders) > 0:
		return invalid("Target %s has both a LaunchType and a CapacityProviderStrategy.", t.ID).WithHint("give one of them")
	}
	return nil
}

func (a *API) removeTargets(ctx context.Context, call *gateway.Call, in *events.RemoveTargetsRequest) (*events.RemoveTargetsResponse, error) {
	failed := []events.RemoveTargetsResultEntry{}
	err := a.changeRule(ctx, call.Scope, in.EventBusName, *in.Rule, func(r *event.Rule) error {
		failed = failed[:0]
		for i := range in.Ids {
			if r.Target(in.Ids[i]) == nil {
				failed = append(failed, events.RemoveTargetsResultEntry{
					TargetId: &in.Ids[i], ErrorCode: new("ResourceNotFoundException"),
					ErrorMessage: new("Rule " + r.Name + " does not have target " + in.Ids[i] + " on EventBus " + r.Bus + "."),
				})
			}
		}
		r.Targets = slices.DeleteFunc(slices.Clone(r.Targets), func(t event.Target) bool { return slices.Contains(in.Ids, t.ID) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &events.RemoveTargetsResponse{FailedEntryCount: new(int32(len(failed))), FailedEntries: failed}, nil
}

func (a *API) listTargetsByRule(_ context.Context, call *gateway.Call, in *events.ListTargetsByRuleRequest) (*events.ListTargetsByRuleResponse, error) {
	p, err := readPage(in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	r, err := findRule(a.store.View(), call.Scope, in.EventBusName, *in.Rule)
	if err != nil {
		return nil, err
	}
	list, next := fill(p, slices.Values(r.Targets), func(t event.Target) string { return t.ID }, func(event.Target) bool { return true })
	return &events.ListTargetsByRuleResponse{NextToken: next, Targets: member.Each(list, showTarget)}, nil
}
