package events

import (
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/events"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/workload"
)

func readTransformer(in *events.InputTransformer) *event.Transformer {
	if in == nil {
		return nil
	}
	return &event.Transformer{Paths: in.InputPathsMap, Template: *in.InputTemplate}
}

func readHTTP(in *events.HttpParameters) *event.HTTPParameters {
	if in == nil {
		return nil
	}
	return &event.HTTPParameters{PathValues: in.PathParameterValues, Headers: in.HeaderParameters, Query: in.QueryStringParameters}
}

// readRetry fills what a policy leaves out with AWS's default.
func readRetry(in *events.RetryPolicy) *event.RetryPolicy {
	if in == nil {
		return nil
	}
	p := event.DefaultRetry()
	if in.MaximumRetryAttempts != nil {
		p.Attempts = int(*in.MaximumRetryAttempts)
	}
	if in.MaximumEventAgeInSeconds != nil {
		p.MaxAge = time.Duration(*in.MaximumEventAgeInSeconds) * time.Second
	}
	return &p
}

func readECS(in *events.EcsParameters) *event.ECSParameters {
	if in == nil {
		return nil
	}
	out := &event.ECSParameters{
		TaskDefinitionARN: *in.TaskDefinitionArn, Count: max(1, int(member.Value(in.TaskCount))), LaunchType: string(in.LaunchType),
		PlatformVersion: member.Value(in.PlatformVersion), Group: member.Value(in.Group), EnableECSManagedTags: member.Value(in.EnableECSManagedTags),
		EnableExecuteCommand: member.Value(in.EnableExecuteCommand), PropagateTags: string(in.PropagateTags), ReferenceID: member.Value(in.ReferenceId),
		CapacityProviders: member.Some(in.CapacityProviderStrategy, func(c *events.CapacityProviderStrategyItem) event.CapacityProvider {
			return event.CapacityProvider{Name: *c.CapacityProvider, Weight: int(member.Value(c.Weight)), Base: int(member.Value(c.Base))}
		}),

		Constraints: member.Some(in.PlacementConstraints, func(c *events.PlacementConstraint) workload.Constraint {
			return workload.Constraint{Type: string(c.Type), Expression: member.Value(c.Expression)}
		}),

		Strategy: member.Some(in.PlacementStrategy, func(s *events.PlacementStrategy) workload.Strategy {
			return workload.Strategy{Type: string(s.Type), Field: member.Value(s.Field)}
		}),

		Tags: member.Some(in.Tags, readTag),
	}
	if in.NetworkConfiguration != nil && in.NetworkConfiguration.AwsvpcConfiguration != nil {
		n := in.NetworkConfiguration.AwsvpcConfiguration
		out.Network = &event.Network{Subnets: n.Subnets, SecurityGroups: n.SecurityGroups, AssignPublicIP: string(n.AssignPublicIp)}
	}
	return out
}

func showTarget(t *event.Target) events.Target {
	out := events.Target{
		Id: &t.ID, Arn: &t.ARN, RoleArn: member.Present(t.RoleARN), Input: member.Present(t.Input), InputPath: member.Present(t.InputPath), EcsParameters: showECS(t.ECS),
	}
	if t.Transformer != nil {
		out.InputTransformer = &events.InputTransformer{InputPathsMap: t.Transformer.Paths, InputTemplate: &t.Transformer.Template}
	}
	if t.HTTP != nil {
		out.HttpParameters = &events.HttpParameters{
			PathParameterValues: t.HTTP.PathValues, HeaderParameters: t.HTTP.Headers, QueryStringParameters: t.HTTP.Query,
		}
	}
	if t.Retry != nil {
		out.RetryPolicy = &events.RetryPolicy{
			MaximumRetryAttempts: new(int32(t.Retry.Attempts)), MaximumEventAgeInSeconds: new(int32(t.Retry.MaxAge / time.Second)),
		}
	}
	return out
}

func showECS(e *event.ECSParameters) *events.EcsParameters {
	if e == nil {
		return nil
	}
	out := &events.EcsParameters{
		TaskDefinitionArn: &e.TaskDefinitionARN, TaskCount: new(int32(e.Count)), LaunchType: events.LaunchType(e.LaunchType),
		PlatformVersion: member.Present(e.PlatformVersion), Group: member.Present(e.Group), EnableECSManagedTags: &e.EnableECSManagedTags,
		EnableExecuteCommand: &e.EnableExecuteCommand, PropagateTags: events.PropagateTags(e.PropagateTags), ReferenceId: member.Present(e.ReferenceID),
		CapacityProviderStrategy: member.Some(e.CapacityProviders, func(c *event.CapacityProvider) events.CapacityProviderStrategyItem {
			return events.CapacityProviderStrategyItem{CapacityProvider: &c.Name, Weight: new(int32(c.Weight)), Base: new(int32(c.Base))}
		}),

		PlacementConstraints: member.Some(e.Constraints, func(c *workload.Constraint) events.PlacementConstraint {
			return events.PlacementConstraint{Type: events.PlacementConstraintType(c.Type), Expression: member.Present(c.Expression)}
		}),

		PlacementStrategy: member.Some(e.Strategy, func(s *workload.Strategy) events.PlacementStrategy {
			return events.PlacementStrategy{Type: events.PlacementStrategyType(s.Type), Field: member.Present(s.Field)}
		}),

		Tags: member.Some(e.Tags, showTag),
	}
	if n := e.Network; n != nil {
		out.NetworkConfiguration = &events.NetworkConfiguration{AwsvpcConfiguration: &events.AwsVpcConfiguration{
			Subnets: n.Subnets, SecurityGroups: n.SecurityGroups, AssignPublicIp: events.AssignPublicIp(n.AssignPublicIP),
		}}
	}
	return out
}
