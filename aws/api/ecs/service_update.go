package ecs

import (
	"context"
	"reflect"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

func (a *API) updateService(ctx context.Context, call *gateway.Call, in *ecs.UpdateServiceRequest) (*ecs.UpdateServiceResponse, error) {
	if err := a.checkTargets(in.DeploymentConfiguration); err != nil {
		return nil, err
	}
	var next service.Service
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		c, err := activeCluster(tx, call.Scope, in.Cluster)
		if err != nil {
			return err
		}
		have, err := findService(tx, c, member.Value(in.Service))
		if err != nil {
			return err
		}
		if have.Status != service.Active {
			return serviceNotActive()
		}
		next = *have
		next.Deployments = slices.Clone(have.Deployments)
		if err := changeSpec(tx, call, c, &next.Spec, in); err != nil {
			return err
		}
		if in.LoadBalancers != nil {
			if err := a.checkBalancers(ctx, tx, &next); err != nil {
				return err
			}
		}
		if err := a.announce(tx, call, &next); err != nil {
			return err
		}
		// What runs elsewhere by capacity alone is no new revision, as AWS has it.
		if next.Spec.Controller == service.ControllerECS && (member.Value(in.ForceNewDeployment) || revised(&have.Spec.Template, &next.Spec.Template)) {
			a.begin(tx, call, &next)
		}
		if d := next.Primary(); d != nil && (next.Rollout == "" || !next.Spec.Configuration.Strategy.Shifts()) {
			d.Want = next.Spec.Desired
		}
		next.Steady = next.Steady && next.Spec.Desired == have.Spec.Desired
		unsettleSets(tx, call, &next)
		next.Version++
		store.Services.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateServiceResponse{Service: showService(v, &next, []ecs.ServiceField{ecs.ServiceFieldTags})}, nil
}

// revised tells whether a template has changed in what begins a deployment.
func revised(old, next *service.Template) bool {
	return old.DefinitionARN != next.DefinitionARN || old.PlatformVersion != next.PlatformVersion || !reflect.DeepEqual(old.Network, next.Network) ||
		!reflect.DeepEqual(old.Balancers, next.Balancers) || !reflect.DeepEqual(old.Registries, next.Registries) || !reflect.DeepEqual(old.Connect, next.Connect)
}

// changeSpec applies what an UpdateService says, and nothing else.
func changeSpec(r store.Reader, call *gateway.Call, c *cluster.Cluster, spec *service.Spec, in *ecs.UpdateServiceRequest) (err error) {
	if err = checkController(spec, in); err != nil {
		return err
	}
	if in.DesiredCount != nil {
		if spec.Scheduling == service.Daemon {
			return invalid("The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again.")
		}
		if err = readDesired(spec, *in.DesiredCount); err != nil {
			return err
		}
	}
	if err = checkUnsupported(in.VolumeConfigurations, in.VpcLatticeConfigurations, in.GatewayConnectors, in.Monitoring); err != nil {
		return err
	}
	if spec.Configuration, err = readConfiguration(in.DeploymentConfiguration, spec.Configuration, spec); err != nil {
		return err
	}
	if d := in.DeploymentConfiguration; d != nil && spec.ManagedBy == service.ManagedByECS && d.Strategy == ecs.DeploymentStrategyRolling {
		return invalid("Updating to ROLLING deployment strategy is not supported for ExpressGatewayServices.")
	}
	if err = changeSettings(spec, in); err != nil {
		return err
	}
	if err = changeTemplate(r, call, c, spec, in); err != nil {
		return err
	}
	spec.Rebalancing, err = readRebalancing(in.AvailabilityZoneRebalancing, spec, false)
	return err
}

// checkController refuses what belongs to those who deploy by task sets.
func checkController(spec *service.Spec, in *ecs.UpdateServiceRequest) error {
	if d := in.DeploymentController; d != nil && service.Controller(d.Type) != spec.Controller {
		return invalid("The deployment controller of a service cannot be changed from %s to %s.", spec.Controller, d.Type)
	}
	if spec.Controller == service.ControllerECS {
		return nil
	}
	refused := func(what string) error {
		if spec.Controller == service.ControllerCodeDeploy {
			return invalid("Unable to update %s on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.", what)
		}
		return invalid("Unable to update %s on services with an EXTERNAL deployment controller. Create a new task set instead.", what)
	}
	switch {
	case in.TaskDefinition != nil:
		return refused("task definition")
	case in.NetworkConfiguration != nil:
		return refused("network parameters")
	case in.PlatformVersion != nil:
		return refused("platform version")
	case member.Value(in.ForceNewDeployment):
		return refused("force new deployment")
	case len(in.CapacityProviderStrategy) > 0:
		return refused("capacity provider strategy")
	case in.LoadBalancers != nil:
		return refused("load balancers")
	case in.ServiceRegistries != nil:
		return refused("service registries")
	case in.ServiceConnectConfiguration != nil:
		return refused("Service Connect")
	}
	return nil
}

func changeSettings(spec *service.Spec, in *ecs.UpdateServiceRequest) error {
	if in.HealthCheckGracePeriodSeconds != nil {
		grace, err := readGrace(in.HealthCheckGracePeriodSeconds)
		if err != nil {
			return err
		}
		spec.HealthCheckGrace = grace
	}
	if in.PropagateTags != "" {
		propagate, err := readPropagate(in.PropagateTags)
		if err != nil {
			return err
		}
		spec.PropagateTags = propagate
	}
	if in.EnableECSManagedTags != nil {
		spec.ManagedTags = *in.EnableECSManagedTags
	}
	if in.EnableExecuteCommand != nil {
		spec.ExecuteCommand = *in.EnableExecuteCommand
	}
	return nil
}

// changeTemplate settles the template anew with what is said of it.
func changeTemplate(r store.Reader, call *gateway.Call, c *cluster.Cluster, spec *service.Spec, in *ecs.UpdateServiceRequest) (err error) {
	t := &spec.Template
	if t.DefinitionARN == "" {
		return nil // its task sets say what runs
	}
	if in.CapacityProviderStrategy != nil {
		if t.LaunchType, t.Providers, err = serviceCapacity(c, "", in.CapacityProviderStrategy); err != nil {
			return err
		}
	}
	launchType := placeOf(t)
	def, err := updatedDefinition(r, call, t, in)
	if err != nil {
		return err
	}
	if in.PlatformVersion != nil || (launchType == workload.Fargate) != (t.PlatformVersion != "") {
		if err = readPlatformOf(t, launchType, member.Value(in.PlatformVersion)); err != nil {
			return err
		}
	}
	if err = changePlacement(spec, in, def, launchType); err != nil {
		return err
	}
	if in.TaskDefinition != nil || in.NetworkConfiguration != nil || in.CapacityProviderStrategy != nil {
		network := in.NetworkConfiguration
		if network == nil && t.Network != nil && def.Mode() == workload.AWSVPC {
			network = showNetwork(t.Network)
		}
		if err = settleTemplate(r, call, t, def, network); err != nil {
			return err
		}
	}
	return changeConnections(r, call, c, spec, def, in)
}

// changeConnections settles how tasks are reached, where that or what it must fit
// is said anew.
func changeConnections(r store.Reader, call *gateway.Call, c *cluster.Cluster, spec *service.Spec, def *workload.Definition, in *ecs.UpdateServiceRequest) error {
	if in.TaskDefinition == nil && in.LoadBalancers == nil && in.ServiceRegistries == nil && in.ServiceConnectConfiguration == nil && in.DeploymentConfiguration == nil {
		return nil
	}
	return readConnections(r, call, c.ARN, spec, def, connections{in.LoadBalancers, in.ServiceRegistries, in.ServiceConnectConfiguration})
}

func updatedDefinition(r store.Reader, call *gateway.Call, t *service.Template, in *ecs.UpdateServiceRequest) (*workload.Definition, error) {
	if in.TaskDefinition != nil {
		return launchable(r, call, in.TaskDefinition)
	}
	if def, ok := store.TaskDefinitions.Get(r, t.DefinitionARN); ok {
		return def, nil
	}
	return nil, client("TaskDefinition not found.")
}

// changePlacement replaces constraints and strategy where they are said; an empty
// list takes them away.
func changePlacement(spec *service.Spec, in *ecs.UpdateServiceRequest, def *workload.Definition, launchType workload.LaunchType) error {
	constraints, strategy, err := readServicePlacement(in.PlacementConstraints, in.PlacementStrategy, def, spec, launchType)
	if err != nil {
		return err
	}
	if in.PlacementConstraints != nil {
		spec.Constraints = constraints
	}
	if in.PlacementStrategy != nil {
		spec.Strategy = strategy
	}
	return nil
}

func showNetwork(n *task.NetworkConfiguration) *ecs.NetworkConfiguration {
	if n == nil {
		return nil
	}
	return &ecs.NetworkConfiguration{AwsvpcConfiguration: &ecs.AwsVpcConfiguration{
		Subnets: n.Subnets, SecurityGroups: member.Each(n.SecurityGroups, func(s *string) string { return *s }), AssignPublicIp: ecs.AssignPublicIp(n.AssignPublicIP),
	}}
}
