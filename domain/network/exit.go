package network

// World is the range of all addresses: a route to it is a way out of the VPC.
const World = "0.0.0.0/0"

// Gateways finds what routes lead to, by id in the scope of the table.
type Gateways struct {
	Internet func(id string) (*InternetGateway, bool)
	NAT      func(id string) (*NATGateway, bool)
}

// ExitOf says how packets leave a VPC under a route table; nil is no table. nat is the
// gateway of ExitNAT. A route whose gateway is gone or detached leads nowhere: AWS
// calls it a blackhole. Unlike on AWS, an attached internet gateway also carries
// interfaces without a public address: under their host's.
func ExitOf(table *RouteTable, have Gateways) (exit Exit, nat *NATGateway) {
	route := table.Out()
	switch {
	case route == nil:
		return ExitNone, nil
	case route.NAT != "":
		if g, ok := have.NAT(route.NAT); ok && g.DeletedAt.IsZero() && g.Connectivity != "private" {
			return ExitNAT, g
		}
	case route.Gateway != "":
		if g, ok := have.Internet(route.Gateway); ok && g.VPCID == table.VPCID && !g.EgressOnly {
			return ExitIGW, nil
		}
	}
	return ExitNone, nil
}

// Out is the route to the world; nil without one.
func (t *RouteTable) Out() *Route {
	if t == nil {
		return nil
	}
	for n := range t.Routes {
		if t.Routes[n].To == World {
			return &t.Routes[n]
		}
	}
	return nil
}

// Main tells whether the table is that of the VPC's subnets without one.
func (t *RouteTable) Main() bool {
	for _, a := range t.Associations {
		if a.Main {
			return true
		}
	}
	return false
}
