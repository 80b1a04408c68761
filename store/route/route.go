// Package route finds where the traffic of subnets goes, in a state of the store.
package route

import (
	"net/netip"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// Table is the route table of a subnet: its own, or its VPC's main one.
func Table(r store.Reader, s *network.Subnet) (*network.RouteTable, bool) {
	for t := range store.RouteTables.By(r, store.RouteTablesBySubnet, network.Key(s.Scope, s.ID)) {
		return t, true
	}
	return Main(r, s.Scope, s.VPCID)
}

// Main is the main table of a VPC.
func Main(r store.Reader, scope arn.Scope, vpcID string) (*network.RouteTable, bool) {
	for t := range store.RouteTables.By(r, store.RouteTablesByVPC, network.Key(scope, vpcID)) {
		if t.Main() {
			return t, true
		}
	}
	return nil, false
}

// Exit says how packets of a subnet's interfaces leave the VPC, and what address they
// have outside when that is a NAT gateway's (network.ExitOf). A default VPC from
// before its routes were stored leads to the world, as it always did.
func Exit(r store.Reader, s *network.Subnet) (exit network.Exit, under netip.Addr) {
	table, ok := Table(r, s)
	if !ok && s.Default {
		return network.ExitIGW, netip.Addr{}
	}
	exit, nat := network.ExitOf(table, gateways(r, s.Scope))
	if nat != nil {
		if a, ok := store.Addresses.Get(r, network.Key(s.Scope, nat.AllocationID)); ok {
			under = a.IP
		}
	}
	return exit, under
}

func gateways(r store.Reader, scope arn.Scope) network.Gateways {
	return network.Gateways{
		Internet: func(id string) (*network.InternetGateway, bool) {
			return store.InternetGateways.Get(r, network.Key(scope, id))
		},
		NAT: func(id string) (*network.NATGateway, bool) { return store.NATGateways.Get(r, network.Key(scope, id)) },
	}
}
