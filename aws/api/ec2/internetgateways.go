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

type internetGateway = network.InternetGateway

var gatewayKind = kind[internetGateway]{
	noun: "internetGateway", missing: fault.InvalidInternetGatewayID,
	id:   func(g *internetGateway) string { return g.ID },
	tags: func(g *internetGateway) []workload.Tag { return g.Tags },
	fields: map[string]func(*internetGateway) []string{
		"attachment.state": func(g *internetGateway) []string {
			return texts(attachments(g), func(a shape.InternetGatewayAttachment) string { return string(a.State) })
		},
		"attachment.vpc-id":   func(g *internetGateway) []string { return texts([]string{g.VPCID}, func(s string) string { return s }) },
		"internet-gateway-id": one(func(g *internetGateway) string { return g.ID }),
		"owner-id":            one(func(g *internetGateway) string { return g.Scope.Account }),
	},
}

// attachments: "available" is not in the model's enumeration, yet what EC2 says.
func attachments(g *internetGateway) []shape.InternetGatewayAttachment {
	if g.VPCID == "" {
		return []shape.InternetGatewayAttachment{}
	}
	state := shape.AttachmentStatus("available")
	if g.EgressOnly {
		state = shape.AttachmentStatusAttached
	}
	return []shape.InternetGatewayAttachment{{State: state, VpcId: new(g.VPCID)}}
}

func gatewayShape(g *internetGateway) shape.InternetGateway {
	return shape.InternetGateway{InternetGatewayId: new(g.ID), OwnerId: new(g.Scope.Account), Attachments: attachments(g), Tags: tagShapes(g.Tags)}
}

func egressShape(g *internetGateway) shape.EgressOnlyInternetGateway {
	return shape.EgressOnlyInternetGateway{EgressOnlyInternetGatewayId: new(g.ID), Attachments: attachments(g), Tags: tagShapes(g.Tags)}
}

// gateways are those of one sort: the ids of the two begin differently.
func gateways(r store.Reader, scope arn.Scope, egressOnly bool) []*internetGateway {
	prefix := "igw-"
	if egressOnly {
		prefix = "eigw-"
	}
	found := []*internetGateway{}
	for g := range store.InternetGateways.Prefix(r, network.Key(scope, prefix)) {
		found = append(found, g)
	}
	return found
}

func (a *API) describeInternetGateways(v *store.View, call *gateway.Call, in *shape.DescribeInternetGatewaysRequest) (*shape.DescribeInternetGatewaysResult, error) {
	page, next, err := derived(&gatewayKind, gateways(v, call.Scope, false), selection{in.InternetGatewayIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeInternetGatewaysResult{InternetGateways: each(page, gatewayShape), NextToken: next}, nil
}

// describeEgressOnlyInternetGateways leaves out what does not exist: AWS does too.
func (a *API) describeEgressOnlyInternetGateways(v *store.View, call *gateway.Call, in *shape.DescribeEgressOnlyInternetGatewaysRequest) (*shape.DescribeEgressOnlyInternetGatewaysResult, error) {
	filters := in.Filters
	if len(in.EgressOnlyInternetGatewayIds) > 0 {
		filters = append([]shape.Filter{{Name: new("internet-gateway-id"), Values: in.EgressOnlyInternetGatewayIds}}, filters...)
	}
	page, next, err := derived(&gatewayKind, gateways(v, call.Scope, true), selection{nil, filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeEgressOnlyInternetGatewaysResult{EgressOnlyInternetGateways: each(page, egressShape), NextToken: next}, nil
}

func (a *API) createInternetGateway(tx *store.Tx, call *gateway.Call, in *shape.CreateInternetGatewayRequest) (*shape.CreateInternetGatewayResult, error) {
	tags, err := specified(in.TagSpecifications, shape.ResourceTypeInternetGateway)
	if err != nil {
		return nil, err
	}
	g := internetGateway{Scope: call.Scope, ID: newID("igw"), Tags: tags}
	store.InternetGateways.Put(tx, &g)
	return &shape.CreateInternetGatewayResult{InternetGateway: new(gatewayShape(&g))}, nil
}

func (a *API) createEgressOnlyInternetGateway(tx *store.Tx, call *gateway.Call, in *shape.CreateEgressOnlyInternetGatewayRequest) (*shape.CreateEgressOnlyInternetGatewayResult, error) {
	v, err := findVPC(tx, call.Scope, in.VpcId)
	if err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, shape.ResourceTypeEgressOnlyInternetGateway)
	if err != nil {
		return nil, err
	}
	g := internetGateway{Scope: call.Scope, ID: newID("eigw"), VPCID: v.ID, EgressOnly: true, Tags: tags}
	store.InternetGateways.Put(tx, &g)
	return &shape.CreateEgressOnlyInternetGatewayResult{EgressOnlyInternetGateway: new(egressShape(&g)), ClientToken: in.ClientToken}, nil
}

func findGateway(r store.Reader, scope arn.Scope, id *string) (*internetGateway, error) {
	g, err := find(&gatewayKind, store.InternetGateways, r, scope, id)
	if err == nil && g.EgressOnly {
		return nil, fault.New(fault.InvalidInternetGatewayID, "The internetGateway ID '%s' does not exist", g.ID)
	}
	return g, err
}

func (a *API) attachInternetGateway(tx *store.Tx, call *gateway.Call, in *shape.AttachInternetGatewayRequest) (*empty, error) {
	g, err := findGateway(tx, call.Scope, in.InternetGatewayId)
	if err != nil {
		return nil, err
	}
	v, err := findVPC(tx, call.Scope, in.VpcId)
	if err != nil {
		return nil, err
	}
	if g.VPCID != "" {
		return nil, fault.New(fault.AlreadyAssociated, "resource %s is already attached to network %s", g.ID, g.VPCID)
	}
	for other := range store.InternetGateways.By(tx, store.InternetGatewaysByVPC, network.Key(v.Scope, v.ID)) {
		if !other.EgressOnly {
			return nil, invalid("Network %s already has an internet gateway attached", v.ID)
		}
	}
	next := *g
	next.VPCID = v.ID
	store.InternetGateways.Put(tx, &next)
	return &empty{}, nil
}

func (a *API) detachInternetGateway(tx *store.Tx, call *gateway.Call, in *shape.DetachInternetGatewayRequest) (*empty, error) {
	g, err := findGateway(tx, call.Scope, in.InternetGatewayId)
	if err != nil {
		return nil, err
	}
	if g.VPCID == "" || g.VPCID != deref(in.VpcId) {
		return nil, fault.New(fault.GatewayNotAttached, "resource %s is not attached to network %s", g.ID, deref(in.VpcId))
	}
	for address := range store.Addresses.Prefix(tx, network.Key(call.Scope, "")) {
		if i, ok := store.Interfaces.Get(tx, network.Key(call.Scope, address.InterfaceID)); ok && i.VPCID == g.VPCID {
			return nil, inUse("Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.", g.VPCID)
		}
	}
	next := *g
	next.VPCID = ""
	store.InternetGateways.Put(tx, &next)
	return &empty{}, nil
}

func (a *API) deleteInternetGateway(tx *store.Tx, call *gateway.Call, in *shape.DeleteInternetGatewayRequest) (*empty, error) {
	g, err := findGateway(tx, call.Scope, in.InternetGatewayId)
	if err != nil {
		return nil, err
	}
	if g.VPCID != "" {
		return nil, inUse("The internetGateway '%s' has dependencies and cannot be deleted.", g.ID)
	}
	store.InternetGateways.Delete(tx, network.Key(g.Scope, g.ID))
	return &empty{}, nil
}

func (a *API) deleteEgressOnlyInternetGateway(tx *store.Tx, call *gateway.Call, in *shape.DeleteEgressOnlyInternetGatewayRequest) (*shape.DeleteEgressOnlyInternetGatewayResult, error) {
	id := deref(in.EgressOnlyInternetGatewayId)
	g, ok := store.InternetGateways.Get(tx, network.Key(call.Scope, id))
	if !ok || !g.EgressOnly {
		return nil, fault.New(fault.InvalidEgressGatewayID, "The egressOnlyInternetGateway ID '%s' does not exist", id)
	}
	store.InternetGateways.Delete(tx, network.Key(g.Scope, g.ID))
	return &shape.DeleteEgressOnlyInternetGatewayResult{ReturnCode: new(true)}, nil
}
