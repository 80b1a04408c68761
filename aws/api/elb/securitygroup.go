package elb

import (
	"context"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// readGroups finds the security groups of a balancer: those that are named, or the
// VPC's default one.
func readGroups(r store.Reader, b *balancer.Balancer, ids []string) ([]string, error) {
	for _, id := range ids {
		g, ok := store.SecurityGroups.Get(r, network.Key(b.Scope, id))
		if !ok || g.VPCID != b.VPCID {
			return nil, fault.New(fault.InvalidSecurityGroup, "One or more security groups are invalid: %s", id)
		}
	}
	if len(ids) > 0 {
		return ids, nil
	}
	for g := range store.SecurityGroups.Prefix(r, network.Key(b.Scope, "")) {
		if g.VPCID == b.VPCID && g.Name == "default" {
			return []string{g.ID}, nil
		}
	}
	return nil, nil
}

func (a *API) applySecurityGroups(ctx context.Context, call *gateway.Call, in *shape.ApplySecurityGroupsToLoadBalancerInput) (*shape.ApplySecurityGroupsToLoadBalancerOutput, error) {
	b, err := a.change(ctx, call, *in.LoadBalancerName, func(tx *store.Tx, b *balancer.Balancer) (err error) {
		if len(in.SecurityGroups) == 0 {
			return unfit("A load balancer in a VPC must have at least one security group")
		}
		if b.SecurityGroups, err = readGroups(tx, b, in.SecurityGroups); err != nil {
			return err
		}
		for _, z := range b.Zones {
			if have, ok := store.Interfaces.Get(tx, network.Key(b.Scope, z.InterfaceID)); ok {
				next := *have
				next.SecurityGroups = b.SecurityGroups
				store.Interfaces.Put(tx, &next)
			}
		}
		return nil
	})
	return &shape.ApplySecurityGroupsToLoadBalancerOutput{SecurityGroups: b.SecurityGroups}, err
}

// sourceGroup is what instances let in: the name of the balancer's first group.
func sourceGroup(r store.Reader, b *balancer.Balancer) *shape.SourceSecurityGroup {
	for _, id := range b.SecurityGroups {
		if g, ok := store.SecurityGroups.Get(r, network.Key(b.Scope, id)); ok {
			return &shape.SourceSecurityGroup{OwnerAlias: &b.Scope.Account, GroupName: &g.Name}
		}
	}
	return nil
}
