package ecs

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// readTaskSet checks a CreateTaskSet: the set it asks for, and what its tasks have
// in common.
func readTaskSet(r store.Reader, call *gateway.Call, c *cluster.Cluster, s *service.Service, in *ecs.CreateTaskSetRequest) (*service.TaskSet, *service.Template, error) {
	t := &service.TaskSet{ExternalID: member.Value(in.ExternalId), Token: member.Value(in.ClientToken), Scale: wholeService}
	if len(t.ExternalID) > maxExternal {
		return nil, nil, invalid("externalId can have at most %d characters.", maxExternal)
	}
	var err error
	if t.Tags, err = readTags(in.Tags); err != nil {
		return nil, nil, err
	}
	if in.Scale != nil {
		if t.Scale, err = readScale(in.Scale); err != nil {
			return nil, nil, err
		}
	}
	spec := s.Spec
	err = readTemplate(r, call, c, &ecs.CreateServiceRequest{
		TaskDefinition: in.TaskDefinition, LaunchType: in.LaunchType, CapacityProviderStrategy: in.CapacityProviderStrategy,
		PlatformVersion: in.PlatformVersion, NetworkConfiguration: in.NetworkConfiguration,
		LoadBalancers: in.LoadBalancers, ServiceRegistries: in.ServiceRegistries,
	}, &spec)
	return t, &spec.Template, err
}

// readScale reads a scale, in percent. AWS's Go client leaves a value of 0 out.
func readScale(in *ecs.Scale) (float64, error) {
	if in == nil {
		return 0, invalid("scale can not be empty.")
	}
	value := member.Value(in.Value)
	switch {
	case in.Unit != "" && in.Unit != ecs.ScaleUnitPercent:
		return 0, invalid("scale unit should be one of [PERCENT]")
	case !(value >= 0 && value <= wholeService):
		return 0, invalid("scale value should be between 0 and %d", wholeService)
	}
	return value, nil
}

func showTaskSets(r store.Reader, s *service.Service, tags bool) []ecs.TaskSet {
	out := []ecs.TaskSet{}
	for t := range store.TaskSets.By(r, store.TaskSetsByService, s.ARN) {
		out = append(out, *showTaskSet(r, t, tags))
	}
	return out
}

func showTaskSet(r store.Reader, t *service.TaskSet, tags bool) *ecs.TaskSet {
	d := &t.Deployment
	out := &ecs.TaskSet{
		Id: &d.ID, TaskSetArn: &t.ARN, ServiceArn: &t.ServiceARN, ClusterArn: &t.ClusterARN, ExternalId: member.Present(t.ExternalID),
		Status: new(string(d.Status)), ComputedDesiredCount: int32Of(d.Want), CreatedAt: member.Time(d.CreatedAt), UpdatedAt: member.Time(d.UpdatedAt),
		Scale:           &ecs.Scale{Value: &t.Scale, Unit: ecs.ScaleUnitPercent},
		StabilityStatus: ecs.StabilityStatusStabilizing, StabilityStatusAt: member.Time(t.SteadyAt),
		LoadBalancers: []ecs.LoadBalancer{}, ServiceRegistries: []ecs.ServiceRegistry{}, Tags: []ecs.Tag{},
	}
	if t.Steady {
		out.StabilityStatus = ecs.StabilityStatusSteadyState
	}
	if tags {
		out.Tags = showTags(t.Tags)
	}
	n := service.Counts{}
	if s, ok := store.Services.Get(r, t.ServiceARN); ok {
		n = countTasks(r, s)[d.ID]
	}
	out.RunningCount, out.PendingCount = int32Of(n.Running), int32Of(n.Pending)
	if rev, ok := store.ServiceRevisions.Get(r, d.RevisionARN); ok {
		of := &rev.Template
		out.TaskDefinition, out.LaunchType, out.CapacityProviderStrategy = member.Present(of.DefinitionARN), ecs.LaunchType(of.LaunchType), member.Some(of.Providers, showStrategyItem)
		out.PlatformVersion, out.PlatformFamily, out.NetworkConfiguration = member.Present(of.Platform()), member.Present(of.PlatformFamily), showNetwork(of.Network)
		out.LoadBalancers, out.ServiceRegistries = member.Each(of.Balancers, showBalancer), member.Each(of.Registries, showRegistry)
	}
	return out
}
