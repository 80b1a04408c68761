package ecs

import (
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
)

// Principals that roles are handed to.
const (
	tasksPrincipal = "ecs-tasks.amazonaws.com" // a task's roles
	ecsPrincipal   = "ecs.amazonaws.com"       // those by which ECS handles volumes, load balancers and machines
)

// Needs says by operation what its callers must be allowed to do. What is not here
// knows no resources.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
func (a *API) Needs() map[string]gateway.Needs {
	needs := map[string]gateway.Needs{}
	for _, some := range []map[string]gateway.Needs{
		clusterNeeds(), providerNeeds(), a.definitionNeeds(), a.serviceNeeds(), deploymentNeeds(), a.taskSetNeeds(),
		a.daemonNeeds(), a.expressNeeds(), a.taskNeeds(), instanceNeeds(), accountNeeds(),
	} {
		for operation, need := range some {
			needs[operation] = need
		}
	}
	return needs
}

func clusterNeeds() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"CreateCluster": gateway.NeedsOf(func(c *gateway.Call, in *ecs.CreateClusterRequest) []gateway.Need {
			k := strategyKeys(c.Scope, in.CapacityProviders, in.DefaultCapacityProviderStrategy)
			k.storage(in.Configuration)
			name := clusterARN(c.Scope, member.Value(in.ClusterName))
			return withTags([]gateway.Need{{Resources: []string{name}, Keys: k}}, name, c, len(in.Tags))
		}),
		"DescribeClusters": gateway.On(func(c *gateway.Call, in *ecs.DescribeClustersRequest) []string {
			if len(in.Clusters) == 0 {
				return []string{clusterARN(c.Scope, "")}
			}
			return member.Each(in.Clusters, func(ref *string) string { return clusterARN(c.Scope, *ref) })
		}),
		"UpdateCluster": gateway.NeedsOf(func(c *gateway.Call, in *ecs.UpdateClusterRequest) []gateway.Need {
			k := conditions{}
			k.storage(in.Configuration)
			return []gateway.Need{{Resources: []string{clusterARN(c.Scope, member.Value(in.Cluster))}, Keys: k}}
		}),
		"UpdateClusterSettings": gateway.On(func(c *gateway.Call, in *ecs.UpdateClusterSettingsRequest) []string {
			return []string{clusterARN(c.Scope, member.Value(in.Cluster))}
		}),
		"PutClusterCapacityProviders": gateway.NeedsOf(func(c *gateway.Call, in *ecs.PutClusterCapacityProvidersRequest) []gateway.Need {
			k := strategyKeys(c.Scope, in.CapacityProviders, in.DefaultCapacityProviderStrategy)
			return []gateway.Need{{Resources: []string{clusterARN(c.Scope, member.Value(in.Cluster))}, Keys: k}}
		}),
		"DeleteCluster": gateway.On(func(c *gateway.Call, in *ecs.DeleteClusterRequest) []string {
			return []string{clusterARN(c.Scope, member.Value(in.Cluster))}
		}),
	}
}

func providerNeeds() map[string]gateway.Needs {
	// A provider that belongs to a cluster changes what the cluster has.
	inCluster := func(c *gateway.Call, cluster *string) []gateway.Need {
		if cluster == nil {
			return nil
		}
		return []gateway.Need{{Action: "ecs:PutClusterCapacityProviders", Resources: []string{clusterARN(c.Scope, *cluster)}}}
	}
	return map[string]gateway.Needs{
		"CreateCapacityProvider": gateway.NeedsOf(func(c *gateway.Call, in *ecs.CreateCapacityProviderRequest) []gateway.Need {
			name, k := providerARN(c.Scope, member.Value(in.Name)), conditions{}
			var role string
			if p := in.ManagedInstancesProvider; p != nil {
				k.text("ecs:propagate-tags", string(p.PropagateTags))
				role = member.Value(p.InfrastructureRoleArn)
			}
			needs := append([]gateway.Need{{Resources: []string{name}, Keys: k}}, inCluster(c, in.Cluster)...)
			return append(withTags(needs, name, c, len(in.Tags)), gateway.PassRole(role, ecsPrincipal)...)
		}),
		"DescribeCapacityProviders": gateway.On(func(c *gateway.Call, in *ecs.DescribeCapacityProvidersRequest) []string {
			if len(in.CapacityProviders) == 0 {
				return []string{c.Scope.CapacityProvider("*")}
			}
			return member.Each(in.CapacityProviders, func(ref *string) string { return providerARN(c.Scope, *ref) })
		}),
		"UpdateCapacityProvider": gateway.NeedsOf(func(c *gateway.Call, in *ecs.UpdateCapacityProviderRequest) []gateway.Need {
			k := conditions{}
			var role string
			if p := in.ManagedInstancesProvider; p != nil {
				k.text("ecs:propagate-tags", string(p.PropagateTags))
				role = member.Value(p.InfrastructureRoleArn)
			}
			needs := append([]gateway.Need{{Resources: []string{providerARN(c.Scope, member.Value(in.Name))}, Keys: k}}, inCluster(c, in.Cluster)...)
			return append(needs, gateway.PassRole(role, ecsPrincipal)...)
		}),
		"DeleteCapacityProvider": gateway.NeedsOf(func(c *gateway.Call, in *ecs.DeleteCapacityProviderRequest) []gateway.Need {
			return append([]gateway.Need{{Resources: []string{providerARN(c.Scope, member.Value(in.CapacityProvider))}}}, inCluster(c, in.Cluster)...)
		}),
	}
}

func accountNeeds() map[string]gateway.Needs {
	setting := func(name ecs.SettingName) []gateway.Need {
		return []gateway.Need{{Keys: map[string][]string{"ecs:account-setting": {string(name)}}}}
	}
	return map[string]gateway.Needs{
		"TagResource": gateway.On(func(_ *gateway.Call, in *ecs.TagResourceRequest) []string {
			return []string{member.Value(in.ResourceArn)}
		}),
		"UntagResource": gateway.On(func(_ *gateway.Call, in *ecs.UntagResourceRequest) []string {
			return []string{member.Value(in.ResourceArn)}
		}),
		"ListTagsForResource": gateway.On(func(_ *gateway.Call, in *ecs.ListTagsForResourceRequest) []string {
			return []string{member.Value(in.ResourceArn)}
		}),

		"PutAccountSetting":        gateway.NeedsOf(func(_ *gateway.Call, in *ecs.PutAccountSettingRequest) []gateway.Need { return setting(in.Name) }),
		"PutAccountSettingDefault": gateway.NeedsOf(func(_ *gateway.Call, in *ecs.PutAccountSettingDefaultRequest) []gateway.Need { return setting(in.Name) }),
		"DeleteAccountSetting":     gateway.NeedsOf(func(_ *gateway.Call, in *ecs.DeleteAccountSettingRequest) []gateway.Need { return setting(in.Name) }),
	}
}

// withTags adds that what is born with n tags is tagged, too.
func withTags(needs []gateway.Need, resource string, call *gateway.Call, n int) []gateway.Need {
	if n == 0 {
		return needs
	}
	return append(needs, gateway.Need{
		Action: "ecs:TagResource", Resources: []string{resource}, Keys: map[string][]string{"ecs:CreateAction": {call.Operation}},
	})
}

// within is the ARN that an id, name or ARN of a kind means in a cluster. ARNs of
// the old form, without the cluster, are completed.
func within(scope arn.Scope, kind string, cluster *string, ref string) string {
	a, err := arn.Parse(ref)
	if err != nil {
		return scope.Of("ecs", kind+"/"+arn.NameOf(clusterARN(scope, member.Value(cluster)))+"/"+ref)
	}
	if len(a.Path()) == 1 && a.Kind() == kind {
		a.Resource = kind + "/" + arn.NameOf(clusterARN(scope, member.Value(cluster))) + "/" + a.Name()
	}
	return a.String()
}

// clusterOf is the ARN of the cluster of an ARN whose path begins with its name.
func clusterOf(resource string) string {
	a, err := arn.Parse(resource)
	if err != nil || len(a.Path()) < 2 {
		return ""
	}
	return a.Scope().Cluster(a.Path()[0])
}
