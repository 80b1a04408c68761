package ecs

import (
	"slices"

	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// Limits of an awsvpc configuration.
const (
	maxSubnets        = 16
	maxSecurityGroups = 5
)

// readNetwork checks the network configuration of a run against the mode of its
// definition: awsvpc needs one, all others refuse it. Groups that are not named
// become the default one of the VPC.
func readNetwork(r store.Reader, scope arn.Scope, in *ecs.NetworkConfiguration, def *workload.Definition, launchType workload.LaunchType) (*task.NetworkConfiguration, error) {
	awsvpc := def.Mode() == workload.AWSVPC
	if in == nil || in.AwsvpcConfiguration == nil {
		if awsvpc {
			return nil, invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
		}
		return nil, nil
	}
	if !awsvpc {
		return nil, invalid("Network Configuration is not valid for the given networkMode of this task definition.")
	}
	c := in.AwsvpcConfiguration
	switch {
	case len(c.Subnets) == 0:
		return nil, invalid("subnets can not be empty.")
	case len(c.Subnets) > maxSubnets:
		return nil, invalid("subnets can have at most %d items.", maxSubnets)
	case len(c.SecurityGroups) > maxSecurityGroups:
		return nil, invalid("securityGroups can have at most %d items.", maxSecurityGroups)
	case c.AssignPublicIp != "" && !slices.Contains(c.AssignPublicIp.Values(), string(c.AssignPublicIp)):
		return nil, invalid("assignPublicIp should be one of [ENABLED,DISABLED]")
	case c.AssignPublicIp == ecs.AssignPublicIpEnabled && launchType == workload.EC2:
		return nil, invalid("Assign public IP is not supported for this launch type.")
	}
	vpc, err := vpcOf(r, scope, c.Subnets)
	if err != nil {
		return nil, err
	}
	groups, err := groupsIn(r, scope, vpc, c.SecurityGroups)
	if err != nil {
		return nil, err
	}
	out := &task.NetworkConfiguration{Subnets: c.Subnets, SecurityGroups: groups, AssignPublicIP: string(c.AssignPublicIp)}
	if out.AssignPublicIP == "" {
		out.AssignPublicIP = string(ecs.AssignPublicIpDisabled)
	}
	return out, nil
}

// vpcOf is the one VPC that all subnets lie in.
func vpcOf(r store.Reader, scope arn.Scope, subnets []string) (vpc string, err error) {
	for _, id := range subnets {
		s, ok := store.Subnets.Get(r, network.Key(scope, id))
		if !ok {
			return "", invalid("Error retrieving subnet information for [%s]: The subnet ID '%s' does not exist (ErrorCode: InvalidSubnetID.NotFound)", id, id)
		}
		if vpc != "" && s.VPCID != vpc {
			return "", invalid("The subnets should be in the same VPC.")
		}
		vpc = s.VPCID
	}
	return vpc, nil
}

func groupsIn(r store.Reader, scope arn.Scope, vpc string, ids []string) ([]string, error) {
	if len(ids) == 0 {
		for g := range store.SecurityGroups.By(r, store.SecurityGroupsByVPC, network.Key(scope, vpc)) {
			if g.Name == "default" {
				return []string{g.ID}, nil
			}
		}
		return nil, nil
	}
	for _, id := range ids {
		g, ok := store.SecurityGroups.Get(r, network.Key(scope, id))
		if !ok {
			return nil, invalid("Error retrieving security group information for [%s]: The security group '%s' does not exist (ErrorCode: InvalidGroup.NotFound)", id, id)
		}
		if g.VPCID != vpc {
			return nil, invalid("Security group %s does not appear to belong to the same VPC as the input subnets.", id)
		}
	}
	return ids, nil
}
