package elb

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// readSubnets finds the subnets of a balancer: those that are named, or the default ones
// of zones.
func readSubnets(r store.Reader, scope arn.Scope, ids, zones []string) ([]*network.Subnet, error) {
	switch {
	case len(ids) > 0 && len(zones) > 0:
		return nil, invalid("Only one of SubnetIds or AvailabilityZones parameter may be specified")
	case len(ids)+len(zones) == 0:
		return nil, invalid("Either AvailabilityZones or SubnetIds must be specified")
	}
	var all []*network.Subnet
	for _, id := range ids {
		s, ok := store.Subnets.Get(r, network.Key(scope, id))
		if !ok {
			return nil, fault.New(fault.SubnetNotFound, "Subnet(s) [%s] not found", id)
		}
		all = append(all, s)
	}
	for _, zone := range zones {
		s, err := defaultSubnet(r, scope, zone)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, checkSubnets(all)
}

func defaultSubnet(r store.Reader, scope arn.Scope, zone string) (*network.Subnet, error) {
	for s := range store.Subnets.Prefix(r, network.Key(scope, "")) {
		if s.Default && s.Zone == zone {
			return s, nil
		}
	}
	return nil, invalid("The default subnet of Availability Zone '%s' does not exist", zone).WithHint("name subnets in place of zones")
}

// checkSubnets wants one subnet of a zone, all of one VPC.
func checkSubnets(all []*network.Subnet) error {
	seen := map[string]bool{}
	for _, s := range all {
		switch {
		case s.VPCID != all[0].VPCID:
			return fault.New(fault.InvalidSubnet, "All subnets must belong to the same VPC")
		case seen[s.Zone]:
			return unfit("ELB cannot be attached to multiple subnets in the same AZ.")
		}
		seen[s.Zone] = true
	}
	return nil
}

func subnetsOf(b *balancer.Balancer) (ids []string) {
	for _, z := range b.Zones {
		ids = append(ids, z.SubnetID)
	}
	return ids
}

func zonesOf(b *balancer.Balancer) (names []string) {
	for _, z := range b.Zones {
		names = append(names, z.Name)
	}
	return names
}

// move gives a balancer the subnets that ids name.
func (a *API) move(tx *store.Tx, call *gateway.Call, b *balancer.Balancer, ids []string) error {
	if len(ids) == 0 {
		return unfit("A load balancer must have at least one Availability Zone")
	}
	subnets, err := readSubnets(tx, call.Scope, ids, nil)
	if err != nil {
		return err
	}
	if subnets[0].VPCID != b.VPCID {
		return fault.New(fault.InvalidSubnet, "The subnets are not in the VPC %s of the load balancer", b.VPCID)
	}
	return a.Nodes.Settle(tx, b, subnets, call.Now)
}

// with are the ids, and those that are new.
func with(have, more []string) []string {
	out := slices.Clone(have)
	for _, id := range more {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func without(have, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(have), func(id string) bool { return slices.Contains(gone, id) })
}

func (a *API) attachSubnets(ctx context.Context, call *gateway.Call, in *shape.AttachLoadBalancerToSubnetsInput) (*shape.AttachLoadBalancerToSubnetsOutput, error) {
	b, err := a.change(ctx, call, *in.LoadBalancerName, func(tx *store.Tx, b *balancer.Balancer) error {
		return a.move(tx, call, b, with(subnetsOf(b), in.Subnets))
	})
	return &shape.AttachLoadBalancerToSubnetsOutput{Subnets: subnetsOf(&b)}, err
}

func (a *API) detachSubnets(ctx context.Context, call *gateway.Call, in *shape.DetachLoadBalancerFromSubnetsInput) (*shape.DetachLoadBalancerFromSubnetsOutput, error) {
	b, err := a.change(ctx, call, *in.LoadBalancerName, func(tx *store.Tx, b *balancer.Balancer) error {
		return a.move(tx, call, b, without(subnetsOf(b), in.Subnets))
	})
	return &shape.DetachLoadBalancerFromSubnetsOutput{Subnets: subnetsOf(&b)}, err
}

func (a *API) enableZones(ctx context.Context, call *gateway.Call, in *shape.AddAvailabilityZonesInput) (*shape.AddAvailabilityZonesOutput, error) {
	b, err := a.change(ctx, call, *in.LoadBalancerName, func(tx *store.Tx, b *balancer.Balancer) error {
		ids := subnetsOf(b)
		for _, zone := range without(in.AvailabilityZones, zonesOf(b)) {
			s, err := defaultSubnet(tx, call.Scope, zone)
			if err != nil {
				return err
			}
			ids = append(ids, s.ID)
		}
		return a.move(tx, call, b, ids)
	})
	return &shape.AddAvailabilityZonesOutput{AvailabilityZones: zonesOf(&b)}, err
}

func (a *API) disableZones(ctx context.Context, call *gateway.Call, in *shape.RemoveAvailabilityZonesInput) (*shape.RemoveAvailabilityZonesOutput, error) {
	b, err := a.change(ctx, call, *in.LoadBalancerName, func(tx *store.Tx, b *balancer.Balancer) error {
		var ids []string
		for _, z := range b.Zones {
			if !slices.Contains(in.AvailabilityZones, z.Name) {
				ids = append(ids, z.SubnetID)
			}
		}
		return a.move(tx, call, b, ids)
	})
	return &shape.RemoveAvailabilityZonesOutput{AvailabilityZones: zonesOf(&b)}, err
}
