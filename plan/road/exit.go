package road

import (
	"net/netip"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// everywhere is the destination whose route decides how packets leave the VPC. Routes
// to parts of the world outside lead where it leads.
const everywhere = "0.0.0.0/0"

// exitOf says how an interface's packets leave its VPC, by the route table of its
// subnet. A VPC from before there were route tables has the world at its door.
func exitOf(r store.Reader, i *network.Interface) (network.Exit, netip.Addr) {
	table := tableOf(r, i)
	if table == nil {
		return network.ExitIGW, netip.Addr{}
	}
	for _, route := range table.Routes {
		switch {
		case route.To != everywhere:
		case route.Gateway != "":
			g, ok := store.InternetGateways.Get(r, network.Key(i.Scope, route.Gateway))
			if ok && g.VPCID == i.VPCID && !g.EgressOnly {
				return network.ExitIGW, netip.Addr{}
			}
		case route.NAT != "":
			return exitBy(r, network.Key(i.Scope, route.NAT))
		}
	}
	return network.ExitNone, netip.Addr{}
}

// tableOf is the route table of the interface's subnet: its own, or the VPC's main
// one; nil when there is none.
func tableOf(r store.Reader, i *network.Interface) *network.RouteTable {
	for t := range store.RouteTables.By(r, store.RouteTablesBySubnet, network.Key(i.Scope, i.SubnetID)) {
		return t
	}
	for t := range store.RouteTables.By(r, store.RouteTablesByVPC, network.Key(i.Scope, i.VPCID)) {
		for _, a := range t.Associations {
			if a.Main {
				return t
			}
		}
	}
	return nil
}

// exitBy is the way out through a NAT gateway: a private one's packets carry its
// private address.
func exitBy(r store.Reader, key string) (network.Exit, netip.Addr) {
	g, ok := store.NATGateways.Get(r, key)
	if !ok || !g.DeletedAt.IsZero() {
		return network.ExitNone, netip.Addr{}
	}
	if a, ok := store.Addresses.Get(r, network.Key(g.Scope, g.AllocationID)); ok {
		return network.ExitNAT, a.IP
	}
	i, ok := store.Interfaces.Get(r, network.Key(g.Scope, g.InterfaceID))
	switch {
	case !ok:
		return network.ExitNone, netip.Addr{}
	case i.PublicIP.IsValid():
		return network.ExitNAT, i.PublicIP
	}
	return network.ExitNAT, i.PrivateIP
}
