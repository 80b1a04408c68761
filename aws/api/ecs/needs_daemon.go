package ecs

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
)

func (a *API) daemonNeeds() map[string]gateway.Needs {
	on := func(ref *string) []gateway.Need {
		return []gateway.Need{{Resources: []string{member.Value(ref)}, Keys: inCluster(clusterOf(member.Value(ref)))}}
	}
	return map[string]gateway.Needs{
		"CreateDaemon": gateway.NeedsOf(func(c *gateway.Call, in *ecs.CreateDaemonRequest) []gateway.Need {
			cluster := clusterARN(c.Scope, member.Value(in.ClusterArn))
			name, k := c.Scope.Daemon(arn.NameOf(cluster), member.Value(in.DaemonName)), inCluster(cluster)
			k.flag("ecs:enable-ecs-managed-tags", new(member.Value(in.EnableECSManagedTags)))
			k.flag("ecs:enable-execute-command", new(member.Value(in.EnableExecuteCommand)))
			k.text("ecs:propagate-tags", string(in.PropagateTags))
			k.list("ecs:capacity-provider", in.CapacityProviderArns)
			pass := a.daemonDefinitionNeeds(c.Scope, in.DaemonTaskDefinitionArn, k)
			return append(withTags([]gateway.Need{{Resources: []string{name}, Keys: k}}, name, c, len(in.Tags)), pass...)
		}),
		"UpdateDaemon": gateway.NeedsOf(func(c *gateway.Call, in *ecs.UpdateDaemonRequest) []gateway.Need {
			needs := on(in.DaemonArn)
			k := conditions(needs[0].Keys)
			k.flag("ecs:enable-ecs-managed-tags", in.EnableECSManagedTags)
			k.flag("ecs:enable-execute-command", in.EnableExecuteCommand)
			k.text("ecs:propagate-tags", string(in.PropagateTags))
			k.list("ecs:capacity-provider", in.CapacityProviderArns)
			return append(needs, a.daemonDefinitionNeeds(c.Scope, in.DaemonTaskDefinitionArn, k)...)
		}),
		"DeleteDaemon":          gateway.NeedsOf(func(_ *gateway.Call, in *ecs.DeleteDaemonRequest) []gateway.Need { return on(in.DaemonArn) }),
		"DescribeDaemon":        gateway.NeedsOf(func(_ *gateway.Call, in *ecs.DescribeDaemonRequest) []gateway.Need { return on(in.DaemonArn) }),
		"ListDaemonDeployments": gateway.NeedsOf(func(_ *gateway.Call, in *ecs.ListDaemonDeploymentsRequest) []gateway.Need { return on(in.DaemonArn) }),
		"ListDaemons": gateway.NeedsOf(func(c *gateway.Call, in *ecs.ListDaemonsRequest) []gateway.Need {
			return []gateway.Need{{Keys: inCluster(clusterARN(c.Scope, member.Value(in.ClusterArn)))}}
		}),
	}
}

// daemonDefinitionNeeds adds the keys of a definition and hands over its roles.
func (a *API) daemonDefinitionNeeds(scope arn.Scope, ref *string, k conditions) []gateway.Need {
	if member.Value(ref) == "" {
		return nil
	}
	k.text("ecs:daemon-task-definition", a.daemonDefinitionARN(scope, *ref))
	d, err := findDaemonDefinition(a.store.View(), scope, *ref)
	if err != nil {
		return nil
	}
	k.text("ecs:task-cpu", d.CPU)
	k.text("ecs:task-memory", d.Memory)
	return passRoles(scope, &d.TaskRoleARN, &d.ExecutionRoleARN)
}

func (a *API) expressNeeds() map[string]gateway.Needs {
	on := func(ref *string) []gateway.Need {
		return []gateway.Need{{Resources: []string{member.Value(ref)}, Keys: inCluster(clusterOf(member.Value(ref)))}}
	}
	return map[string]gateway.Needs{
		"CreateExpressGatewayService": gateway.NeedsOf(a.createExpressNeeds),
		"UpdateExpressGatewayService": gateway.NeedsOf(func(c *gateway.Call, in *ecs.UpdateExpressGatewayServiceRequest) []gateway.Need {
			needs := on(in.ServiceArn)
			expressKeys(needs[0].Keys, in.NetworkConfiguration, in.Cpu, in.Memory, in.TaskDefinitionArn)
			needs = append(needs, a.defines(c.Scope, clusterOf(member.Value(in.ServiceArn)), arn.NameOf(member.Value(in.ServiceArn)), in.TaskDefinitionArn)...)
			return append(needs, passRoles(c.Scope, in.TaskRoleArn, in.ExecutionRoleArn)...)
		}),
		"DeleteExpressGatewayService": gateway.NeedsOf(func(_ *gateway.Call, in *ecs.DeleteExpressGatewayServiceRequest) []gateway.Need {
			return on(in.ServiceArn)
		}),
		"DescribeExpressGatewayService": gateway.NeedsOf(func(_ *gateway.Call, in *ecs.DescribeExpressGatewayServiceRequest) []gateway.Need {
			return on(in.ServiceArn)
		}),
	}
}

func (a *API) createExpressNeeds(call *gateway.Call, in *ecs.CreateExpressGatewayServiceRequest) []gateway.Need {
	name, cluster := "*", clusterARN(call.Scope, member.Value(in.Cluster))
	if in.ServiceName != nil {
		name = *in.ServiceName
	}
	needs := onServices(call, in.Cluster, name)
	expressKeys(needs[0].Keys, in.NetworkConfiguration, in.Cpu, in.Memory, in.TaskDefinitionArn)
	needs = withTags(needs, needs[0].Resources[0], call, len(in.Tags))
	needs = append(needs, a.defines(call.Scope, cluster, name, in.TaskDefinitionArn)...)
	needs = append(needs, passRoles(call.Scope, in.TaskRoleArn, in.ExecutionRoleArn)...)
	return append(needs, gateway.PassRole(roleARN(call.Scope, member.Value(in.InfrastructureRoleArn)), ecsPrincipal)...)
}

func expressKeys(k conditions, network *ecs.ExpressGatewayServiceNetworkConfiguration, cpu, memory, definition *string) {
	if network != nil {
		k.list("ecs:subnet", network.Subnets)
	}
	k.text("ecs:task-cpu", member.Value(cpu))
	k.text("ecs:task-memory", member.Value(memory))
	k.text("ecs:task-definition", member.Value(definition))
}

// defines is the registration of the definition that an Express service makes for
// itself; one that it is given has its roles handed over.
func (a *API) defines(scope arn.Scope, cluster, service string, given *string) []gateway.Need {
	if member.Value(given) != "" {
		return a.passDefinition(scope, *given, &ecs.TaskOverride{})
	}
	family := expressFamily(arn.NameOf(cluster), service)
	return []gateway.Need{{Action: "ecs:RegisterTaskDefinition", Resources: []string{scope.Of("ecs", "task-definition/"+family+":*")}}}
}
