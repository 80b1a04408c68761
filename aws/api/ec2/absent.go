package ec2

import (
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// absent are the operations on what no VPC here has: IPv6 ranges, VPN gateways, pools of
// addresses, links to EC2-Classic. They find what the request names and refuse the rest.
func (a *API) absent() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"AssignIpv6Addresses":              change(a, a.assignIPv6),
		"AssignPrivateNatGatewayAddress":   change(a, a.assignNATPrivate),
		"AssociateSubnetCidrBlock":         change(a, a.associateSubnetRange),
		"DescribePublicIpv4Pools":          read(a, a.describePublicPools),
		"DescribeVpcClassicLink":           read(a, a.describeClassicLink),
		"DescribeVpcClassicLinkDnsSupport": read(a, a.describeClassicLinkDNS),
		"DisableVgwRoutePropagation":       change(a, a.disablePropagation),
		"DisassociateSubnetCidrBlock":      change(a, a.disassociateSubnetRange),
		"EnableVgwRoutePropagation":        change(a, a.enablePropagation),
		"GetIpamPoolAllocations":           read(a, a.poolAllocations),
		"UnassignIpv6Addresses":            change(a, a.unassignIPv6),
		"UnassignPrivateNatGatewayAddress": change(a, a.unassignNATPrivate),
	}
}

func (a *API) assignIPv6(tx *store.Tx, call *gateway.Call, in *shape.AssignIpv6AddressesRequest) (*shape.AssignIpv6AddressesResult, error) {
	if _, err := findInterface(tx, call.Scope, in.NetworkInterfaceId); err != nil {
		return nil, err
	}
	return nil, unsupported("IPv6", true)
}

func (a *API) unassignIPv6(tx *store.Tx, call *gateway.Call, in *shape.UnassignIpv6AddressesRequest) (*shape.UnassignIpv6AddressesResult, error) {
	i, err := findInterface(tx, call.Scope, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	return nil, invalid("Some of the specified addresses are not assigned to interface %s", i.ID)
}

func (a *API) associateSubnetRange(tx *store.Tx, call *gateway.Call, in *shape.AssociateSubnetCidrBlockRequest) (*shape.AssociateSubnetCidrBlockResult, error) {
	if _, err := findSubnet(tx, call.Scope, in.SubnetId); err != nil {
		return nil, err
	}
	return nil, unsupported("IPv6", true) // a subnet's range of IPv4 is the one it was made with
}

func (a *API) disassociateSubnetRange(_ *store.Tx, _ *gateway.Call, in *shape.DisassociateSubnetCidrBlockRequest) (*shape.DisassociateSubnetCidrBlockResult, error) {
	return nil, fault.New(fault.InvalidSubnetCidrAssociationID, "The subnet CIDR block association ID '%s' does not exist", deref(in.AssociationId))
}

func (a *API) assignNATPrivate(tx *store.Tx, call *gateway.Call, in *shape.AssignPrivateNatGatewayAddressRequest) (*shape.AssignPrivateNatGatewayAddressResult, error) {
	if _, err := findNAT(tx, call.Scope, in.NatGatewayId); err != nil {
		return nil, err
	}
	return nil, unsupported("A secondary private address of a NAT gateway", true)
}

func (a *API) unassignNATPrivate(tx *store.Tx, call *gateway.Call, in *shape.UnassignPrivateNatGatewayAddressRequest) (*shape.UnassignPrivateNatGatewayAddressResult, error) {
	g, err := findNAT(tx, call.Scope, in.NatGatewayId)
	if err != nil {
		return nil, err
	}
	return nil, invalid("The private IP addresses %v are not secondary addresses of %s", in.PrivateIpAddresses, g.ID)
}

func (a *API) enablePropagation(tx *store.Tx, call *gateway.Call, in *shape.EnableVgwRoutePropagationRequest) (*empty, error) {
	return nil, noVPN(tx, call, in.RouteTableId, in.GatewayId)
}

func (a *API) disablePropagation(tx *store.Tx, call *gateway.Call, in *shape.DisableVgwRoutePropagationRequest) (*empty, error) {
	return nil, noVPN(tx, call, in.RouteTableId, in.GatewayId)
}

func noVPN(r store.Reader, call *gateway.Call, table, vpn *string) error {
	if _, err := findTable(r, call.Scope, table); err != nil {
		return err
	}
	return fault.New(fault.InvalidVpnGatewayID, "The vpnGateway ID '%s' does not exist", deref(vpn))
}

func (a *API) describePublicPools(_ *store.View, _ *gateway.Call, in *shape.DescribePublicIpv4PoolsRequest) (*shape.DescribePublicIpv4PoolsResult, error) {
	if len(in.PoolIds) > 0 {
		return nil, fault.New(fault.InvalidPublicPoolID, "The pool ID '%s' does not exist", in.PoolIds[0])
	}
	return &shape.DescribePublicIpv4PoolsResult{PublicIpv4Pools: []shape.PublicIpv4Pool{}}, nil
}

func (a *API) poolAllocations(_ *store.View, _ *gateway.Call, in *shape.GetIpamPoolAllocationsRequest) (*shape.GetIpamPoolAllocationsResult, error) {
	return nil, fault.New(fault.InvalidIpamPoolID, "The ipam-pool ID '%s' does not exist", deref(in.IpamPoolId))
}

func (a *API) describeClassicLink(v *store.View, call *gateway.Call, in *shape.DescribeVpcClassicLinkRequest) (*shape.DescribeVpcClassicLinkResult, error) {
	return nil, noClassic(v, call, in.VpcIds)
}

func (a *API) describeClassicLinkDNS(v *store.View, call *gateway.Call, in *shape.DescribeVpcClassicLinkDnsSupportRequest) (*shape.DescribeVpcClassicLinkDnsSupportResult, error) {
	return nil, noClassic(v, call, in.VpcIds)
}

// noClassic refuses as regions do that never had EC2-Classic.
func noClassic(v *store.View, call *gateway.Call, vpcs []string) error {
	if _, err := vpcKind.byID(vpcs, func(id string) (*network.VPC, bool) { return store.VPCs.Get(v, network.Key(call.Scope, id)) }); err != nil {
		return err
	}
	return fault.New(fault.UnsupportedOperation, "The functionality you requested is not available in this region.")
}
