package ecs

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
)

func (a *API) serviceNeeds() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"CreateService": gateway.NeedsOf(a.createServiceNeeds),
		"UpdateService": gateway.NeedsOf(a.updateServiceNeeds),
		"DeleteService": gateway.NeedsOf(func(c *gateway.Call, in *ecs.DeleteServiceRequest) []gateway.Need {
			return onServices(c, in.Cluster, member.Value(in.Service))
		}),
		"DescribeServices": gateway.NeedsOf(func(c *gateway.Call, in *ecs.DescribeServicesRequest) []gateway.Need {
			return onServices(c, in.Cluster, in.Services...)
		}),
		"ListServices": gateway.NeedsOf(func(c *gateway.Call, in *ecs.ListServicesRequest) []gateway.Need {
			return []gateway.Need{{Keys: inCluster(clusterARN(c.Scope, member.Value(in.Cluster)))}}
		}),
		"ListServicesByNamespace": gateway.NeedsOf(func(_ *gateway.Call, in *ecs.ListServicesByNamespaceRequest) []gateway.Need {
			return []gateway.Need{{Keys: map[string][]string{"ecs:namespace": {member.Value(in.Namespace)}}}}
		}),
		"ListServiceDeployments": gateway.NeedsOf(func(c *gateway.Call, in *ecs.ListServiceDeploymentsRequest) []gateway.Need {
			return onServices(c, in.Cluster, member.Value(in.Service))
		}),
		"UpdateServicePrimaryTaskSet": gateway.NeedsOf(func(c *gateway.Call, in *ecs.UpdateServicePrimaryTaskSetRequest) []gateway.Need {
			return onServices(c, in.Cluster, member.Value(in.Service))
		}),
	}
}

// onServices is the own action on services of a cluster.
func onServices(call *gateway.Call, cluster *string, refs ...string) []gateway.Need {
	return inside(call, "service", cluster, refs)
}

func (a *API) createServiceNeeds(call *gateway.Call, in *ecs.CreateServiceRequest) []gateway.Need {
	on := onServices(call, in.Cluster, member.Value(in.ServiceName))
	k := conditions(on[0].Keys)
	k.flag("ecs:enable-ecs-managed-tags", new(member.Value(in.EnableECSManagedTags)))
	k.flag("ecs:enable-execute-command", new(member.Value(in.EnableExecuteCommand)))
	k.text("ecs:propagate-tags", string(in.PropagateTags))
	k.volumes(true, len(in.VolumeConfigurations))
	k.providers(call.Scope, nil, in.CapacityProviderStrategy)
	k.network(in.NetworkConfiguration)
	k.connect(in.ServiceConnectConfiguration)
	k.lattice(in.VpcLatticeConfigurations)
	a.definitionKeys(k, call.Scope, in.TaskDefinition)
	needs := withTags(on, on[0].Resources[0], call, len(in.Tags))
	needs = append(needs, a.passDefinition(call.Scope, member.Value(in.TaskDefinition), &ecs.TaskOverride{})...)
	needs = append(needs, gateway.PassRole(roleARN(call.Scope, member.Value(in.Role)), ecsPrincipal)...)
	return append(needs, passInfrastructure(in.VolumeConfigurations, in.LoadBalancers, in.VpcLatticeConfigurations, in.DeploymentConfiguration)...)
}

func (a *API) updateServiceNeeds(call *gateway.Call, in *ecs.UpdateServiceRequest) []gateway.Need {
	needs := onServices(call, in.Cluster, member.Value(in.Service))
	k := conditions(needs[0].Keys)
	k.flag("ecs:enable-ecs-managed-tags", in.EnableECSManagedTags)
	k.flag("ecs:enable-execute-command", in.EnableExecuteCommand)
	k.text("ecs:propagate-tags", string(in.PropagateTags))
	k.volumes(in.VolumeConfigurations != nil, len(in.VolumeConfigurations))
	k.providers(call.Scope, nil, in.CapacityProviderStrategy)
	k.network(in.NetworkConfiguration)
	k.connect(in.ServiceConnectConfiguration)
	k.lattice(in.VpcLatticeConfigurations)
	a.definitionKeys(k, call.Scope, in.TaskDefinition)
	if in.TaskDefinition != nil {
		needs = append(needs, a.passDefinition(call.Scope, *in.TaskDefinition, &ecs.TaskOverride{})...)
	}
	return append(needs, passInfrastructure(in.VolumeConfigurations, in.LoadBalancers, in.VpcLatticeConfigurations, in.DeploymentConfiguration)...)
}

// definitionKeys are what a definition says of the tasks of a service.
func (a *API) definitionKeys(k conditions, scope arn.Scope, ref *string) {
	if member.Value(ref) == "" {
		return
	}
	k.text("ecs:task-definition", a.definitionARN(scope, *ref))
	if d := a.definition(scope, *ref); d != nil {
		k.text("ecs:task-cpu", d.CPU)
		k.text("ecs:task-memory", d.Memory)
	}
}

// passInfrastructure hands ECS the roles by which it handles volumes, load balancers
// and the hooks of deployments.
func passInfrastructure(volumes []ecs.ServiceVolumeConfiguration, balancers []ecs.LoadBalancer, lattice []ecs.VpcLatticeConfiguration, d *ecs.DeploymentConfiguration) []gateway.Need {
	var needs []gateway.Need
	pass := func(role *string) { needs = append(needs, gateway.PassRole(member.Value(role), ecsPrincipal)...) }
	for i := range volumes {
		if v := volumes[i].ManagedEBSVolume; v != nil {
			pass(v.RoleArn)
		}
	}
	for i := range balancers {
		if more := balancers[i].AdvancedConfiguration; more != nil {
			pass(more.RoleArn)
		}
	}
	for i := range lattice {
		pass(lattice[i].RoleArn)
	}
	if d != nil {
		for i := range d.LifecycleHooks {
			pass(d.LifecycleHooks[i].RoleArn)
		}
	}
	return needs
}

func deploymentNeeds() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"DescribeServiceDeployments": gateway.NeedsOf(func(_ *gateway.Call, in *ecs.DescribeServiceDeploymentsRequest) []gateway.Need {
			return ofOwner("service", in.ServiceDeploymentArns)
		}),
		"StopServiceDeployment": gateway.NeedsOf(func(_ *gateway.Call, in *ecs.StopServiceDeploymentRequest) []gateway.Need {
			return ofOwner("service", []string{member.Value(in.ServiceDeploymentArn)})
		}),
		"ContinueServiceDeployment": gateway.NeedsOf(func(_ *gateway.Call, in *ecs.ContinueServiceDeploymentRequest) []gateway.Need {
			return ofOwner("service", []string{member.Value(in.ServiceDeploymentArn)})
		}),
		"DescribeServiceRevisions": gateway.NeedsOf(func(_ *gateway.Call, in *ecs.DescribeServiceRevisionsRequest) []gateway.Need {
			return ofOwner("service", in.ServiceRevisionArns)
		}),
		"DescribeDaemonDeployments": gateway.NeedsOf(func(_ *gateway.Call, in *ecs.DescribeDaemonDeploymentsRequest) []gateway.Need {
			return ofOwner("daemon", in.DaemonDeploymentArns)
		}),
		"DescribeDaemonRevisions": gateway.NeedsOf(func(_ *gateway.Call, in *ecs.DescribeDaemonRevisionsRequest) []gateway.Need {
			return ofOwner("daemon", in.DaemonRevisionArns)
		}),
	}
}

// ofOwner is the own action on deployments or revisions, and on what they are of:
// the reference requires both.
func ofOwner(kind string, refs []string) []gateway.Need {
	var needs []gateway.Need
	for _, ref := range refs {
		a, err := arn.Parse(ref)
		if err != nil || len(a.Path()) < 3 {
			needs = append(needs, gateway.Need{Resources: []string{ref}})
			continue
		}
		owner := a
		owner.Resource = kind + "/" + a.Path()[0] + "/" + a.Path()[1]
		k := inCluster(clusterOf(ref))
		own := inCluster(clusterOf(ref))
		own.text("ecs:"+kind, owner.String())
		needs = append(needs, gateway.Need{Resources: []string{owner.String()}, Keys: k}, gateway.Need{Resources: []string{ref}, Keys: own})
	}
	if len(needs) == 0 {
		return []gateway.Need{{}} // the handler refuses it
	}
	return needs
}

func (a *API) taskSetNeeds() map[string]gateway.Needs {
	on := func(c *gateway.Call, cluster, service *string, refs ...string) []gateway.Need {
		of := within(c.Scope, "service", cluster, member.Value(service))
		k := inCluster(clusterARN(c.Scope, member.Value(cluster)))
		k.text("ecs:service", of)
		return []gateway.Need{{Keys: k, Resources: member.Each(refs, func(ref *string) string {
			if arn.IsARN(*ref) {
				return *ref
			}
			return c.Scope.TaskSet(arn.NameOf(clusterARN(c.Scope, member.Value(cluster))), arn.NameOf(of), *ref)
		})}}
	}
	return map[string]gateway.Needs{
		"CreateTaskSet": gateway.NeedsOf(func(c *gateway.Call, in *ecs.CreateTaskSetRequest) []gateway.Need {
			needs := on(c, in.Cluster, in.Service, "*")
			k := conditions(needs[0].Keys)
			k.providers(c.Scope, nil, in.CapacityProviderStrategy)
			k.text("ecs:task-definition", a.definitionARN(c.Scope, member.Value(in.TaskDefinition)))
			needs = withTags(needs, needs[0].Resources[0], c, len(in.Tags))
			needs = append(needs, a.passDefinition(c.Scope, member.Value(in.TaskDefinition), &ecs.TaskOverride{})...)
			return append(needs, passInfrastructure(nil, in.LoadBalancers, nil, nil)...)
		}),
		"UpdateTaskSet": gateway.NeedsOf(func(c *gateway.Call, in *ecs.UpdateTaskSetRequest) []gateway.Need {
			return on(c, in.Cluster, in.Service, member.Value(in.TaskSet))
		}),
		"DeleteTaskSet": gateway.NeedsOf(func(c *gateway.Call, in *ecs.DeleteTaskSetRequest) []gateway.Need {
			return on(c, in.Cluster, in.Service, member.Value(in.TaskSet))
		}),
		"DescribeTaskSets": gateway.NeedsOf(func(c *gateway.Call, in *ecs.DescribeTaskSetsRequest) []gateway.Need {
			if len(in.TaskSets) == 0 {
				return on(c, in.Cluster, in.Service, "*")
			}
			return on(c, in.Cluster, in.Service, in.TaskSets...)
		}),
	}
}
