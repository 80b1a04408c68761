package ec2

import (
	"net/netip"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

func (a *API) createVPC(tx *store.Tx, call *gateway.Call, in *shape.CreateVpcRequest) (*shape.CreateVpcResult, error) {
	if err := unsupported("IPv6 and IPAM", isTrue(in.AmazonProvidedIpv6CidrBlock), in.Ipv6CidrBlock != nil, in.Ipv6Pool != nil,
		in.Ipv6IpamPoolId != nil, in.Ipv4IpamPoolId != nil, in.VpcEncryptionControl != nil); err != nil {
		return nil, err
	}
	if in.CidrBlock == nil {
		return nil, fault.New(fault.MissingParameter, "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.")
	}
	cidr, err := vpcRange(*in.CidrBlock)
	if err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, shape.ResourceTypeVpc)
	if err != nil {
		return nil, err
	}
	v := network.VPC{Scope: call.Scope, ID: newID("vpc"), CIDR: cidr, DNSSupport: true, Tenancy: string(in.InstanceTenancy), Tags: tags}
	complete(tx, &v)
	made, _ := store.VPCs.Get(tx, network.Key(v.Scope, v.ID))
	return &shape.CreateVpcResult{Vpc: new(vpcShape(made))}, nil
}

func vpcRange(s string) (netip.Prefix, error) {
	if _, err := netip.ParsePrefix(s); err != nil {
		return netip.Prefix{}, invalid("Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", s)
	}
	cidr, ok := network.ParseRange(s)
	if !ok {
		return cidr, fault.New(fault.InvalidVpcRange, "The CIDR '%s' is invalid.", s).WithHint("a VPC's range is from a /16 to a /28 of IPv4")
	}
	return cidr, nil
}

func (a *API) createDefaultVPC(tx *store.Tx, call *gateway.Call, _ *shape.CreateDefaultVpcRequest) (*shape.CreateDefaultVpcResult, error) {
	if id := defaultVPC(tx, call.Scope); id != "none" {
		return nil, fault.New(fault.DefaultVpcAlreadyExists, "A Default VPC already exists for this account in this region.")
	}
	d := network.NewDefault(call.Scope, a.cidr, newID("vpc"))
	putDefault(tx, d)
	made, _ := store.VPCs.Get(tx, network.Key(call.Scope, d.VPC.ID))
	return &shape.CreateDefaultVpcResult{Vpc: new(vpcShape(made))}, nil
}

func (a *API) deleteVPC(tx *store.Tx, call *gateway.Call, in *shape.DeleteVpcRequest) (*empty, error) {
	v, err := findVPC(tx, call.Scope, in.VpcId)
	if err != nil {
		return nil, err
	}
	if vpcInUse(tx, v) {
		return nil, inUse("The vpc '%s' has dependencies and cannot be deleted.", v.ID)
	}
	key := network.Key(v.Scope, v.ID)
	for t := range store.RouteTables.By(tx, store.RouteTablesByVPC, key) {
		store.RouteTables.Delete(tx, network.Key(v.Scope, t.ID))
	}
	for acl := range store.ACLs.By(tx, store.ACLsByVPC, key) {
		store.ACLs.Delete(tx, network.Key(v.Scope, acl.ID))
	}
	for g := range store.SecurityGroups.By(tx, store.SecurityGroupsByVPC, key) {
		store.SecurityGroups.Delete(tx, network.Key(v.Scope, g.ID))
	}
	store.VPCs.Delete(tx, key)
	return &empty{}, nil
}

// vpcInUse tells whether a VPC has more than what it was made with.
func vpcInUse(r store.Reader, v *network.VPC) bool {
	key := network.Key(v.Scope, v.ID)
	if store.Subnets.Has(r, store.SubnetsByVPC, key) || store.InternetGateways.Has(r, store.InternetGatewaysByVPC, key) {
		return true
	}
	for t := range store.RouteTables.By(r, store.RouteTablesByVPC, key) {
		if !t.Main() {
			return true
		}
	}
	for acl := range store.ACLs.By(r, store.ACLsByVPC, key) {
		if !acl.Default {
			return true
		}
	}
	for g := range store.SecurityGroups.By(r, store.SecurityGroupsByVPC, key) {
		if g.Name != "default" {
			return true
		}
	}
	for e := range store.Endpoints.Prefix(r, network.Key(v.Scope, "")) {
		if e.VPCID == v.ID {
			return true
		}
	}
	return false
}

// alterVPC changes a VPC.
func alterVPC(tx *store.Tx, scope arn.Scope, id *string, fn func(*network.VPC) error) error {
	have, err := findVPC(tx, scope, id)
	if err != nil {
		return err
	}
	next := *have
	if err := fn(&next); err != nil {
		return err
	}
	store.VPCs.Put(tx, &next)
	return nil
}

func (a *API) modifyVPCAttribute(tx *store.Tx, call *gateway.Call, in *shape.ModifyVpcAttributeRequest) (*empty, error) {
	return &empty{}, alterVPC(tx, call.Scope, in.VpcId, func(v *network.VPC) error {
		for field, asked := range map[*bool]*shape.AttributeBooleanValue{
			&v.DNSSupport: in.EnableDnsSupport, &v.DNSHostnames: in.EnableDnsHostnames, &v.AddressUsageMetrics: in.EnableNetworkAddressUsageMetrics,
		} {
			if asked != nil {
				setTo(field, asked.Value)
			}
		}
		return nil
	})
}

func (a *API) modifyVPCTenancy(tx *store.Tx, call *gateway.Call, in *shape.ModifyVpcTenancyRequest) (*shape.ModifyVpcTenancyResult, error) {
	return &shape.ModifyVpcTenancyResult{ReturnValue: new(true)}, alterVPC(tx, call.Scope, in.VpcId, func(v *network.VPC) error {
		if in.InstanceTenancy != shape.VpcTenancyDefault {
			return invalid("Invalid value '%s' for InstanceTenancy. Valid values are: [default]", in.InstanceTenancy)
		}
		v.Tenancy = string(in.InstanceTenancy)
		return nil
	})
}

func (a *API) associateVPCRange(tx *store.Tx, call *gateway.Call, in *shape.AssociateVpcCidrBlockRequest) (*shape.AssociateVpcCidrBlockResult, error) {
	if err := unsupported("IPv6 and IPAM", isTrue(in.AmazonProvidedIpv6CidrBlock), in.Ipv6CidrBlock != nil, in.Ipv4IpamPoolId != nil, in.Ipv6IpamPoolId != nil); err != nil {
		return nil, err
	}
	cidr, err := vpcRange(deref(in.CidrBlock))
	if err != nil {
		return nil, err
	}
	made := network.Range{AssociationID: newID("vpc-cidr-assoc"), CIDR: cidr}
	err = alterVPC(tx, call.Scope, in.VpcId, func(v *network.VPC) error {
		for _, have := range v.Ranges() {
			if have.Overlaps(cidr) {
				return fault.New(fault.InvalidVpcRange, "The CIDR '%s' conflicts with another CIDR of the VPC.", cidr)
			}
		}
		v.More = append(slices.Clone(v.More), made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.AssociateVpcCidrBlockResult{VpcId: in.VpcId, CidrBlockAssociation: new(rangeShape(made, shape.VpcCidrBlockStateCodeAssociated))}, nil
}

func (a *API) disassociateVPCRange(tx *store.Tx, call *gateway.Call, in *shape.DisassociateVpcCidrBlockRequest) (*shape.DisassociateVpcCidrBlockResult, error) {
	id := deref(in.AssociationId)
	for v := range store.VPCs.Prefix(tx, network.Key(call.Scope, "")) {
		if id == vpcAssociationID(v) {
			return nil, fault.New(fault.OperationNotPermitted, "The vpc CIDR block with association ID %s may not be disassociated. It is the primary IPv4 CIDR block of the VPC", id)
		}
		at := slices.IndexFunc(v.More, func(r network.Range) bool { return r.AssociationID == id })
		if at < 0 {
			continue
		}
		gone, next := v.More[at], *v
		for s := range store.Subnets.By(tx, store.SubnetsByVPC, network.Key(v.Scope, v.ID)) {
			if gone.CIDR.Overlaps(s.CIDR) {
				return nil, inUse("The CIDR block '%s' has dependencies and cannot be disassociated.", gone.CIDR)
			}
		}
		next.More = slices.Delete(slices.Clone(v.More), at, at+1)
		store.VPCs.Put(tx, &next)
		return &shape.DisassociateVpcCidrBlockResult{VpcId: new(v.ID), CidrBlockAssociation: new(rangeShape(gone, shape.VpcCidrBlockStateCodeDisassociated))}, nil
	}
	return nil, fault.New(fault.InvalidCidrAssociationID, "The vpc CIDR block association ID '%s' does not exist", id)
}
