package events

import (
	"time"

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
		TaskDefinitionARN: *in.TaskDefinitionArn, Count: max(1, int(deref(in.TaskCount))), LaunchType: string(in.LaunchType),
		PlatformVersion: deref(in.PlatformVersion), Group: deref(in.Group), EnableECSManagedTags: deref(in.EnableECSManagedTags),
		EnableExecuteCommand: deref(in.EnableExecuteCommand), PropagateTags: string(in.PropagateTags), ReferenceID: deref(in.ReferenceId),
		CapacityProviders: some(in.CapacityProviderStrategy, func(c *events.CapacityProviderStrategyItem) event.CapacityProvider {
			return event.CapacityProvider{Name: *c.CapacityProvider, Weight: int(deref(c.Weight)), Base: int(deref(c.Base))}
		}),
		Constraints: some(in.PlacementConstraints, func(c *events.PlacementConstraint) workload.Constraint {
			return workload.Constraint{Type: string(c.Type), Expression: deref(c.Expression)}
		}),
		Strategy: some(in.PlacementStrategy, func(s *events.PlacementStrategy) workload.Strategy {
			return workload.Strategy{Type: string(s.Type), Field: deref(s.Field)}
		}),
		Tags: some(in.Tags, readTag),
	}
	if in.NetworkConfiguration != nil && in.NetworkConfiguration.AwsvpcConfiguration != nil {
		n := in.NetworkConfiguration.AwsvpcConfiguration
		out.Network = &event.Network{Subnets: n.Subnets, SecurityGroups: n.SecurityGroups, AssignPublicIP: string(n.AssignPublicIp)}
	}
	return out
}

func showTarget(t *event.Target) events.Target {
	out := events.Target{
		Id: &t.ID, Arn: &t.ARN, RoleArn: text(t.RoleARN), Input: text(t.Input), InputPath: text(t.InputPath), EcsParameters: showECS(t.ECS),
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
		PlatformVersion: text(e.PlatformVersion), Group: text(e.Group), EnableECSManagedTags: &e.EnableECSManagedTags,
		EnableExecuteCommand: &e.EnableExecuteCommand, PropagateTags: events.PropagateTags(e.PropagateTags), ReferenceId: text(e.ReferenceID),
		CapacityProviderStrategy: some(e.CapacityProviders, func(c *event.CapacityProvider) events.CapacityProviderStrategyItem {
			return events.CapacityProviderStrategyItem{CapacityProvider: &c.Name, Weight: new(int32(c.Weight)), Base: new(int32(c.Base))}
		}),
		PlacementConstraints: some(e.Constraints, func(c *workload.Constraint) events.PlacementConstraint {
			return events.PlacementConstraint{Type: events.PlacementConstraintType(c.Type), Expression: text(c.Expression)}
		}),
		PlacementStrategy: some(e.Strategy, func(s *workload.Strategy) events.PlacementStrategy {
			return events.PlacementStrategy{Type: events.PlacementStrategyType(s.Type), Field: text(s.Field)}
		}),
		Tags: some(e.Tags, showTag),
	}
	if n := e.Network; n != nil {
		out.NetworkConfiguration = &events.NetworkConfiguration{AwsvpcConfiguration: &events.AwsVpcConfiguration{
			Subnets: n.Subnets, SecurityGroups: n.SecurityGroups, AssignPublicIp: events.AssignPublicIp(n.AssignPublicIP),
		}}
	}
	return out
}
