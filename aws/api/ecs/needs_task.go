package ecs

import (
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

func (a *API) definitionNeeds() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"RegisterTaskDefinition": gateway.NeedsOf(func(c *gateway.Call, in *ecs.RegisterTaskDefinitionRequest) []gateway.Need {
			name, k := c.Scope.Of("ecs", "task-definition/"+member.Value(in.Family)+":*"), conditions{}
			k.list("ecs:compute-compatibility", words[string](in.RequiresCompatibilities))
			k.text("ecs:task-cpu", member.Value(in.Cpu))
			k.text("ecs:task-memory", member.Value(in.Memory))
			k.flag("ecs:privileged", new(slices.ContainsFunc(in.ContainerDefinitions, func(d ecs.ContainerDefinition) bool { return member.Value(d.Privileged) })))
			needs := withTags([]gateway.Need{{Resources: []string{name}, Keys: k}}, name, c, len(in.Tags))
			return append(needs, passRoles(c.Scope, in.TaskRoleArn, in.ExecutionRoleArn)...)
		}),
		"DeleteTaskDefinitions": gateway.On(func(c *gateway.Call, in *ecs.DeleteTaskDefinitionsRequest) []string {
			return member.Each(in.TaskDefinitions, func(ref *string) string { return a.definitionARN(c.Scope, *ref) })
		}),
		"RegisterDaemonTaskDefinition": gateway.NeedsOf(func(c *gateway.Call, in *ecs.RegisterDaemonTaskDefinitionRequest) []gateway.Need {
			name, k := c.Scope.Of("ecs", "daemon-task-definition/"+member.Value(in.Family)+":*"), conditions{}
			k.text("ecs:task-cpu", member.Value(in.Cpu))
			k.text("ecs:task-memory", member.Value(in.Memory))
			k.flag("ecs:privileged", new(slices.ContainsFunc(in.ContainerDefinitions, func(d ecs.DaemonContainerDefinition) bool { return member.Value(d.Privileged) })))
			needs := withTags([]gateway.Need{{Resources: []string{name}, Keys: k}}, name, c, len(in.Tags))
			return append(needs, passRoles(c.Scope, in.TaskRoleArn, in.ExecutionRoleArn)...)
		}),
		"DescribeDaemonTaskDefinition": gateway.On(func(c *gateway.Call, in *ecs.DescribeDaemonTaskDefinitionRequest) []string {
			return []string{a.daemonDefinitionARN(c.Scope, member.Value(in.DaemonTaskDefinition))}
		}),
		"DeleteDaemonTaskDefinition": gateway.On(func(c *gateway.Call, in *ecs.DeleteDaemonTaskDefinitionRequest) []string {
			return []string{a.daemonDefinitionARN(c.Scope, member.Value(in.DaemonTaskDefinition))}
		}),
	}
}

func (a *API) taskNeeds() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"RunTask":   gateway.NeedsOf(a.runTaskNeeds),
		"StartTask": gateway.NeedsOf(a.startTaskNeeds),
		"StopTask": gateway.NeedsOf(func(c *gateway.Call, in *ecs.StopTaskRequest) []gateway.Need {
			return onTasks(c, in.Cluster, member.Value(in.Task))
		}),
		"DescribeTasks": gateway.NeedsOf(func(c *gateway.Call, in *ecs.DescribeTasksRequest) []gateway.Need {
			return onTasks(c, in.Cluster, in.Tasks...)
		}),
		"GetTaskProtection": gateway.NeedsOf(func(c *gateway.Call, in *ecs.GetTaskProtectionRequest) []gateway.Need {
			if len(in.Tasks) == 0 {
				return onTasks(c, in.Cluster, "*")
			}
			return onTasks(c, in.Cluster, in.Tasks...)
		}),
		"UpdateTaskProtection": gateway.NeedsOf(func(c *gateway.Call, in *ecs.UpdateTaskProtectionRequest) []gateway.Need {
			return onTasks(c, in.Cluster, in.Tasks...)
		}),
		"ExecuteCommand": gateway.NeedsOf(func(c *gateway.Call, in *ecs.ExecuteCommandRequest) []gateway.Need {
			task, cluster := within(c.Scope, "task", in.Cluster, member.Value(in.Task)), clusterARN(c.Scope, member.Value(in.Cluster))
			k := inCluster(cluster)
			k.text("ecs:task", task)
			k.text("ecs:container-name", member.Value(in.Container))
			return []gateway.Need{{Resources: []string{cluster, task}, Keys: k}}
		}),
		"ListTasks": gateway.NeedsOf(func(c *gateway.Call, in *ecs.ListTasksRequest) []gateway.Need {
			at := "*"
			if member.Value(in.ContainerInstance) != "" {
				at = *in.ContainerInstance
			}
			return onInstances(c, in.Cluster, at)
		}),
	}
}

func (a *API) runTaskNeeds(call *gateway.Call, in *ecs.RunTaskRequest) []gateway.Need {
	k := inCluster(clusterARN(call.Scope, member.Value(in.Cluster)))
	k.providers(call.Scope, nil, in.CapacityProviderStrategy)
	return a.launchNeeds(call, in.Cluster, in.TaskDefinition, in.Overrides, in.VolumeConfigurations, in.EnableExecuteCommand, len(in.Tags), k)
}

func (a *API) startTaskNeeds(call *gateway.Call, in *ecs.StartTaskRequest) []gateway.Need {
	k := inCluster(clusterARN(call.Scope, member.Value(in.Cluster)))
	k.list("ecs:container-instances", member.Each(in.ContainerInstances, func(ref *string) string {
		return within(call.Scope, "container-instance", in.Cluster, *ref)
	}))
	return a.launchNeeds(call, in.Cluster, in.TaskDefinition, in.Overrides, in.VolumeConfigurations, in.EnableExecuteCommand, len(in.Tags), k)
}

// launchNeeds are what RunTask and StartTask share: the definition, its roles or
// those that take their place, and the roles that handle volumes.
func (a *API) launchNeeds(call *gateway.Call, cluster, definition *string, o *ecs.TaskOverride, volumes []ecs.TaskVolumeConfiguration, exec *bool, tags int, k conditions) []gateway.Need {
	k.flag("ecs:enable-execute-command", new(member.Value(exec)))
	k.volumes(true, len(volumes))
	needs := []gateway.Need{{Resources: []string{a.definitionARN(call.Scope, member.Value(definition))}, Keys: k}}
	needs = withTags(needs, within(call.Scope, "task", cluster, "*"), call, tags)
	if o == nil {
		o = &ecs.TaskOverride{}
	}
	needs = append(needs, a.passDefinition(call.Scope, member.Value(definition), o)...)
	for i := range volumes {
		if v := volumes[i].ManagedEBSVolume; v != nil {
			needs = append(needs, gateway.PassRole(member.Value(v.RoleArn), ecsPrincipal)...)
		}
	}
	return needs
}

// passDefinition hands the roles of a definition to its tasks, but those that an
// override takes the place of.
func (a *API) passDefinition(scope arn.Scope, ref string, o *ecs.TaskOverride) []gateway.Need {
	d := a.definition(scope, ref)
	if d == nil {
		return passRoles(scope, o.TaskRoleArn, o.ExecutionRoleArn)
	}
	task, execution := o.TaskRoleArn, o.ExecutionRoleArn
	if member.Value(task) == "" {
		task = &d.TaskRoleARN
	}
	if member.Value(execution) == "" {
		execution = &d.ExecutionRoleARN
	}
	return passRoles(scope, task, execution)
}

// passRoles hands a task its roles, each once.
func passRoles(scope arn.Scope, task, execution *string) []gateway.Need {
	a, b := roleARN(scope, member.Value(task)), roleARN(scope, member.Value(execution))
	if a == b {
		b = ""
	}
	return append(gateway.PassRole(a, tasksPrincipal), gateway.PassRole(b, tasksPrincipal)...)
}

// definition is the one that a reference means now; nil for none.
func (a *API) definition(scope arn.Scope, ref string) *workload.Definition {
	at, err := readRevision(scope, ref)
	if err != nil {
		return nil
	}
	d, ok := findDefinition(a.store.View(), scope, at)
	if !ok {
		return nil
	}
	return d
}

// definitionARN resolves a family to its newest revision. What is not there is named
// as the caller did.
func (a *API) definitionARN(scope arn.Scope, ref string) string {
	if d := a.definition(scope, ref); d != nil {
		return d.ARN
	}
	if arn.IsARN(ref) {
		return ref
	}
	return scope.Of("ecs", "task-definition/"+ref)
}

func (a *API) daemonDefinitionARN(scope arn.Scope, ref string) string {
	if d, err := findDaemonDefinition(a.store.View(), scope, ref); err == nil {
		return d.ARN
	}
	if arn.IsARN(ref) {
		return ref
	}
	return scope.Of("ecs", "daemon-task-definition/"+ref)
}

// onTasks is the own action on tasks of a cluster.
func onTasks(call *gateway.Call, cluster *string, refs ...string) []gateway.Need {
	return inside(call, "task", cluster, refs)
}

// onInstances is the own action on container instances of a cluster.
func onInstances(call *gateway.Call, cluster *string, refs ...string) []gateway.Need {
	return inside(call, "container-instance", cluster, refs)
}

func inside(call *gateway.Call, kind string, cluster *string, refs []string) []gateway.Need {
	resources := member.Each(refs, func(ref *string) string { return within(call.Scope, kind, cluster, *ref) })
	return []gateway.Need{{Resources: resources, Keys: inCluster(clusterARN(call.Scope, member.Value(cluster)))}}
}
