package store

import (
	"github.com/berthhq/berth/domain/network"
)

// RouteTables by network.Key.
var RouteTables = &Table[network.RouteTable]{
	ID: routeTables, Noun: "route-table", Schema: 1,
	Primary: func(t *network.RouteTable) string { return network.Key(t.Scope, t.ID) },
	Indexes: []*Index[network.RouteTable]{RouteTablesByVPC, RouteTablesBySubnet},
}

// RouteTablesByVPC finds tables by the network.Key of their VPC.
var RouteTablesByVPC = &Index[network.RouteTable]{
	Key: func(t *network.RouteTable) string { return network.Key(t.Scope, t.VPCID) },
}

// RouteTablesBySubnet finds the table of a subnet by its network.Key; a subnet
// without one has its VPC's main table.
var RouteTablesBySubnet = &Index[network.RouteTable]{
	Keys: func(t *network.RouteTable) []string {
		var keys []string
		for _, a := range t.Associations {
			if a.SubnetID != "" {
				keys = append(keys, network.Key(t.Scope, a.SubnetID))
			}
		}
		return keys
	},
}

// InternetGateways by network.Key.
var InternetGateways = &Table[network.InternetGateway]{
	ID: internetGateways, Noun: "internet-gateway", Schema: 1,
	Primary: func(g *network.InternetGateway) string { return network.Key(g.Scope, g.ID) },
	Indexes: []*Index[network.InternetGateway]{InternetGatewaysByVPC},
}

// InternetGatewaysByVPC finds attached gateways by the network.Key of their VPC.
var InternetGatewaysByVPC = &Index[network.InternetGateway]{
	Key: func(g *network.InternetGateway) string {
		if g.VPCID == "" {
			return ""
		}
		return network.Key(g.Scope, g.VPCID)
	},
}

// NATGateways by network.Key.
var NATGateways = &Table[network.NATGateway]{
	ID: natGateways, Noun: "nat-gateway", Schema: 1,
	Primary: func(g *network.NATGateway) string { return network.Key(g.Scope, g.ID) },
}

// Addresses by network.Key: Elastic IP addresses.
var Addresses = &Table[network.Address]{
	ID: addresses, Noun: "address", Schema: 1,
	Primary: func(a *network.Address) string { return network.Key(a.Scope, a.AllocationID) },
	Indexes: []*Index[network.Address]{AddressesByIP, AddressesByInterface},
}

// AddressesByIP finds who has a public address, in all scopes.
var AddressesByIP = &Index[network.Address]{
	Key: func(a *network.Address) string { return a.IP.String() },
}

// AddressesByInterface finds the addresses of an interface by its network.Key.
var AddressesByInterface = &Index[network.Address]{
	Key: func(a *network.Address) string {
		if a.InterfaceID == "" {
			return ""
		}
		return network.Key(a.Scope, a.InterfaceID)
	},
}

// ACLs by network.Key.
var ACLs = &Table[network.ACL]{
	ID: acls, Noun: "network-acl", Schema: 1,
	Primary: func(a *network.ACL) string { return network.Key(a.Scope, a.ID) },
	Indexes: []*Index[network.ACL]{ACLsByVPC},
}

// ACLsByVPC finds ACLs by the network.Key of their VPC.
var ACLsByVPC = &Index[network.ACL]{
	Key: func(a *network.ACL) string { return network.Key(a.Scope, a.VPCID) },
}

// PrefixLists by network.Key.
var PrefixLists = &Table[network.PrefixList]{
	ID: prefixLists, Noun: "prefix-list", Schema: 1,
	Primary: func(p *network.PrefixList) string { return network.Key(p.Scope, p.ID) },
}

// DHCPOptions by network.Key.
var DHCPOptions = &Table[network.DHCPOptions]{
	ID: dhcpOptions, Noun: "dhcp-options", Schema: 1,
	Primary: func(o *network.DHCPOptions) string { return network.Key(o.Scope, o.ID) },
}

// Endpoints by network.Key.
var Endpoints = &Table[network.Endpoint]{
	ID: endpoints, Noun: "vpc-endpoint", Schema: 1,
	Primary: func(e *network.Endpoint) string { return network.Key(e.Scope, e.ID) },
	Indexes: []*Index[network.Endpoint]{EndpointsByService},
}

// EndpointsByService finds endpoints by the name of their service.
var EndpointsByService = &Index[network.Endpoint]{
	Key: func(e *network.Endpoint) string { return e.ServiceName },
}

// EndpointServices by network.Key.
var EndpointServices = &Table[network.EndpointService]{
	ID: endpointServices, Noun: "endpoint-service", Schema: 1,
	Primary: func(s *network.EndpointService) string { return network.Key(s.Scope, s.ID) },
	Indexes: []*Index[network.EndpointService]{EndpointServicesByName},
}

// EndpointServicesByName finds a service by its name, which is unique everywhere.
var EndpointServicesByName = &Index[network.EndpointService]{
	Key: func(s *network.EndpointService) string { return s.Name },
}

// Peerings by network.Key.
var Peerings = &Table[network.Peering]{
	ID: peerings, Noun: "vpc-peering", Schema: 1,
	Primary: func(p *network.Peering) string { return network.Key(p.Scope, p.ID) },
}
