package ec2

import (
	"net/netip"
	"slices"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
)

type natGateway = network.NATGateway

// natMemory is how long a deleted gateway is still described.
const natMemory = time.Hour

var natKind = kind[natGateway]{
	noun: "NAT gateway", missing: fault.NatGatewayNotFound,
	id:   func(g *natGateway) string { return g.ID },
	tags: func(g *natGateway) []workload.Tag { return g.Tags },
	fields: map[string]func(*natGateway) []string{
		"nat-gateway-id": one(func(g *natGateway) string { return g.ID }),
		"state":          one(func(g *natGateway) string { return string(natState(g)) }),
		"subnet-id":      one(func(g *natGateway) string { return g.SubnetID }),
		"vpc-id":         one(func(g *natGateway) string { return g.VPCID }),
	},
}

func natState(g *natGateway) shape.NatGatewayState {
	if !g.DeletedAt.IsZero() {
		return shape.NatGatewayStateDeleted
	}
	return shape.NatGatewayStateAvailable
}

func (a *API) describeNATGateways(v *store.View, call *gateway.Call, in *shape.DescribeNatGatewaysRequest) (*shape.DescribeNatGatewaysResult, error) {
	var all []*natGateway
	for g := range store.NATGateways.Prefix(v, network.Key(call.Scope, "")) {
		if g.DeletedAt.IsZero() || call.Now.Sub(g.DeletedAt) < natMemory {
			all = append(all, g)
		}
	}
	page, next, err := derived(&natKind, all, selection{in.NatGatewayIds, in.Filter, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeNatGatewaysResult{NextToken: next, NatGateways: each(page, func(g *natGateway) shape.NatGateway { return natShape(v, g) })}, nil
}

func natShape(r store.Reader, g *natGateway) shape.NatGateway {
	s := shape.NatGateway{
		NatGatewayId: new(g.ID), VpcId: new(g.VPCID), SubnetId: new(g.SubnetID), State: natState(g), CreateTime: new(g.CreatedAt),
		ConnectivityType: shape.ConnectivityType(g.Connectivity), NatGatewayAddresses: natAddresses(r, g), Tags: tagShapes(g.Tags),
	}
	if !g.DeletedAt.IsZero() {
		s.DeleteTime = new(g.DeletedAt)
	}
	return s
}

func natAddresses(r store.Reader, g *natGateway) []shape.NatGatewayAddress {
	out := []shape.NatGatewayAddress{}
	if g.Connectivity == string(shape.ConnectivityTypePrivate) {
		first := shape.NatGatewayAddress{NetworkInterfaceId: new(g.InterfaceID), IsPrimary: new(true), Status: shape.NatGatewayAddressStatusSucceeded}
		if i, ok := store.Interfaces.Get(r, network.Key(g.Scope, g.InterfaceID)); ok {
			first.PrivateIp = new(i.PrivateIP.String())
		}
		return append(out, first)
	}
	for n, id := range append([]string{g.AllocationID}, g.Secondary...) {
		s := shape.NatGatewayAddress{AllocationId: new(id), IsPrimary: new(n == 0), Status: shape.NatGatewayAddressStatusSucceeded}
		if a, ok := store.Addresses.Get(r, network.Key(g.Scope, id)); ok {
			s.PublicIp, s.AssociationId = new(a.IP.String()), optional(a.AssociationID)
			s.NetworkInterfaceId, s.PrivateIp = optional(a.InterfaceID), optional(addressText(a.PrivateIP))
		}
		out = append(out, s)
	}
	return out
}

func (a *API) createNATGateway(tx *store.Tx, call *gateway.Call, in *shape.CreateNatGatewayRequest) (*shape.CreateNatGatewayResult, error) {
	if err := unsupported("A regional NAT gateway", in.AvailabilityMode != "" && in.AvailabilityMode != shape.AvailabilityModeZonal, len(in.AvailabilityZoneAddresses) > 0); err != nil {
		return nil, err
	}
	if err := unsupported("A secondary private address of a NAT gateway", len(in.SecondaryPrivateIpAddresses) > 0, in.SecondaryPrivateIpAddressCount != nil); err != nil {
		return nil, err
	}
	s, err := findSubnet(tx, call.Scope, in.SubnetId)
	if err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, shape.ResourceTypeNatgateway)
	if err != nil {
		return nil, err
	}
	g := natGateway{
		Scope: call.Scope, ID: newID("nat"), VPCID: s.VPCID, SubnetID: s.ID, Connectivity: string(in.ConnectivityType), CreatedAt: call.Now, Tags: tags,
	}
	if g.Connectivity == "" {
		g.Connectivity = string(shape.ConnectivityTypePublic)
	}
	private := g.Connectivity == string(shape.ConnectivityTypePrivate)
	if private && in.AllocationId != nil {
		return nil, fault.New(fault.InvalidParameterCombination, "A private NAT gateway can not have an allocation ID.")
	}
	if !private && in.AllocationId == nil {
		return nil, fault.New(fault.MissingParameter, "The request must include the AllocationId parameter. Add the required parameter and retry the request.")
	}
	want := network.Interface{Kind: network.ForNAT, Owner: g.ID, Description: "Interface for NAT Gateway " + g.ID, RequesterID: amazonID, Unchecked: true}
	if in.PrivateIpAddress != nil {
		if want.PrivateIP, err = netip.ParseAddr(*in.PrivateIpAddress); err != nil {
			return nil, invalid("Value (%s) for parameter PrivateIpAddress is invalid.", *in.PrivateIpAddress)
		}
	}
	i, err := lease.Take(tx, s, want, call.Now)
	if err != nil {
		return nil, err
	}
	g.InterfaceID = i.ID
	if !private {
		free, err := unusedAddress(tx, call.Scope, *in.AllocationId)
		if err != nil {
			return nil, err
		}
		g.AllocationID = joinAddress(tx, free, i.ID).AllocationID
		if err := addNATAddresses(tx, &g, in.SecondaryAllocationIds); err != nil {
			return nil, err
		}
	}
	store.NATGateways.Put(tx, &g)
	return &shape.CreateNatGatewayResult{NatGateway: new(natShape(tx, &g)), ClientToken: in.ClientToken}, nil
}

func unusedAddress(r store.Reader, scope arn.Scope, allocation string) (*address, error) {
	have, err := find(&addressKind, store.Addresses, r, scope, &allocation)
	if err == nil && have.AssociationID != "" {
		return nil, fault.New(fault.AlreadyAssociated, "resource %s is already associated with associate-id %s", have.AllocationID, have.AssociationID)
	}
	return have, err
}

// addNATAddresses keeps further addresses for the gateway. What it sends out has the
// first one.
func addNATAddresses(tx *store.Tx, g *natGateway, allocations []string) error {
	for _, id := range allocations {
		have, err := unusedAddress(tx, g.Scope, id)
		if err != nil {
			return err
		}
		next := *have
		next.AssociationID, next.InterfaceID = newID("eipassoc"), g.InterfaceID
		store.Addresses.Put(tx, &next)
		g.Secondary = append(slices.Clone(g.Secondary), id)
	}
	return nil
}

func findNAT(r store.Reader, scope arn.Scope, id *string) (*natGateway, error) {
	g, err := find(&natKind, store.NATGateways, r, scope, id)
	if err == nil && !g.DeletedAt.IsZero() {
		return nil, fault.New(fault.NatGatewayNotFound, "The NAT gateway ID '%s' does not exist", g.ID)
	}
	return g, err
}

func (a *API) deleteNATGateway(tx *store.Tx, call *gateway.Call, in *shape.DeleteNatGatewayRequest) (*shape.DeleteNatGatewayResult, error) {
	g, err := findNAT(tx, call.Scope, in.NatGatewayId)
	if err != nil {
		return nil, err
	}
	for _, id := range append([]string{g.AllocationID}, g.Secondary...) {
		if have, ok := store.Addresses.Get(tx, network.Key(g.Scope, id)); ok {
			freeAddress(tx, have)
		}
	}
	if i, ok := store.Interfaces.Get(tx, network.Key(g.Scope, g.InterfaceID)); ok {
		lease.Release(tx, i, call.Now)
	}
	next := *g
	next.DeletedAt = call.Now
	store.NATGateways.Put(tx, &next)
	forgetNATs(tx, call.Scope, call.Now)
	return &shape.DeleteNatGatewayResult{NatGatewayId: new(g.ID)}, nil
}

// forgetNATs removes gateways that were deleted long ago.
func forgetNATs(tx *store.Tx, scope arn.Scope, now time.Time) {
	for g := range store.NATGateways.Prefix(tx, network.Key(scope, "")) {
		if !g.DeletedAt.IsZero() && now.Sub(g.DeletedAt) >= natMemory {
			store.NATGateways.Delete(tx, network.Key(g.Scope, g.ID))
		}
	}
}

func (a *API) associateNATAddress(tx *store.Tx, call *gateway.Call, in *shape.AssociateNatGatewayAddressRequest) (*shape.AssociateNatGatewayAddressResult, error) {
	if err := unsupported("A regional NAT gateway", in.AvailabilityZone != nil, in.AvailabilityZoneId != nil, len(in.PrivateIpAddresses) > 0); err != nil {
		return nil, err
	}
	have, err := findNAT(tx, call.Scope, in.NatGatewayId)
	if err != nil {
		return nil, err
	}
	next := *have
	if err := addNATAddresses(tx, &next, in.AllocationIds); err != nil {
		return nil, err
	}
	store.NATGateways.Put(tx, &next)
	return &shape.AssociateNatGatewayAddressResult{NatGatewayId: new(next.ID), NatGatewayAddresses: natAddresses(tx, &next)}, nil
}

func (a *API) disassociateNATAddress(tx *store.Tx, call *gateway.Call, in *shape.DisassociateNatGatewayAddressRequest) (*shape.DisassociateNatGatewayAddressResult, error) {
	have, err := findNAT(tx, call.Scope, in.NatGatewayId)
	if err != nil {
		return nil, err
	}
	next := *have
	next.Secondary = nil
	for _, id := range have.Secondary {
		held, ok := store.Addresses.Get(tx, network.Key(have.Scope, id))
		if ok && slices.Contains(in.AssociationIds, held.AssociationID) {
			freeAddress(tx, held)
			continue
		}
		next.Secondary = append(next.Secondary, id)
	}
	if len(have.Secondary)-len(next.Secondary) != len(in.AssociationIds) {
		return nil, fault.New(fault.InvalidAssociationID, "The association IDs %v do not exist, or are of the primary address", in.AssociationIds)
	}
	store.NATGateways.Put(tx, &next)
	return &shape.DisassociateNatGatewayAddressResult{NatGatewayId: new(next.ID), NatGatewayAddresses: natAddresses(tx, &next)}, nil
}
