package ec2

import (
	"context"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// The main route table and the internet gateway of a default VPC.

func routeTableID(v *network.VPC) string { return network.DerivedID("rtb", v.ID) }
func gatewayID(v *network.VPC) string    { return network.DerivedID("igw", v.ID) }
func mainAssociationID(v *network.VPC) string {
	return network.DerivedID("rtbassoc", v.ID)
}

var routeTableKind = kind[network.VPC]{
	noun: "routeTable", missing: fault.InvalidParameterValue,
	id:   routeTableID,
	tags: func(*network.VPC) []workload.Tag { return nil },
	fields: map[string]func(*network.VPC) []string{
		"association.main":                       always[network.VPC]("true"),
		"association.route-table-association-id": one(mainAssociationID),
		"association.route-table-id":             one(routeTableID),
		"association.subnet-id":                  func(*network.VPC) []string { return nil }, // subnets use the main table without an association
		"association.gateway-id":                 func(*network.VPC) []string { return nil },
		"owner-id":                               one(func(v *network.VPC) string { return v.Scope.Account }),
		"route-table-id":                         one(routeTableID),
		"route.destination-cidr-block":           func(v *network.VPC) []string { return []string{vpcCIDR(v), "0.0.0.0/0"} },
		"route.gateway-id":                       func(v *network.VPC) []string { return []string{"local", gatewayID(v)} },
		"route.origin":                           func(*network.VPC) []string { return []string{"CreateRouteTable", "CreateRoute"} },
		"route.state":                            always[network.VPC]("active"),
		"vpc-id":                                 one(func(v *network.VPC) string { return v.ID }),
	},
}

var gatewayKind = kind[network.VPC]{
	noun: "internetGateway", missing: fault.InvalidParameterValue,
	id:   gatewayID,
	tags: func(*network.VPC) []workload.Tag { return nil },
	fields: map[string]func(*network.VPC) []string{
		"attachment.state":    always[network.VPC]("available"),
		"attachment.vpc-id":   one(func(v *network.VPC) string { return v.ID }),
		"internet-gateway-id": one(gatewayID),
		"owner-id":            one(func(v *network.VPC) string { return v.Scope.Account }),
	},
}

func (a *API) describeRouteTables(ctx context.Context, call *gateway.Call, in *shape.DescribeRouteTablesRequest) (*shape.DescribeRouteTablesResult, error) {
	v, err := a.view(ctx, call.Scope)
	if err != nil {
		return nil, err
	}
	page, next, err := derived(&routeTableKind, defaultVPCs(v, call.Scope), selection{in.RouteTableIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeRouteTablesResult{RouteTables: each(page, routeTableShape), NextToken: next}, nil
}

func routeTableShape(v *network.VPC) shape.RouteTable {
	return shape.RouteTable{
		RouteTableId: new(routeTableID(v)), VpcId: new(v.ID), OwnerId: new(v.Scope.Account),
		Associations: []shape.RouteTableAssociation{{
			Main: new(true), RouteTableAssociationId: new(mainAssociationID(v)), RouteTableId: new(routeTableID(v)),
			AssociationState: &shape.RouteTableAssociationState{State: shape.RouteTableAssociationStateCodeAssociated},
		}},
		PropagatingVgws: []shape.PropagatingVgw{},
		Routes: []shape.Route{
			{DestinationCidrBlock: new(vpcCIDR(v)), GatewayId: new("local"), Origin: shape.RouteOriginCreateRouteTable, State: shape.RouteStateActive},
			{DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: new(gatewayID(v)), Origin: shape.RouteOriginCreateRoute, State: shape.RouteStateActive},
		},
	}
}

func (a *API) describeInternetGateways(ctx context.Context, call *gateway.Call, in *shape.DescribeInternetGatewaysRequest) (*shape.DescribeInternetGatewaysResult, error) {
	v, err := a.view(ctx, call.Scope)
	if err != nil {
		return nil, err
	}
	page, next, err := derived(&gatewayKind, defaultVPCs(v, call.Scope), selection{in.InternetGatewayIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeInternetGatewaysResult{NextToken: next, InternetGateways: each(page, func(v *network.VPC) shape.InternetGateway {
		return shape.InternetGateway{
			InternetGatewayId: new(gatewayID(v)), OwnerId: new(v.Scope.Account),
			Attachments: []shape.InternetGatewayAttachment{{State: "available", VpcId: new(v.ID)}}, // not in the model's enumeration, yet what EC2 says
		}
	})}, nil
}

// defaultVPCs are the VPCs that imply a route table and a gateway.
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
