package ecs

import (
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

func showService(r store.Reader, s *service.Service, include []ecs.ServiceField) *ecs.Service {
	t, crews := &s.Spec.Template, countTasks(r, s)
	all := total(crews)
	out := &ecs.Service{
		ServiceArn: &s.ARN, ServiceName: &s.Name, ClusterArn: &s.ClusterARN, Status: new(string(s.Status)),
		LoadBalancers: member.Each(t.Balancers, showBalancer), ServiceRegistries: member.Each(t.Registries, showRegistry),
		DesiredCount: int32Of(s.Spec.Desired), RunningCount: int32Of(all.Running), PendingCount: int32Of(all.Pending),
		LaunchType: ecs.LaunchType(t.LaunchType), CapacityProviderStrategy: member.Some(t.Providers, showStrategyItem),
		PlatformVersion: member.Present(t.PlatformVersion), PlatformFamily: member.Present(t.PlatformFamily), TaskDefinition: member.Present(t.DefinitionARN),
		DeploymentConfiguration: showConfiguration(&s.Spec.Configuration, true),
		DeploymentController:    &ecs.DeploymentController{Type: ecs.DeploymentControllerType(s.Spec.Controller)},
		Deployments:             member.Each(s.Deployments, func(d *service.Deployment) ecs.Deployment { return showDeployment(r, d, crews[d.ID]) }),
		RoleArn:                 serviceRole(s), Events: showEvents(r, s), CreatedAt: member.Time(s.CreatedAt), CreatedBy: member.Present(s.CreatedBy),
		CurrentServiceDeployment: member.Present(s.LastRollout), CurrentServiceRevisions: showCurrent(s, crews),
		PlacementConstraints: member.Each(s.Spec.Constraints, showConstraint), PlacementStrategy: member.Each(s.Spec.Strategy, showStrategy),
		NetworkConfiguration: showNetwork(t.Network), HealthCheckGracePeriodSeconds: int32Of(member.Value(s.Spec.HealthCheckGrace)),
		SchedulingStrategy: ecs.SchedulingStrategy(s.Spec.Scheduling), Tags: []ecs.Tag{},
		EnableECSManagedTags: &s.Spec.ManagedTags, EnableExecuteCommand: &s.Spec.ExecuteCommand,
		PropagateTags: ecs.PropagateTags(s.Spec.PropagateTags), AvailabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing(s.Spec.Rebalancing),
		ResourceManagementType: managedBy(s),
	}
	if out.PropagateTags == "" {
		out.PropagateTags = ecs.PropagateTagsNone
	}
	if s.Spec.BySets() {
		out.TaskSets = showTaskSets(r, s, contains(include, ecs.ServiceFieldTags))
	}
	if contains(include, ecs.ServiceFieldTags) {
		out.Tags = showTags(s.Tags)
	}
	return out
}

// countTasks counts the tasks of a service by what started them.
func countTasks(r store.Reader, s *service.Service) map[string]service.Counts {
	return store.CountCrews(r, s.ClusterARN, s.Name)
}

func total(crews map[string]service.Counts) (all service.Counts) {
	for _, n := range crews {
		all.Running += n.Running
		all.Pending += n.Pending
	}
	return all
}

func showDeployment(r store.Reader, d *service.Deployment, n service.Counts) ecs.Deployment {
	out := ecs.Deployment{
		Id: &d.ID, Status: new(string(d.Status)), DesiredCount: int32Of(d.Want), RunningCount: int32Of(n.Running), PendingCount: int32Of(n.Pending),
		FailedTasks: int32Of(d.Failed), CreatedAt: member.Time(d.CreatedAt), UpdatedAt: member.Time(d.UpdatedAt),
		RolloutState: ecs.DeploymentRolloutState(d.State), RolloutStateReason: member.Present(d.Reason),
	}
	if rev, ok := store.ServiceRevisions.Get(r, d.RevisionARN); ok {
		t := &rev.Template
		out.TaskDefinition, out.LaunchType, out.CapacityProviderStrategy = member.Present(t.DefinitionARN), ecs.LaunchType(t.LaunchType), member.Some(t.Providers, showStrategyItem)
		out.PlatformFamily, out.NetworkConfiguration = member.Present(t.PlatformFamily), showNetwork(t.Network)
		out.PlatformVersion, out.ServiceConnectConfiguration = member.Present(t.Platform()), showConnect(t.Connect)
		out.ServiceConnectResources = showConnectResources(t.Connect)
	}
	return out
}

// showCurrent lists the revisions that have tasks or are to have them.
func showCurrent(s *service.Service, crews map[string]service.Counts) []ecs.ServiceCurrentRevisionSummary {
	return member.Some(s.Deployments, func(d *service.Deployment) ecs.ServiceCurrentRevisionSummary {
		n := crews[d.ID]
		return ecs.ServiceCurrentRevisionSummary{
			Arn: &d.RevisionARN, RequestedTaskCount: int32Of(d.Want), RunningTaskCount: int32Of(n.Running), PendingTaskCount: int32Of(n.Pending),
		}
	})

}

// serviceRole is the role by which ECS acts for the service: the service-linked one
// where it makes network interfaces.
func serviceRole(s *service.Service) *string {
	switch {
	case s.Spec.Role != "":
		return &s.Spec.Role
	case s.Spec.Template.Network != nil || s.Spec.Template.Connected():
		return new(s.Scope.Global("iam", "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"))
	}
	return nil
}

// showEvents lists the event log, the newest first.
func showEvents(r store.Reader, s *service.Service) []ecs.ServiceEvent {
	out := []ecs.ServiceEvent{}
	for e := range store.ServiceEvents.Prefix(r, store.ServiceEventPrefix(s.ARN)) {
		if e.Message != "" {
			out = append(out, ecs.ServiceEvent{Id: &e.ID, CreatedAt: &e.At, Message: &e.Message})
		}
	}
	slices.Reverse(out)
	return out
}

func showConstraint(c *workload.Constraint) ecs.PlacementConstraint {
	return ecs.PlacementConstraint{Type: ecs.PlacementConstraintType(c.Type), Expression: member.Present(c.Expression)}
}

func showStrategy(s *workload.Strategy) ecs.PlacementStrategy {
	return ecs.PlacementStrategy{Type: ecs.PlacementStrategyType(s.Type), Field: member.Present(s.Field)}
}

// showConfiguration shows a deployment configuration. A service always shows its
// circuit breaker.
func showConfiguration(c *service.Configuration, whole bool) *ecs.DeploymentConfiguration {
	out := &ecs.DeploymentConfiguration{
		Strategy: ecs.DeploymentStrategy(c.Strategy), MaximumPercent: int32Of(c.MaximumPercent), MinimumHealthyPercent: int32Of(c.MinimumPercent),
		BakeTimeInMinutes: int32Of(member.Value(c.BakeMinutes)), LifecycleHooks: member.Some(c.Hooks, showHook),
	}
	if b := c.Breaker; b != nil {
		out.DeploymentCircuitBreaker = &ecs.DeploymentCircuitBreaker{Enable: &b.Enable, Rollback: &b.Rollback, ResetOnHealthyTask: new(!b.KeepCount)}
		if t := b.Threshold; t != nil {
			out.DeploymentCircuitBreaker.ThresholdConfiguration = &ecs.ThresholdConfiguration{Type: ecs.ThresholdType(t.Type), Value: int32Of(t.Value)}
		}
	} else if whole {
		out.DeploymentCircuitBreaker = &ecs.DeploymentCircuitBreaker{Enable: new(false), Rollback: new(false)}
	}
	if a := c.Alarms; a != nil {
		out.Alarms = &ecs.DeploymentAlarms{AlarmNames: a.Names, Enable: &a.Enable, Rollback: &a.Rollback}
	}
	if s := c.Linear; s != nil {
		out.LinearConfiguration = &ecs.LinearConfiguration{StepPercent: &s.Percent, StepBakeTimeInMinutes: int32Of(s.BakeMinutes)}
	}
	if s := c.Canary; s != nil {
		out.CanaryConfiguration = &ecs.CanaryConfiguration{CanaryPercent: &s.Percent, CanaryBakeTimeInMinutes: int32Of(s.BakeMinutes)}
	}
	if e := c.EarlySuccess; e != nil {
		out.EarlySuccessCriteria = &ecs.DeploymentEarlySuccessCriteria{
			Enable: &e.Enable, HealthyPercent: optionalInt32(e.HealthyPercent), SourceServiceRevisionCleanup: ecs.ServiceRevisionCleanup(e.Cleanup),
		}
	}
	return out
}

func showHook(h *service.Hook) ecs.DeploymentLifecycleHook {
	out := ecs.DeploymentLifecycleHook{
		TargetType: ecs.DeploymentLifecycleHookTargetType(h.Type), HookTargetArn: member.Present(h.Target), RoleArn: member.Present(h.Role),
		LifecycleStages: words[ecs.DeploymentLifecycleHookStage](h.Stages), HookDetails: h.Details,
	}
	if h.TimeoutMinutes > 0 || h.TimeoutAction != "" {
		out.TimeoutConfiguration = &ecs.DeploymentLifecycleHookTimeoutConfiguration{Action: ecs.DeploymentLifecycleHookAction(h.TimeoutAction)}
		if h.TimeoutMinutes > 0 {
			out.TimeoutConfiguration.TimeoutInMinutes = int32Of(h.TimeoutMinutes)
		}
	}
	return out
}
