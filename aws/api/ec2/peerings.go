package ec2

import (
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

const peeringActive = string(shape.VpcPeeringConnectionStateReasonCodeActive)

type peering = network.Peering

var peeringKind = kind[peering]{
	noun: "vpcPeeringConnection", missing: fault.InvalidPeeringID,
	id:   func(p *peering) string { return p.ID },
	tags: func(p *peering) []workload.Tag { return p.Tags },
	fields: map[string]func(*peering) []string{
		"accepter-vpc-info.vpc-id":  one(func(p *peering) string { return p.Accepter }),
		"requester-vpc-info.vpc-id": one(func(p *peering) string { return p.Requester }),
		"status-code":               one(func(p *peering) string { return p.Status }),
		"vpc-peering-connection-id": one(func(p *peering) string { return p.ID }),
	},
}

// createPeering refuses: hosts keep VPCs apart and would carry nothing between them.
func (a *API) createPeering(tx *store.Tx, call *gateway.Call, in *shape.CreateVpcPeeringConnectionRequest) (*shape.CreateVpcPeeringConnectionResult, error) {
	if _, err := findVPC(tx, call.Scope, in.VpcId); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.UnsupportedOperation, "VPC peering is not supported: no traffic is carried between VPCs.").
		WithHint("use one VPC, or an endpoint service with interface endpoints")
}

func (a *API) describePeerings(v *store.View, call *gateway.Call, in *shape.DescribeVpcPeeringConnectionsRequest) (*shape.DescribeVpcPeeringConnectionsResult, error) {
	if _, _, err := stored(&peeringKind, store.Peerings, v, call.Scope, selection{in.VpcPeeringConnectionIds, in.Filters, in.MaxResults, in.NextToken}); err != nil {
		return nil, err
	}
	return &shape.DescribeVpcPeeringConnectionsResult{VpcPeeringConnections: []shape.VpcPeeringConnection{}}, nil
}

// noPeering answers what is asked of a peering connection: there is none.
func noPeering(r store.Reader, scope arn.Scope, id *string) error {
	_, err := find(&peeringKind, store.Peerings, r, scope, id)
	if err == nil {
		err = fault.New(fault.UnsupportedOperation, "VPC peering is not supported: no traffic is carried between VPCs.")
	}
	return err
}

func (a *API) acceptPeering(tx *store.Tx, call *gateway.Call, in *shape.AcceptVpcPeeringConnectionRequest) (*shape.AcceptVpcPeeringConnectionResult, error) {
	return nil, noPeering(tx, call.Scope, in.VpcPeeringConnectionId)
}

func (a *API) rejectPeering(tx *store.Tx, call *gateway.Call, in *shape.RejectVpcPeeringConnectionRequest) (*shape.RejectVpcPeeringConnectionResult, error) {
	return nil, noPeering(tx, call.Scope, in.VpcPeeringConnectionId)
}

func (a *API) deletePeering(tx *store.Tx, call *gateway.Call, in *shape.DeleteVpcPeeringConnectionRequest) (*shape.DeleteVpcPeeringConnectionResult, error) {
	return nil, noPeering(tx, call.Scope, in.VpcPeeringConnectionId)
}

func (a *API) modifyPeeringOptions(tx *store.Tx, call *gateway.Call, in *shape.ModifyVpcPeeringConnectionOptionsRequest) (*shape.ModifyVpcPeeringConnectionOptionsResult, error) {
	return nil, noPeering(tx, call.Scope, in.VpcPeeringConnectionId)
}
