package ecs

import (
	"cmp"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
)

func instanceNeeds() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"RegisterContainerInstance": gateway.NeedsOf(func(c *gateway.Call, in *ecs.RegisterContainerInstanceRequest) []gateway.Need {
			on := []gateway.Need{{Resources: []string{clusterARN(c.Scope, deref(in.Cluster))}}}
			return withTags(on, within(c.Scope, "container-instance", in.Cluster, "*"), c, len(in.Tags))
		}),
		"DeregisterContainerInstance": gateway.On(func(c *gateway.Call, in *ecs.DeregisterContainerInstanceRequest) []string {
			return []string{clusterARN(c.Scope, deref(in.Cluster))}
		}),
		"DescribeContainerInstances": gateway.NeedsOf(func(c *gateway.Call, in *ecs.DescribeContainerInstancesRequest) []gateway.Need {
			return onInstances(c, in.Cluster, in.ContainerInstances...)
		}),
		"ListContainerInstances": gateway.On(func(c *gateway.Call, in *ecs.ListContainerInstancesRequest) []string {
			return []string{clusterARN(c.Scope, deref(in.Cluster))}
		}),
		"UpdateContainerInstancesState": gateway.NeedsOf(func(c *gateway.Call, in *ecs.UpdateContainerInstancesStateRequest) []gateway.Need {
			return onInstances(c, in.Cluster, in.ContainerInstances...)
		}),
		"UpdateContainerAgent": gateway.NeedsOf(func(c *gateway.Call, in *ecs.UpdateContainerAgentRequest) []gateway.Need {
			return onInstances(c, in.Cluster, deref(in.ContainerInstance))
		}),

		"SubmitTaskStateChange": gateway.On(func(c *gateway.Call, in *ecs.SubmitTaskStateChangeRequest) []string {
			return reported(c, in.Cluster, deref(in.Task))
		}),
		"SubmitContainerStateChange": gateway.On(func(c *gateway.Call, in *ecs.SubmitContainerStateChangeRequest) []string {
			return reported(c, in.Cluster, deref(in.Task))
		}),
		"SubmitAttachmentStateChanges": gateway.On(func(c *gateway.Call, in *ecs.SubmitAttachmentStateChangesRequest) []string {
			return []string{clusterARN(c.Scope, deref(in.Cluster))}
		}),

		"PutAttributes": gateway.NeedsOf(func(c *gateway.Call, in *ecs.PutAttributesRequest) []gateway.Need {
			return onInstances(c, in.Cluster, targets(in.Attributes)...)
		}),
		"DeleteAttributes": gateway.NeedsOf(func(c *gateway.Call, in *ecs.DeleteAttributesRequest) []gateway.Need {
			return onInstances(c, in.Cluster, targets(in.Attributes)...)
		}),
		"ListAttributes": gateway.On(func(c *gateway.Call, in *ecs.ListAttributesRequest) []string {
			return []string{clusterARN(c.Scope, deref(in.Cluster))}
		}),
	}
}

// reported is the cluster of a report: that of the task's ARN, whatever else it
// says, since that is what changes.
func reported(call *gateway.Call, cluster *string, task string) []string {
	return []string{cmp.Or(clusterOf(task), clusterARN(call.Scope, deref(cluster)))}
}

func targets(attributes []ecs.Attribute) []string {
	return each(attributes, func(a *ecs.Attribute) string { return deref(a.TargetId) })
}
