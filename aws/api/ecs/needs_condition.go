package ecs

import (
	"slices"
	"strconv"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
)

// conditions are the condition keys of a need. What a request leaves out is no key.
type conditions map[string][]string

func (k conditions) text(name, value string) {
	if value != "" {
		k[name] = []string{value}
	}
}

func (k conditions) flag(name string, value *bool) {
	if value != nil {
		k[name] = []string{strconv.FormatBool(*value)}
	}
}

func (k conditions) list(name string, values []string) {
	if len(values) > 0 {
		k[name] = values
	}
}

// inCluster is the key that everything in a cluster has.
func inCluster(cluster string) conditions {
	k := conditions{}
	k.text("ecs:cluster", cluster)
	return k
}

// strategyKeys name the capacity providers of a request.
func strategyKeys(scope arn.Scope, providers []string, strategy []ecs.CapacityProviderStrategyItem) conditions {
	k := conditions{}
	k.providers(scope, providers, strategy)
	return k
}

func (k conditions) providers(scope arn.Scope, providers []string, strategy []ecs.CapacityProviderStrategyItem) {
	var arns []string
	add := func(ref string) {
		if p := providerARN(scope, ref); ref != "" && !slices.Contains(arns, p) {
			arns = append(arns, p)
		}
	}
	for _, p := range providers {
		add(p)
	}
	for i := range strategy {
		add(member.Value(strategy[i].CapacityProvider))
	}
	k.list("ecs:capacity-provider", arns)
}

func (k conditions) storage(in *ecs.ClusterConfiguration) {
	if in != nil && in.ManagedStorageConfiguration != nil {
		k.text("ecs:fargate-ephemeral-storage-kms-key", member.Value(in.ManagedStorageConfiguration.FargateEphemeralStorageKmsKeyId))
	}
}

func (k conditions) network(in *ecs.NetworkConfiguration) {
	if in == nil || in.AwsvpcConfiguration == nil {
		return
	}
	k.list("ecs:subnet", in.AwsvpcConfiguration.Subnets)
	if in.AwsvpcConfiguration.AssignPublicIp != "" {
		k.flag("ecs:auto-assign-public-ip", new(in.AwsvpcConfiguration.AssignPublicIp == ecs.AssignPublicIpEnabled))
	}
}

func (k conditions) connect(in *ecs.ServiceConnectConfiguration) {
	if in != nil {
		k.flag("ecs:enable-service-connect", in.Enabled)
		k.text("ecs:namespace", member.Value(in.Namespace))
	}
}

// lattice and volumes: an empty list, unlike none, turns them off.
func (k conditions) lattice(in []ecs.VpcLatticeConfiguration) {
	if in != nil {
		k.flag("ecs:enable-vpc-lattice", new(len(in) > 0))
	}
}

func (k conditions) volumes(given bool, n int) {
	if given {
		k.flag("ecs:enable-ebs-volumes", new(n > 0))
	}
}
