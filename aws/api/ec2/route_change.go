package ec2

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

func (a *API) createRouteTable(tx *store.Tx, call *gateway.Call, in *shape.CreateRouteTableRequest) (*shape.CreateRouteTableResult, error) {
	v, err := findVPC(tx, call.Scope, in.VpcId)
	if err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, shape.ResourceTypeRouteTable)
	if err != nil {
		return nil, err
	}
	t := routeTable{Scope: call.Scope, ID: newID("rtb"), VPCID: v.ID, Tags: tags}
	store.RouteTables.Put(tx, &t)
	return &shape.CreateRouteTableResult{RouteTable: new(routeTableShape(tx, &t)), ClientToken: in.ClientToken}, nil
}

func findTable(r store.Reader, scope arn.Scope, id *string) (*routeTable, error) {
	return find(routeTableKind(r), store.RouteTables, r, scope, id)
}

func (a *API) deleteRouteTable(tx *store.Tx, call *gateway.Call, in *shape.DeleteRouteTableRequest) (*empty, error) {
	t, err := findTable(tx, call.Scope, in.RouteTableId)
	if err != nil {
		return nil, err
	}
	if len(t.Associations) > 0 {
		return nil, inUse("The routeTable '%s' has dependencies and cannot be deleted.", t.ID)
	}
	store.RouteTables.Delete(tx, network.Key(t.Scope, t.ID))
	return &empty{}, nil
}

// alterTable changes a table.
func alterTable(tx *store.Tx, scope arn.Scope, id *string, fn func(*routeTable) error) error {
	have, err := findTable(tx, scope, id)
	if err != nil {
		return err
	}
	next := *have
	next.Routes, next.Associations = slices.Clone(have.Routes), slices.Clone(have.Associations)
	if err := fn(&next); err != nil {
		return err
	}
	store.RouteTables.Put(tx, &next)
	return nil
}

func (a *API) createRoute(tx *store.Tx, call *gateway.Call, in *shape.CreateRouteRequest) (*shape.CreateRouteResult, error) {
	if err := unsupported("This target of routes", in.InstanceId != nil, in.TransitGatewayId != nil, in.LocalGatewayId != nil, in.CarrierGatewayId != nil, in.CoreNetworkArn != nil, in.OdbNetworkArn != nil); err != nil {
		return nil, err
	}
	to, err := destination(tx, call.Scope, in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId)
	if err != nil {
		return nil, err
	}
	made := network.Route{
		To: to, Origin: byRoute, Gateway: deref(in.GatewayId), EgressOnly: deref(in.EgressOnlyInternetGatewayId), NAT: deref(in.NatGatewayId),
		Interface: deref(in.NetworkInterfaceId), Peering: deref(in.VpcPeeringConnectionId), Endpoint: deref(in.VpcEndpointId),
	}
	return &shape.CreateRouteResult{Return: new(true)}, alterTable(tx, call.Scope, in.RouteTableId, func(t *routeTable) error {
		if err := checkTarget(tx, t, &made); err != nil {
			return err
		}
		if isLocal(tx, t, to) || slices.ContainsFunc(t.Routes, func(r network.Route) bool { return r.To == to && !strings.HasPrefix(to, "pl-") }) {
			return fault.New(fault.RouteAlreadyExists, "The route identified by %s already exists.", to)
		}
		t.Routes = append(t.Routes, made)
		return nil
	})
}

func (a *API) replaceRoute(tx *store.Tx, call *gateway.Call, in *shape.ReplaceRouteRequest) (*empty, error) {
	if err := unsupported("This target of routes", in.InstanceId != nil, in.TransitGatewayId != nil, in.LocalGatewayId != nil, in.CarrierGatewayId != nil, in.CoreNetworkArn != nil, in.OdbNetworkArn != nil); err != nil {
		return nil, err
	}
	to, err := destination(tx, call.Scope, in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId)
	if err != nil {
		return nil, err
	}
	next := network.Route{
		To: to, Origin: byRoute, Gateway: deref(in.GatewayId), EgressOnly: deref(in.EgressOnlyInternetGatewayId), NAT: deref(in.NatGatewayId),
		Interface: deref(in.NetworkInterfaceId), Peering: deref(in.VpcPeeringConnectionId), Endpoint: deref(in.VpcEndpointId),
	}
	return &empty{}, alterTable(tx, call.Scope, in.RouteTableId, func(t *routeTable) error {
		at, err := routeTo(t, to)
		if err != nil {
			return err
		}
		if err := checkTarget(tx, t, &next); err != nil {
			return err
		}
		t.Routes[at] = next
		return nil
	})
}

func (a *API) deleteRoute(tx *store.Tx, call *gateway.Call, in *shape.DeleteRouteRequest) (*empty, error) {
	to, err := destination(tx, call.Scope, in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId)
	if err != nil {
		return nil, err
	}
	return &empty{}, alterTable(tx, call.Scope, in.RouteTableId, func(t *routeTable) error {
		if isLocal(tx, t, to) {
			return invalid("cannot remove local route %s in route table %s", to, t.ID)
		}
		at, err := routeTo(t, to)
		if err != nil {
			return err
		}
		t.Routes = slices.Delete(t.Routes, at, at+1)
		return nil
	})
}

func routeTo(t *routeTable, to string) (int, error) {
	at := slices.IndexFunc(t.Routes, func(r network.Route) bool { return r.To == to && !strings.HasPrefix(r.Gateway, "vpce-") })
	if at < 0 {
		return at, fault.New(fault.InvalidRoute, "no route with destination-cidr-block %s in route table %s", to, t.ID)
	}
	return at, nil
}

func isLocal(r store.Reader, t *routeTable, to string) bool {
	v, ok := store.VPCs.Get(r, network.Key(t.Scope, t.VPCID))
	return ok && slices.ContainsFunc(v.Ranges(), func(p netip.Prefix) bool { return p.String() == to })
}

// destination is where a route leads: one of the three.
func destination(r store.Reader, scope arn.Scope, cidr, cidr6, list *string) (string, error) {
	switch {
	case cidr != nil:
		return anyRange(*cidr, false, "destinationCidrBlock")
	case cidr6 != nil:
		return anyRange(*cidr6, true, "destinationIpv6CidrBlock")
	case list != nil:
		_, err := findPrefixList(r, scope, list)
		return *list, err
	}
	return "", fault.New(fault.MissingParameter, "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock, destinationPrefixListId")
}

// anyRange reads a range of any size; bits beyond the prefix are cut.
func anyRange(text string, six bool, parameter string) (string, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4() == six {
		return "", invalid("Value (%s) for parameter %s is invalid. This is not a valid CIDR block.", text, parameter)
	}
	return p.Masked().String(), nil
}

// checkTarget demands one target, which is there and of the table's VPC.
func checkTarget(r store.Reader, t *routeTable, to *network.Route) error {
	targets := texts([]string{to.Gateway, to.EgressOnly, to.NAT, to.Interface, to.Peering, to.Endpoint}, func(s string) string { return s })
	if len(targets) != 1 {
		return fault.New(fault.InvalidParameterCombination, "Exactly one target must be given: a gateway, NAT gateway, network interface or peering connection.")
	}
	key := network.Key(t.Scope, targets[0])
	switch {
	case to.NAT != "":
		if g, ok := store.NATGateways.Get(r, key); !ok || !g.DeletedAt.IsZero() {
			return fault.New(fault.InvalidNatGatewayID, "The natGateway ID '%s' does not exist", to.NAT)
		}
	case to.Interface != "":
		if i, ok := store.Interfaces.Get(r, key); !ok || !i.ReleasedAt.IsZero() {
			return fault.New(fault.InvalidNetworkInterfaceID, "The networkInterface ID '%s' does not exist", to.Interface)
		}
	case to.Peering != "":
		if _, ok := store.Peerings.Get(r, key); !ok {
			return fault.New(fault.InvalidPeeringID, "The vpcPeeringConnection ID '%s' does not exist", to.Peering)
		}
	case to.Endpoint != "":
		return fault.New(fault.UnsupportedOperation, "Routes to endpoints of Gateway Load Balancers are not supported.")
	default:
		g, ok := store.InternetGateways.Get(r, key)
		if !ok {
			return fault.New(fault.InvalidGatewayID, "The gateway ID '%s' does not exist", targets[0])
		}
		if g.VPCID != t.VPCID {
			return invalid("route table %s and network gateway %s belong to different networks", t.ID, g.ID)
		}
	}
	return nil
}

func (a *API) associateRouteTable(tx *store.Tx, call *gateway.Call, in *shape.AssociateRouteTableRequest) (*shape.AssociateRouteTableResult, error) {
	if err := unsupported("Associations with gateways", in.GatewayId != nil, in.PublicIpv4Pool != nil); err != nil {
		return nil, err
	}
	s, err := findSubnet(tx, call.Scope, in.SubnetId)
	if err != nil {
		return nil, err
	}
	made := network.Association{ID: newID("rtbassoc"), SubnetID: s.ID}
	for have := range store.RouteTables.By(tx, store.RouteTablesBySubnet, network.Key(s.Scope, s.ID)) {
		if have.ID != deref(in.RouteTableId) {
			return nil, fault.New(fault.AlreadyAssociated, "the specified association for route table %s conflicts with an existing association", deref(in.RouteTableId))
		}
		at := slices.IndexFunc(have.Associations, func(a network.Association) bool { return a.SubnetID == s.ID })
		return &shape.AssociateRouteTableResult{AssociationId: new(have.Associations[at].ID), AssociationState: associated()}, nil
	}
	err = alterTable(tx, call.Scope, in.RouteTableId, func(t *routeTable) error {
		if t.VPCID != s.VPCID {
			return invalid("Route table %s and subnet %s belong to different networks", t.ID, s.ID)
		}
		t.Associations = append(t.Associations, made)
		return nil
	})
	return &shape.AssociateRouteTableResult{AssociationId: new(made.ID), AssociationState: associated()}, err
}

// tableOf finds the table that has an association.
func tableOf(r store.Reader, scope arn.Scope, id *string) (*routeTable, network.Association, error) {
	for t := range store.RouteTables.Prefix(r, network.Key(scope, "")) {
		for _, a := range t.Associations {
			if a.ID == deref(id) {
				return t, a, nil
			}
		}
	}
	return nil, network.Association{}, fault.New(fault.InvalidAssociationID, "The association ID '%s' does not exist", deref(id))
}

func dissociate(tx *store.Tx, t *routeTable, id string) {
	next := *t
	next.Associations = slices.DeleteFunc(slices.Clone(t.Associations), func(a network.Association) bool { return a.ID == id })
	store.RouteTables.Put(tx, &next)
}

func (a *API) disassociateRouteTable(tx *store.Tx, call *gateway.Call, in *shape.DisassociateRouteTableRequest) (*empty, error) {
	t, have, err := tableOf(tx, call.Scope, in.AssociationId)
	if err != nil {
		return nil, err
	}
	if have.Main {
		return nil, invalid("cannot disassociate the main route table association %s", have.ID)
	}
	dissociate(tx, t, have.ID)
	return &empty{}, nil
}

// replaceRouteTableAssociation gives a subnet another table, or a VPC another main one.
func (a *API) replaceRouteTableAssociation(tx *store.Tx, call *gateway.Call, in *shape.ReplaceRouteTableAssociationRequest) (*shape.ReplaceRouteTableAssociationResult, error) {
	from, have, err := tableOf(tx, call.Scope, in.AssociationId)
	if err != nil {
		return nil, err
	}
	next := have
	next.ID = newID("rtbassoc")
	dissociate(tx, from, have.ID)
	err = alterTable(tx, call.Scope, in.RouteTableId, func(t *routeTable) error {
		if t.VPCID != from.VPCID {
			return invalid("Route table %s and the association %s belong to different networks", t.ID, have.ID)
		}
		t.Associations = append(t.Associations, next)
		return nil
	})
	return &shape.ReplaceRouteTableAssociationResult{NewAssociationId: new(next.ID), AssociationState: associated()}, err
}
