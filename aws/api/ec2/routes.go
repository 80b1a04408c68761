package ec2

import (
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

type routeTable = network.RouteTable

// Origins of routes.
const (
	byRoute = string(shape.RouteOriginCreateRoute)
	byTable = string(shape.RouteOriginCreateRouteTable)
)

// routeTableKind needs the state: whether a route leads anywhere is seen there.
func routeTableKind(r store.Reader) *kind[routeTable] {
	routes := func(value func(shape.Route) string) func(*routeTable) []string {
		return func(t *routeTable) []string { return texts(routeShapes(r, t), value) }
	}
	associations := func(value func(network.Association) string) func(*routeTable) []string {
		return func(t *routeTable) []string { return texts(t.Associations, value) }
	}
	return &kind[routeTable]{
		noun: "routeTable", missing: fault.InvalidRouteTableID,
		id:   func(t *routeTable) string { return t.ID },
		tags: func(t *routeTable) []workload.Tag { return t.Tags },
		fields: map[string]func(*routeTable) []string{
			"association.main": associations(func(a network.Association) string {
				if a.Main {
					return "true"
				}
				return "false"
			}),
			"association.route-table-association-id": associations(func(a network.Association) string { return a.ID }),
			"association.route-table-id":             one(func(t *routeTable) string { return t.ID }),
			"association.subnet-id":                  associations(func(a network.Association) string { return a.SubnetID }),
			"association.gateway-id":                 associations(func(a network.Association) string { return a.Gateway }),
			"owner-id":                               one(func(t *routeTable) string { return t.Scope.Account }),
			"route-table-id":                         one(func(t *routeTable) string { return t.ID }),
			"route.destination-cidr-block":           routes(func(r shape.Route) string { return deref(r.DestinationCidrBlock) }),
			"route.destination-ipv6-cidr-block":      routes(func(r shape.Route) string { return deref(r.DestinationIpv6CidrBlock) }),
			"route.destination-prefix-list-id":       routes(func(r shape.Route) string { return deref(r.DestinationPrefixListId) }),
			"route.egress-only-internet-gateway-id":  routes(func(r shape.Route) string { return deref(r.EgressOnlyInternetGatewayId) }),
			"route.gateway-id":                       routes(func(r shape.Route) string { return deref(r.GatewayId) }),
			"route.nat-gateway-id":                   routes(func(r shape.Route) string { return deref(r.NatGatewayId) }),
			"route.network-interface-id":             routes(func(r shape.Route) string { return deref(r.NetworkInterfaceId) }),
			"route.vpc-peering-connection-id":        routes(func(r shape.Route) string { return deref(r.VpcPeeringConnectionId) }),
			"route.origin":                           routes(func(r shape.Route) string { return string(r.Origin) }),
			"route.state":                            routes(func(r shape.Route) string { return string(r.State) }),
			"vpc-id":                                 one(func(t *routeTable) string { return t.VPCID }),
		},
	}
}

// texts are the values of a list that are not empty.
func texts[T any](list []T, value func(T) string) []string {
	var out []string
	for _, item := range list {
		if s := value(item); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func (a *API) describeRouteTables(v *store.View, call *gateway.Call, in *shape.DescribeRouteTablesRequest) (*shape.DescribeRouteTablesResult, error) {
	page, next, err := stored(routeTableKind(v), store.RouteTables, v, call.Scope, selection{in.RouteTableIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeRouteTablesResult{RouteTables: each(page, func(t *routeTable) shape.RouteTable { return routeTableShape(v, t) }), NextToken: next}, nil
}

func routeTableShape(r store.Reader, t *routeTable) shape.RouteTable {
	s := shape.RouteTable{
		RouteTableId: new(t.ID), VpcId: new(t.VPCID), OwnerId: new(t.Scope.Account), Tags: tagShapes(t.Tags),
		Associations: []shape.RouteTableAssociation{}, PropagatingVgws: []shape.PropagatingVgw{}, Routes: routeShapes(r, t),
	}
	for _, a := range t.Associations {
		s.Associations = append(s.Associations, shape.RouteTableAssociation{
			Main: new(a.Main), RouteTableAssociationId: new(a.ID), RouteTableId: new(t.ID), SubnetId: optional(a.SubnetID), GatewayId: optional(a.Gateway),
			AssociationState: associated(),
		})
	}
	return s
}

func associated() *shape.RouteTableAssociationState {
	return &shape.RouteTableAssociationState{State: shape.RouteTableAssociationStateCodeAssociated}
}

// routeShapes begins with the routes that every table has: to the VPC's own ranges.
// Those to gateway endpoints follow from the endpoints.
func routeShapes(r store.Reader, t *routeTable) []shape.Route {
	out := []shape.Route{}
	if v, ok := store.VPCs.Get(r, network.Key(t.Scope, t.VPCID)); ok {
		for _, cidr := range v.Ranges() {
			out = append(out, shape.Route{
				DestinationCidrBlock: new(cidr.String()), GatewayId: new("local"), Origin: shape.RouteOriginCreateRouteTable, State: shape.RouteStateActive,
			})
		}
	}
	for n := range t.Routes {
		out = append(out, routeShape(r, t, &t.Routes[n]))
	}
	return out
}

func routeShape(r store.Reader, t *routeTable, route *network.Route) shape.Route {
	s := shape.Route{
		GatewayId: optional(route.Gateway + route.Endpoint), EgressOnlyInternetGatewayId: optional(route.EgressOnly), NatGatewayId: optional(route.NAT),
		NetworkInterfaceId: optional(route.Interface), VpcPeeringConnectionId: optional(route.Peering),
		Origin: shape.RouteOrigin(route.Origin), State: shape.RouteStateBlackhole,
	}
	switch {
	case strings.HasPrefix(route.To, "pl-"):
		s.DestinationPrefixListId = new(route.To)
	case strings.Contains(route.To, ":"):
		s.DestinationIpv6CidrBlock = new(route.To)
	default:
		s.DestinationCidrBlock = new(route.To)
	}
	if leads(r, t.Scope, t.VPCID, route) {
		s.State = shape.RouteStateActive
	}
	return s
}

// leads tells whether the target of a route is there and in the VPC.
func leads(r store.Reader, scope arn.Scope, vpcID string, route *network.Route) bool {
	switch {
	case route.NAT != "":
		g, ok := store.NATGateways.Get(r, network.Key(scope, route.NAT))
		return ok && g.DeletedAt.IsZero()
	case route.Interface != "":
		i, ok := store.Interfaces.Get(r, network.Key(scope, route.Interface))
		return ok && i.ReleasedAt.IsZero() && i.VPCID == vpcID && i.InstanceARN != ""
	case route.Peering != "":
		p, ok := store.Peerings.Get(r, network.Key(scope, route.Peering))
		return ok && p.Status == peeringActive
	}
	if strings.HasPrefix(route.Gateway, "vpce-") || route.Endpoint != "" {
		_, ok := store.Endpoints.Get(r, network.Key(scope, route.Gateway+route.Endpoint))
		return ok
	}
	g, ok := store.InternetGateways.Get(r, network.Key(scope, route.Gateway+route.EgressOnly))
	return ok && g.VPCID == vpcID
}

// defaultVPCs are none or one.
func defaultVPCs(r store.Reader, scope arn.Scope) []*network.VPC {
	var found []*network.VPC
	for v := range store.VPCs.Prefix(r, network.Key(scope, "")) {
		if v.Default {
			found = append(found, v)
		}
	}
	return found
}

// defaultVPC is the id of the scope's default VPC, or "none" as AWS has it.
func defaultVPC(r store.Reader, scope arn.Scope) string {
	for _, v := range defaultVPCs(r, scope) {
		return v.ID
	}
	return "none"
}
