package ecs

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity/linked"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// createExpressGatewayService makes a task definition, a service on Fargate of one
// container, and the way in to it: a URL of an Application balancer that services
// share. AWS adds scaling; here that comes with later work, and the status says so.
func (a *API) createExpressGatewayService(ctx context.Context, call *gateway.Call, in *ecs.CreateExpressGatewayServiceRequest) (*ecs.CreateExpressGatewayServiceResponse, error) {
	name := member.Value(in.ServiceName)
	if in.ServiceName == nil {
		name = "express-" + a.newID()[:8]
	}
	if err := checkServiceName(name); err != nil {
		return nil, err
	}
	if err := checkRole("infrastructureRoleArn", member.Value(in.InfrastructureRoleArn), true); err != nil {
		return nil, err
	}
	express := service.Express{InfrastructureRole: *in.InfrastructureRoleArn, HealthCheckPath: defaultHealthPath, Scaling: defaultScaling}
	wish := expressWish{
		executionRole: in.ExecutionRoleArn, taskRole: in.TaskRoleArn, container: in.PrimaryContainer, cpu: in.Cpu, memory: in.Memory,
		architecture: in.CpuArchitecture, definition: in.TaskDefinitionArn, health: in.HealthCheckPath, network: in.NetworkConfiguration, scaling: in.ScalingTarget,
	}
	if err := wish.read(&express); err != nil {
		return nil, err
	}
	c, err := activeCluster(a.store.View(), call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	way, err := a.prepareIngress(ctx, call, express.InfrastructureRole, c.Name, name)
	if err != nil {
		return nil, err
	}
	var made *service.Service
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		c, err := activeCluster(tx, call.Scope, in.Cluster)
		if err != nil {
			return err
		}
		have, ok := store.Services.Get(tx, call.Scope.Service(c.Name, name))
		switch {
		case ok && draining(tx, have):
			return invalid("Unable to Start a service that is still Draining.").WithHint("wait until the service is INACTIVE")
		case ok && have.Status == service.Active:
			return invalid("Creation of service was not idempotent.").WithHint("service %s exists; use UpdateExpressGatewayService", name)
		}
		if made, err = a.newExpress(tx, call, c, name, &wish, way, express, in.Tags); err != nil {
			return err
		}
		if ok {
			made.Sequence = have.Sequence
		}
		a.begin(tx, call, made)
		store.Services.Put(tx, made)
		return store.EnsureLinkedRole(tx, call.Scope, linked.ECS, call.Now)
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateExpressGatewayServiceResponse{Service: showExpress(v, made, true)}, nil
}

func (a *API) newExpress(tx *store.Tx, call *gateway.Call, c *cluster.Cluster, name string, wish *expressWish, way *ingress, express service.Express, tags []ecs.Tag) (*service.Service, error) {
	def, err := wish.define(tx, call, c.Name, name, nil)
	if err != nil {
		return nil, err
	}
	network, err := wish.place(tx, call.Scope, nil)
	if err != nil {
		return nil, err
	}
	if express.Ingress, err = way.make(tx, call, c.Name, name, express.HealthCheckPath, def, network); err != nil {
		return nil, err
	}
	s, err := readService(tx, call, c, &ecs.CreateServiceRequest{
		ServiceName: &name, TaskDefinition: &def.ARN, DesiredCount: int32Of(express.Scaling.Min), LaunchType: ecs.LaunchTypeFargate,
		NetworkConfiguration: network, Tags: tags, DeploymentConfiguration: expressDeployment(),
		LoadBalancers: []ecs.LoadBalancer{expressBalancer(express.Ingress, express.InfrastructureRole, def)},
	})
	if err != nil {
		return nil, err
	}
	s.Spec.ManagedBy, s.Spec.Template.Express = service.ManagedByECS, &express
	return s, nil
}

// updateExpressGatewayService changes the service as UpdateService does: what is
// not said stays, and a new revision is rolled out.
func (a *API) updateExpressGatewayService(ctx context.Context, call *gateway.Call, in *ecs.UpdateExpressGatewayServiceRequest) (*ecs.UpdateExpressGatewayServiceResponse, error) {
	wish := expressWish{
		executionRole: in.ExecutionRoleArn, taskRole: in.TaskRoleArn, container: in.PrimaryContainer, cpu: in.Cpu, memory: in.Memory,
		architecture: in.CpuArchitecture, definition: in.TaskDefinitionArn, health: in.HealthCheckPath, network: in.NetworkConfiguration, scaling: in.ScalingTarget,
	}
	var next service.Service
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := activeExpress(tx, call.Scope, member.Value(in.ServiceArn))
		if err != nil {
			return err
		}
		c, err := activeCluster(tx, call.Scope, &have.ClusterARN)
		if err != nil {
			return err
		}
		next = *have
		next.Deployments = slices.Clone(have.Deployments)
		if err := a.changeExpress(tx, call, c, &next, &wish); err != nil {
			return err
		}
		a.begin(tx, call, &next)
		next.Version++
		store.Services.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateExpressGatewayServiceResponse{Service: showExpressUpdate(v, &next)}, nil
}

func (a *API) changeExpress(tx *store.Tx, call *gateway.Call, c *cluster.Cluster, s *service.Service, wish *expressWish) error {
	express := *s.Spec.Template.Express
	if err := wish.read(&express); err != nil {
		return err
	}
	now, ok := store.TaskDefinitions.Get(tx, s.Spec.Template.DefinitionARN)
	if !ok {
		return client("TaskDefinition not found.")
	}
	def, err := wish.define(tx, call, c.Name, s.Name, now)
	if err != nil {
		return err
	}
	network, err := wish.place(tx, call.Scope, s.Spec.Template.Network)
	if err != nil {
		return err
	}
	said := &ecs.UpdateServiceRequest{
		TaskDefinition: &def.ARN, NetworkConfiguration: network, DesiredCount: int32Of(min(max(s.Spec.Desired, express.Scaling.Min), express.Scaling.Max)),
	}
	if in := express.Ingress; in != nil {
		if g := network.AwsvpcConfiguration; !slices.Contains(g.SecurityGroups, in.ServiceGroup) {
			g.SecurityGroups = append(slices.Clone(g.SecurityGroups), in.ServiceGroup)
		}
		said.LoadBalancers = []ecs.LoadBalancer{expressBalancer(in, express.InfrastructureRole, def)}
		keepIngress(tx, s, in, def)
	}
	s.Spec.Template.Express = &express
	return changeSpec(tx, call, c, &s.Spec, said)
}

func (a *API) deleteExpressGatewayService(ctx context.Context, call *gateway.Call, in *ecs.DeleteExpressGatewayServiceRequest) (*ecs.DeleteExpressGatewayServiceResponse, error) {
	var next service.Service
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := activeExpress(tx, call.Scope, member.Value(in.ServiceArn))
		if err != nil {
			return err
		}
		next = *have
		next.Status, next.Spec.Desired = service.Draining, 0
		next.Version++
		store.Services.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteExpressGatewayServiceResponse{Service: showExpress(v, &next, true)}, nil
}

func (a *API) describeExpressGatewayService(_ context.Context, call *gateway.Call, in *ecs.DescribeExpressGatewayServiceRequest) (*ecs.DescribeExpressGatewayServiceResponse, error) {
	v := a.store.View()
	s, err := findExpress(v, call.Scope, member.Value(in.ServiceArn), fault.ResourceNotFound)
	if err != nil {
		return nil, err
	}
	return &ecs.DescribeExpressGatewayServiceResponse{Service: showExpress(v, s, contains(in.Include, ecs.ExpressGatewayServiceIncludeTags))}, nil
}

// findExpress finds an Express gateway service by ARN; missing is the fault when
// there is none.
func findExpress(r store.Reader, scope arn.Scope, ref string, missing fault.Kind) (*service.Service, error) {
	parsed, err := arn.Parse(ref)
	if err != nil || parsed.Service != "ecs" || parsed.Kind() != "service" || len(parsed.Path()) != 2 {
		return nil, invalid("Invalid identifier: Unexpected resource '%s'.", ref).WithHint("an Express gateway service is named by its ARN")
	}
	s, ok := store.Services.Get(r, ref)
	switch {
	case !ok || s.Scope != scope:
		return nil, fault.New(missing, "Service not found.")
	case s.Spec.ManagedBy != service.ManagedByECS:
		return nil, invalid("The service %s is not an Express gateway service.", s.Name).WithHint("use DescribeServices, UpdateService and DeleteService")
	}
	return s, nil
}

func activeExpress(r store.Reader, scope arn.Scope, ref string) (*service.Service, error) {
	s, err := findExpress(r, scope, ref, fault.ServiceNotFound)
	switch {
	case err != nil:
		return nil, err
	case s.Status == service.Draining:
		return nil, fault.New(fault.ServiceNotActive, "Service is in DRAINING status")
	case s.Status == service.Inactive:
		return nil, fault.New(fault.ServiceNotActive, "Cannot perform this operation on a service in INACTIVE status")
	}
	return s, nil
}
