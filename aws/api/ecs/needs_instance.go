package ecs

import (
	"cmp"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
)

func instanceNeeds() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"RegisterContainerInstance": gateway.NeedsOf(func(c *gateway.Call, in *ecs.RegisterContainerInstanceRequest) []gateway.Need {
			on := []gateway.Need{{Resources: []string{clusterARN(c.Scope, member.Value(in.Cluster))}}}
			return withTags(on, within(c.Scope, "container-instance", in.Cluster, "*"), c, len(in.Tags))
		}),
		"DeregisterContainerInstance": gateway.On(func(c *gateway.Call, in *ecs.DeregisterContainerInstanceRequest) []string {
			return []string{clusterARN(c.Scope, member.Value(in.Cluster))}
		}),
		"DescribeContainerInstances": gateway.NeedsOf(func(c *gateway.Call, in *ecs.DescribeContainerInstancesRequest) []gateway.Need {
			return onInstances(c, in.Cluster, in.ContainerInstances...)
		}),
		"ListContainerInstances": gateway.On(func(c *gateway.Call, in *ecs.ListContainerInstancesRequest) []string {
			return []string{clusterARN(c.Scope, member.Value(in.Cluster))}
		}),
		"UpdateContainerInstancesState": gateway.NeedsOf(func(c *gateway.Call, in *ecs.UpdateContainerInstancesStateRequest) []gateway.Need {
			return onInstances(c, in.Cluster, in.ContainerInstances...)
		}),
		"UpdateContainerAgent": gateway.NeedsOf(func(c *gateway.Call, in *ecs.UpdateContainerAgentRequest) []gateway.Need {
			return onInstances(c, in.Cluster, member.Value(in.ContainerInstance))
		}),

		"SubmitTaskStateChange": gateway.On(func(c *gateway.Call, in *ecs.SubmitTaskStateChangeRequest) []string {
			return reported(c, in.Cluster, member.Value(in.Task))
		}),
		"SubmitContainerStateChange": gateway.On(func(c *gateway.Call, in *ecs.SubmitContainerStateChangeRequest) []string {
			return reported(c, in.Cluster, member.Value(in.Task))
		}),
		"SubmitAttachmentStateChanges": gateway.On(func(c *gateway.Call, in *ecs.SubmitAttachmentStateChangesRequest) []string {
			return []string{clusterARN(c.Scope, member.Value(in.Cluster))}
		}),

		"PutAttributes": gateway.NeedsOf(func(c *gateway.Call, in *ecs.PutAttributesRequest) []gateway.Need {
			return onInstances(c, in.Cluster, targets(in.Attributes)...)
		}),
		"DeleteAttributes": gateway.NeedsOf(func(c *gateway.Call, in *ecs.DeleteAttributesRequest) []gateway.Need {
			return onInstances(c, in.Cluster, targets(in.Attributes)...)
		}),
		"ListAttributes": gateway.On(func(c *gateway.Call, in *ecs.ListAttributesRequest) []string {
			return []string{clusterARN(c.Scope, member.Value(in.Cluster))}
		}),
	}
}

// reported is the cluster of a report: that of the task's ARN, whatever else it
// says, since that is what changes.
func reported(call *gateway.Call, cluster *string, task string) []string {
	return []string{cmp.Or(clusterOf(task), clusterARN(call.Scope, member.Value(cluster)))}
}

func targets(attributes []ecs.Attribute) []string {
	return member.Each(attributes, func(a *ecs.Attribute) string { return member.Value(a.TargetId) })
}
