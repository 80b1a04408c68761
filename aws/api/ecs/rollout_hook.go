package ecs

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// maxHooks is how many lifecycle hooks of each kind a service has.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/pause-lifecycle-hooks.html
const maxHooks = 10

// continueServiceDeployment answers a hook that waits for a person.
func (a *API) continueServiceDeployment(ctx context.Context, call *gateway.Call, in *ecs.ContinueServiceDeploymentRequest) (*ecs.ContinueServiceDeploymentResponse, error) {
	key, id := member.Value(in.ServiceDeploymentArn), member.Value(in.HookId)
	if err := checkRefs(call.Scope, "service-deployment", []string{key}); err != nil {
		return nil, err
	}
	status := service.HookSucceeded
	switch in.Action {
	case "", ecs.DeploymentLifecycleHookActionContinue:
	case ecs.DeploymentLifecycleHookActionRollback:
		status = service.HookFailed
	default:
		return nil, invalid("action should be one of [%s]", strings.Join(in.Action.Values(), ","))
	}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, ok := store.Rollouts.Get(tx, key)
		if !ok {
			return rolloutNotFound()
		}
		next, err := answered(have, id, status)
		if err != nil || next == have {
			return err
		}
		next.UpdatedAt = call.Now
		store.Rollouts.Put(tx, next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.ContinueServiceDeploymentResponse{ServiceDeploymentArn: &key}, nil
}

// answered is the rollout with a hook answered; the same when it was before.
func answered(r *service.Rollout, id string, status service.HookStatus) (*service.Rollout, error) {
	i := slices.IndexFunc(r.Hooks, func(h service.HookRun) bool { return h.ID == id })
	switch {
	case i < 0:
		return nil, invalid("The lifecycle hook %s was not found in the service deployment.", id).
			WithHint("DescribeServiceDeployments shows the hooks of the present stage in lifecycleHookDetails")
	case r.Configuration.Hooks[r.Hooks[i].Hook].Type != service.HookPause:
		return nil, invalid("The lifecycle hook %s is not a PAUSE hook.", id).WithHint("its function answers it")
	case r.Hooks[i].Status == status:
		return r, nil
	case r.Hooks[i].Status != service.HookAwaiting:
		return nil, invalid("The lifecycle hook %s cannot be continued because its status is %s.", id, r.Hooks[i].Status)
	case r.Status != service.RolloutInProgress:
		return nil, invalid("The service deployment %s cannot be continued because its status is %s.", r.ARN, r.Status)
	}
	next := *r
	next.Hooks = slices.Clone(r.Hooks)
	next.Hooks[i].Status = status
	return &next, nil
}

// checkTargets refuses hooks whose functions nobody could call.
func (a *API) checkTargets(in *ecs.DeploymentConfiguration) error {
	if in == nil {
		return nil
	}
	for i := range in.LifecycleHooks {
		target := member.Value(in.LifecycleHooks[i].HookTargetArn)
		if target != "" && (a.hooked == nil || !a.hooked(target)) {
			return invalid("The lifecycle hook target %s does not exist.", target).
				WithHint("name the address that answers for it: start berth with --hook %s=http://HOST:PORT/PATH, or use a hook of the type PAUSE", target)
		}
	}
	return nil
}

// readHooks reads lifecycle hooks; an absent list leaves those there are.
func readHooks(in []ecs.DeploymentLifecycleHook, have []service.Hook) ([]service.Hook, error) {
	if in == nil {
		return have, nil
	}
	var out []service.Hook
	count := map[string]int{}
	for i := range in {
		h, err := readHook(&in[i])
		if err != nil {
			return nil, err
		}
		if count[h.Type]++; count[h.Type] > maxHooks {
			return nil, invalid("A service can have at most %d lifecycle hooks of the type %s.", maxHooks, h.Type)
		}
		out = append(out, *h)
	}
	return out, nil
}

func readHook(in *ecs.DeploymentLifecycleHook) (*service.Hook, error) {
	h := &service.Hook{
		Type: string(in.TargetType), Target: member.Value(in.HookTargetArn), Role: member.Value(in.RoleArn),
		Stages: words[service.Stage](in.LifecycleStages), Details: in.HookDetails,
	}
	if h.Type == "" {
		h.Type = service.HookLambda
	}
	if err := checkStages(in.LifecycleStages, h.Type); err != nil {
		return nil, err
	}
	var object map[string]any
	switch {
	case !slices.Contains(in.TargetType.Values(), h.Type):
		return nil, invalid("lifecycle hook target type should be one of [%s]", strings.Join(in.TargetType.Values(), ","))
	case h.Type == service.HookLambda && h.Target == "":
		return nil, invalid("hookTargetArn can not be empty for a lifecycle hook of the type AWS_LAMBDA.")
	case h.Type == service.HookPause && (h.Target != "" || h.Role != ""):
		return nil, invalid("hookTargetArn and roleArn are not valid for a lifecycle hook of the type PAUSE.")
	case h.Details != nil && json.Unmarshal(h.Details, &object) != nil:
		return nil, invalid("hookDetails should be a JSON object.")
	}
	return h, readHookTimeout(in.TimeoutConfiguration, h)
}

func checkStages(stages []ecs.DeploymentLifecycleHookStage, kind string) error {
	if len(stages) == 0 {
		return invalid("lifecycleStages can not be empty.")
	}
	for _, s := range stages {
		if !slices.Contains(s.Values(), string(s)) {
			return invalid("lifecycle stage should be one of [%s]", strings.Join(s.Values(), ","))
		}
		if shifting := s == ecs.DeploymentLifecycleHookStageTestTrafficShift || s == ecs.DeploymentLifecycleHookStageProductionTrafficShift; shifting && kind == service.HookPause {
			return invalid("PAUSE lifecycle hooks are not supported at the %s stage.", s)
		}
	}
	return nil
}

func readHookTimeout(in *ecs.DeploymentLifecycleHookTimeoutConfiguration, h *service.Hook) error {
	if in == nil {
		return nil
	}
	if in.Action != "" && !slices.Contains(in.Action.Values(), string(in.Action)) {
		return invalid("timeout action should be one of [%s]", strings.Join(in.Action.Values(), ","))
	}
	h.TimeoutMinutes, h.TimeoutAction = int(member.Value(in.TimeoutInMinutes)), string(in.Action)
	return nil
}
