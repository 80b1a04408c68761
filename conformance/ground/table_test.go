package ground_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func (h *house) readTable(id *string) types.RouteTable {
	h.t.Helper()
	return done[*ec2.DescribeRouteTablesOutput](h.t)(h.DescribeRouteTables(background, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{*id}})).RouteTables[0]
}

func (h *house) table(vpc *string) *string {
	h.t.Helper()
	return done[*ec2.CreateRouteTableOutput](h.t)(h.CreateRouteTable(background, &ec2.CreateRouteTableInput{VpcId: vpc})).RouteTable.RouteTableId
}

// gateway makes an internet gateway of a VPC.
func (h *house) gateway(vpc *string) *string {
	h.t.Helper()
	id := done[*ec2.CreateInternetGatewayOutput](h.t)(h.CreateInternetGateway(background, nil)).InternetGateway.InternetGatewayId
	done[*ec2.AttachInternetGatewayOutput](h.t)(h.AttachInternetGateway(background, &ec2.AttachInternetGatewayInput{InternetGatewayId: id, VpcId: vpc}))
	return id
}

var local = types.Route{DestinationCidrBlock: new("10.1.0.0/16"), GatewayId: new("local"), Origin: types.RouteOriginCreateRouteTable, State: types.RouteStateActive}

// What Terraform's aws_route_table and aws_route do.
func TestRouteTableLives(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	igw, list := h.gateway(vpc), h.list("office")
	made := done[*ec2.CreateRouteTableOutput](t)(h.CreateRouteTable(background, &ec2.CreateRouteTableInput{VpcId: vpc, TagSpecifications: tagged(types.ResourceTypeRouteTable, "a", "1", "gone", "1")})).RouteTable
	id := made.RouteTableId
	want := types.RouteTable{
		RouteTableId: id, VpcId: vpc, OwnerId: &account, Associations: []types.RouteTableAssociation{}, PropagatingVgws: []types.PropagatingVgw{},
		Routes: []types.Route{local}, Tags: tags("a", "1", "gone", "1"),
	}
	equal(t, "made", *made, want)
	h.retag(id)
	want.Tags = tags("a", "2")

	world := &ec2.CreateRouteInput{RouteTableId: id, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: igw}
	done[*ec2.CreateRouteOutput](t)(h.CreateRoute(background, world))
	_, err := h.CreateRoute(background, world)
	refused(t, err, "RouteAlreadyExists", "The route identified by 0.0.0.0/0 already exists.")
	done[*ec2.CreateRouteOutput](t)(h.CreateRoute(background, &ec2.CreateRouteInput{RouteTableId: id, DestinationPrefixListId: list, GatewayId: igw}))
	toWorld := types.Route{DestinationCidrBlock: world.DestinationCidrBlock, GatewayId: igw, Origin: types.RouteOriginCreateRoute, State: types.RouteStateActive}
	toList := types.Route{DestinationPrefixListId: list, GatewayId: igw, Origin: types.RouteOriginCreateRoute, State: types.RouteStateActive}
	want.Routes = []types.Route{local, toWorld, toList}
	equal(t, "with routes", h.readTable(id), want)

	nat := done[*ec2.CreateNatGatewayOutput](t)(h.CreateNatGateway(background, &ec2.CreateNatGatewayInput{SubnetId: h.subnet(vpc, "10.1.1.0/24"), ConnectivityType: types.ConnectivityTypePrivate})).NatGateway.NatGatewayId
	done[*ec2.ReplaceRouteOutput](t)(h.ReplaceRoute(background, &ec2.ReplaceRouteInput{RouteTableId: id, DestinationCidrBlock: world.DestinationCidrBlock, NatGatewayId: nat}))
	done[*ec2.DeleteRouteOutput](t)(h.DeleteRoute(background, &ec2.DeleteRouteInput{RouteTableId: id, DestinationPrefixListId: list}))
	toWorld.GatewayId, toWorld.NatGatewayId = nil, nat
	want.Routes = []types.Route{local, toWorld}
	equal(t, "replaced", h.readTable(id), want)
	done[*ec2.DeleteNatGatewayOutput](t)(h.DeleteNatGateway(background, &ec2.DeleteNatGatewayInput{NatGatewayId: nat}))
	want.Routes[1].State = types.RouteStateBlackhole
	equal(t, "without the gateway", h.readTable(id), want)

	missing := &ec2.DeleteRouteInput{RouteTableId: id, DestinationCidrBlock: new("192.0.2.0/24")}
	_, err = h.DeleteRoute(background, missing)
	refused(t, err, "InvalidRoute.NotFound", "no route with destination-cidr-block 192.0.2.0/24 in route table "+*id)
	_, err = h.DeleteRoute(background, &ec2.DeleteRouteInput{RouteTableId: id, DestinationCidrBlock: local.DestinationCidrBlock})
	refused(t, err, "InvalidParameterValue", "cannot remove local route")
	_, err = h.EnableVgwRoutePropagation(background, &ec2.EnableVgwRoutePropagationInput{RouteTableId: id, GatewayId: new("vgw-1")})
	refused(t, err, "InvalidVpnGatewayID.NotFound", "The vpnGateway ID 'vgw-1' does not exist")
	_, err = h.DisableVgwRoutePropagation(background, &ec2.DisableVgwRoutePropagationInput{RouteTableId: id, GatewayId: new("vgw-1")})
	refused(t, err, "InvalidVpnGatewayID.NotFound", "The vpnGateway ID 'vgw-1' does not exist")
	done[*ec2.DeleteRouteTableOutput](t)(h.DeleteRouteTable(background, &ec2.DeleteRouteTableInput{RouteTableId: id}))
	_, err = h.DescribeRouteTables(background, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{*id}})
	refused(t, err, "InvalidRouteTableID.NotFound", "The routeTable ID '"+*id+"' does not exist")
}

// What Terraform's aws_route_table_association and aws_main_route_table_association do.
func TestAssociationsOfTablesMove(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	subnet, first, second := h.subnet(vpc, "10.1.1.0/24"), h.table(vpc), h.table(vpc)
	associated := &types.RouteTableAssociationState{State: types.RouteTableAssociationStateCodeAssociated}
	id := done[*ec2.AssociateRouteTableOutput](t)(h.AssociateRouteTable(background, &ec2.AssociateRouteTableInput{RouteTableId: first, SubnetId: subnet})).AssociationId
	want := types.RouteTableAssociation{RouteTableAssociationId: id, RouteTableId: first, SubnetId: subnet, Main: new(false), AssociationState: associated}
	equal(t, "the first's", h.readTable(first).Associations, []types.RouteTableAssociation{want})
	_, err := h.AssociateRouteTable(background, &ec2.AssociateRouteTableInput{RouteTableId: second, SubnetId: subnet})
	refused(t, err, "Resource.AlreadyAssociated", "the specified association for route table "+*second+" conflicts with an existing association")
	_, err = h.DeleteRouteTable(background, &ec2.DeleteRouteTableInput{RouteTableId: first})
	refused(t, err, "DependencyViolation", "The routeTable '"+*first+"' has dependencies and cannot be deleted.")

	moved := done[*ec2.ReplaceRouteTableAssociationOutput](t)(h.ReplaceRouteTableAssociation(background, &ec2.ReplaceRouteTableAssociationInput{AssociationId: id, RouteTableId: second}))
	want.RouteTableAssociationId, want.RouteTableId = moved.NewAssociationId, second
	equal(t, "the second's", h.readTable(second).Associations, []types.RouteTableAssociation{want})
	equal(t, "left to the first", len(h.readTable(first).Associations), 0)
	done[*ec2.DisassociateRouteTableOutput](t)(h.DisassociateRouteTable(background, &ec2.DisassociateRouteTableInput{AssociationId: moved.NewAssociationId}))
	_, err = h.DisassociateRouteTable(background, &ec2.DisassociateRouteTableInput{AssociationId: moved.NewAssociationId})
	refused(t, err, "InvalidAssociationID.NotFound", *moved.NewAssociationId)

	isMain := []types.Filter{filter("vpc-id", *vpc), filter("association.main", "true")}
	main := done[*ec2.DescribeRouteTablesOutput](t)(h.DescribeRouteTables(background, &ec2.DescribeRouteTablesInput{Filters: isMain})).RouteTables[0]
	_, err = h.DisassociateRouteTable(background, &ec2.DisassociateRouteTableInput{AssociationId: main.Associations[0].RouteTableAssociationId})
	refused(t, err, "InvalidParameterValue", "cannot disassociate the main route table association")
	moved = done[*ec2.ReplaceRouteTableAssociationOutput](t)(h.ReplaceRouteTableAssociation(background, &ec2.ReplaceRouteTableAssociationInput{
		AssociationId: main.Associations[0].RouteTableAssociationId, RouteTableId: first,
	}))
	read := done[*ec2.DescribeRouteTablesOutput](t)(h.DescribeRouteTables(background, &ec2.DescribeRouteTablesInput{Filters: isMain})).RouteTables
	equal(t, "main tables", len(read), 1)
	equal(t, "the main one", read[0].Associations, []types.RouteTableAssociation{
		{RouteTableAssociationId: moved.NewAssociationId, RouteTableId: first, Main: new(true), AssociationState: associated},
	})
	_, err = h.AssociateRouteTable(background, &ec2.AssociateRouteTableInput{RouteTableId: first, GatewayId: h.gateway(vpc)})
	refused(t, err, "UnsupportedOperation", "Associations with gateways is not supported.")
}
