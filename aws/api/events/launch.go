package events

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/workload"
)

// Launcher runs the tasks of targets by the handlers of ECS, on behalf of the
// target's role.
type Launcher struct {
	// RunTask may refuse a call that its principal is not allowed.
	RunTask, StopTask gateway.Handler
	Now               func() time.Time
	// Assume finds a role that EventBridge may become, on behalf of a rule. The error
	// says why it may not. nil takes every role as it is named.
	Assume func(roleARN, ruleARN string) (*identity.Role, error)
}

// roleSession ends the ARN of the principal that runs tasks.
const roleSession = "EventBridge"

// become is the principal of a target: a session of its role, which PutTargets asks
// for.
func (l *Launcher) become(launch *event.Launch) (identity.Principal, error) {
	switch {
	case launch.RoleARN == "":
		return identity.Principal{}, fault.New(fault.AccessDenied, "RoleArn is required for target %s.", launch.Cluster)
	case l.Assume == nil:
		return identity.RoleSession(launch.RoleARN, roleSession), nil
	}
	role, err := l.Assume(launch.RoleARN, launch.Scope.Of("events", "rule/"+launch.Rule))
	if err != nil {
		return identity.Principal{}, fault.New(fault.AccessDenied, "EventBridge could not assume the role %s of the target.", launch.RoleARN).WithHint("%v", err)
	}
	return identity.SessionOf(role, roleSession), nil
}

func (l *Launcher) call(operation string, scope arn.Scope, who identity.Principal) *gateway.Call {
	return &gateway.Call{ID: uuid.NewString(), Service: "ecs", Operation: operation, Scope: scope, Principal: who, Now: l.Now()}
}

// Launch runs the tasks of a target.
func (l *Launcher) Launch(ctx context.Context, launch event.Launch) ([]event.LaunchFailure, error) {
	in, err := runTask(&launch)
	if err != nil {
		return nil, err
	}
	who, err := l.become(&launch)
	if err != nil {
		return nil, err
	}
	answer, err := l.RunTask(ctx, l.call("RunTask", launch.Scope, who), in)
	if err != nil {
		return nil, err
	}
	out, ok := answer.(*ecs.RunTaskResponse)
	if !ok {
		return nil, fmt.Errorf("RunTask answered a %T", answer)
	}
	return member.Some(out.Failures, func(f *ecs.Failure) event.LaunchFailure {
			return event.LaunchFailure{ARN: member.Value(f.Arn), Reason: member.Value(f.Reason), Detail: member.Value(f.Detail)}
		}),

		nil
}

// Stop asks a task to stop.
func (l *Launcher) Stop(ctx context.Context, scope arn.Scope, cluster, task, reason string) error {
	_, err := l.StopTask(ctx, l.call("StopTask", scope, identity.RootPrincipal(scope.Account)), &ecs.StopTaskRequest{Cluster: &cluster, Task: &task, Reason: &reason})
	return err
}

func runTask(l *event.Launch) (*ecs.RunTaskRequest, error) {
	p := l.Parameters
	in := &ecs.RunTaskRequest{
		Cluster: &l.Cluster, TaskDefinition: &p.TaskDefinitionARN, Count: new(int32(p.Count)), LaunchType: ecs.LaunchType(p.LaunchType),
		PlatformVersion: member.Present(p.PlatformVersion), Group: member.Present(p.Group), EnableECSManagedTags: &p.EnableECSManagedTags,
		EnableExecuteCommand: &p.EnableExecuteCommand, PropagateTags: ecs.PropagateTags(p.PropagateTags), ReferenceId: member.Present(p.ReferenceID),
		StartedBy: new(event.StartedBy(l.Rule)), ClientToken: member.Present(l.Token),
		CapacityProviderStrategy: member.Some(p.CapacityProviders, func(c *event.CapacityProvider) ecs.CapacityProviderStrategyItem {
			return ecs.CapacityProviderStrategyItem{CapacityProvider: &c.Name, Weight: new(int32(c.Weight)), Base: new(int32(c.Base))}
		}),

		PlacementConstraints: member.Some(p.Constraints, func(c *workload.Constraint) ecs.PlacementConstraint {
			return ecs.PlacementConstraint{Type: ecs.PlacementConstraintType(c.Type), Expression: member.Present(c.Expression)}
		}),

		PlacementStrategy: member.Some(p.Strategy, func(s *workload.Strategy) ecs.PlacementStrategy {
			return ecs.PlacementStrategy{Type: ecs.PlacementStrategyType(s.Type), Field: member.Present(s.Field)}
		}),

		Tags: member.Some(p.Tags, func(t *workload.Tag) ecs.Tag { return ecs.Tag{Key: &t.Key, Value: &t.Value} }),
	}
	if n := p.Network; n != nil {
		in.NetworkConfiguration = &ecs.NetworkConfiguration{AwsvpcConfiguration: &ecs.AwsVpcConfiguration{
			Subnets: n.Subnets, SecurityGroups: n.SecurityGroups, AssignPublicIp: ecs.AssignPublicIp(n.AssignPublicIP),
		}}
	}
	if l.Overrides != nil {
		in.Overrides = &ecs.TaskOverride{}
		// The members differ from Go's names by case alone, which encoding/json lets
		// pass; what is no member is not looked at, as with AWS.
		if err := json.Unmarshal(l.Overrides, in.Overrides); err != nil {
			return nil, fault.New(fault.InvalidParameter, "The input of the target is no task override.").Because(err).
				WithHint(`write {"containerOverrides": [{"name": "app", "command": ["..."]}]}`)
		}
	}
	return in, nil
}
