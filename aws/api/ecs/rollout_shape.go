package ecs

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

func showBrief(r *service.Rollout) ecs.ServiceDeploymentBrief {
	return ecs.ServiceDeploymentBrief{
		ServiceDeploymentArn: &r.ARN, ServiceArn: &r.ServiceARN, ClusterArn: &r.ClusterARN, StartedAt: member.Time(r.StartedAt), CreatedAt: member.Time(r.CreatedAt),
		FinishedAt: member.Time(r.FinishedAt), TargetServiceRevisionArn: &r.Target, Status: ecs.ServiceDeploymentStatus(r.Status), StatusReason: member.Present(r.Reason),
	}
}

func showRollout(v store.Reader, r *service.Rollout) *ecs.ServiceDeployment {
	out := &ecs.ServiceDeployment{
		ServiceDeploymentArn: &r.ARN, ServiceArn: &r.ServiceARN, ClusterArn: &r.ClusterARN,
		CreatedAt: member.Time(r.CreatedAt), StartedAt: member.Time(r.StartedAt), FinishedAt: member.Time(r.FinishedAt), StoppedAt: member.Time(r.StoppedAt), UpdatedAt: member.Time(r.UpdatedAt),
		Status: ecs.ServiceDeploymentStatus(r.Status), StatusReason: member.Present(r.Reason), LifecycleStage: ecs.ServiceDeploymentLifecycleStage(r.Stage),
		DeploymentConfiguration: showConfiguration(&r.Configuration, false),
	}
	s, ok := store.Services.Get(v, r.ServiceARN)
	if !ok {
		s = &service.Service{} // forgotten: nothing of it runs
	}
	crews := countTasks(v, s)
	weighed := r.Configuration.Strategy.Shifts()
	out.TargetServiceRevision = showSummary(s, crews, r.Target, r.DeploymentID, weighed)
	out.SourceServiceRevisions = member.Each(r.Sources, func(x *service.Source) ecs.ServiceRevisionSummary {
		return *showSummary(s, crews, x.RevisionARN, x.DeploymentID, weighed)
	})

	showMonitors(s, r, out)
	if r.BackTo != "" {
		out.Rollback = &ecs.Rollback{Reason: &r.BackReason, StartedAt: member.Time(r.BackSince), ServiceRevisionArn: &r.BackTo}
	}
	out.LifecycleHookDetails = member.Some(r.Hooks, func(h *service.HookRun) ecs.DeploymentLifecycleHookDetail { return showHookRun(r, h) })
	return out
}

// showSummary shows a revision's part in a rollout: how many tasks it has and is to
// have and, where traffic is shifted, its share of it.
func showSummary(s *service.Service, crews map[string]service.Counts, revision, deployment string, weighed bool) *ecs.ServiceRevisionSummary {
	n, d := crews[deployment], s.Deployment(deployment)
	if d == nil {
		d = &service.Deployment{} // it has no tasks any more
	}
	out := &ecs.ServiceRevisionSummary{
		Arn: &revision, RequestedTaskCount: int32Of(d.Want), RunningTaskCount: int32Of(n.Running), PendingTaskCount: int32Of(n.Pending),
	}
	if weighed {
		out.RequestedProductionTrafficWeight, out.RequestedTestTrafficWeight = &d.Traffic, &d.TestTraffic
	}
	return out
}

func showMonitors(s *service.Service, r *service.Rollout, out *ecs.ServiceDeployment) {
	if b := r.Configuration.Breaker; b != nil {
		out.DeploymentCircuitBreaker = &ecs.ServiceDeploymentCircuitBreaker{
			Status: ecs.ServiceDeploymentRollbackMonitorsStatus(r.Breaker), FailureCount: int32Of(r.Failures), Threshold: int32Of(b.Limit(s.Spec.Desired)),
		}
	}
	if a := r.Configuration.Alarms; a != nil {
		out.Alarms = &ecs.ServiceDeploymentAlarms{
			Status: ecs.ServiceDeploymentRollbackMonitorsStatus(r.AlarmStatus), AlarmNames: a.Names, TriggeredAlarmNames: r.Triggered,
		}
	}
}

func showHookRun(r *service.Rollout, h *service.HookRun) ecs.DeploymentLifecycleHookDetail {
	def := &r.Configuration.Hooks[h.Hook]
	return ecs.DeploymentLifecycleHookDetail{
		HookId: &h.ID, TargetType: ecs.DeploymentLifecycleHookTargetType(def.Type), TargetArn: member.Present(def.Target),
		Status: ecs.DeploymentLifecycleHookStatus(h.Status), ExpiresAt: member.Time(h.ExpiresAt), TimeoutAction: ecs.DeploymentLifecycleHookAction(def.OnTimeout()),
	}
}

func showRevision(v store.Reader, r *service.Revision) *ecs.ServiceRevision {
	t := &r.Template
	out := &ecs.ServiceRevision{
		ServiceRevisionArn: &r.ARN, ServiceArn: &r.ServiceARN, ClusterArn: &r.ClusterARN, TaskDefinition: &t.DefinitionARN,
		LaunchType: ecs.LaunchType(t.LaunchType), CapacityProviderStrategy: member.Some(t.Providers, showStrategyItem),
		PlatformVersion: member.Present(t.Platform()), PlatformFamily: member.Present(t.PlatformFamily), NetworkConfiguration: showNetwork(t.Network),
		GuardDutyEnabled: new(false), CreatedAt: member.Time(r.CreatedAt),
		LoadBalancers: member.Some(t.Balancers, showBalancer), ServiceRegistries: member.Some(t.Registries, showRegistry), ServiceConnectConfiguration: showConnect(t.Connect),
		EcsManagedResources: showManaged(v, r),
	}
	if def, ok := store.TaskDefinitions.Get(v, t.DefinitionARN); ok {
		for i := range def.Containers {
			c := &def.Containers[i]
			image := ecs.ContainerImage{ContainerName: &c.Name, Image: &c.Image}
			for _, known := range r.Images {
				if known.Container == c.Name {
					image.ImageDigest = &known.Digest
				}
			}
			out.ContainerImages = append(out.ContainerImages, image)
		}
	}
	return out
}
