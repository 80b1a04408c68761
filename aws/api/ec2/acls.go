package ec2

import (
	"context"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

func aclID(v *network.VPC) string { return network.DerivedID("acl", v.ID) }

var aclKind = kind[network.VPC]{
	noun: "networkAcl", missing: fault.InvalidParameterValue,
	id:   aclID,
	tags: func(*network.VPC) []workload.Tag { return nil },
	fields: map[string]func(*network.VPC) []string{
		"association.network-acl-id": one(aclID),
		"default":                    always[network.VPC]("true"),
		"network-acl-id":             one(aclID),
		"owner-id":                   one(func(v *network.VPC) string { return v.Scope.Account }),
		"vpc-id":                     one(func(v *network.VPC) string { return v.ID }),
	},
}

func (a *API) describeNetworkACLs(ctx context.Context, call *gateway.Call, in *shape.DescribeNetworkAclsRequest) (*shape.DescribeNetworkAclsResult, error) {
	view, err := a.view(ctx, call.Scope)
	if err != nil {
		return nil, err
	}
	page, next, err := derived(&aclKind, defaultVPCs(view, call.Scope), selection{in.NetworkAclIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeNetworkAclsResult{
		NetworkAcls: each(page, func(v *network.VPC) shape.NetworkAcl { return aclShape(view, v) }), NextToken: next,
	}, nil
}

func aclShape(r store.Reader, v *network.VPC) shape.NetworkAcl {
	acl := shape.NetworkAcl{
		NetworkAclId: new(aclID(v)), VpcId: new(v.ID), OwnerId: new(v.Scope.Account), IsDefault: new(true),
		Associations: []shape.NetworkAclAssociation{},
	}
	for s := range store.Subnets.By(r, store.SubnetsByVPC, network.Key(v.Scope, v.ID)) {
		acl.Associations = append(acl.Associations, shape.NetworkAclAssociation{
			NetworkAclAssociationId: new(network.DerivedID("aclassoc", s.ID)), NetworkAclId: acl.NetworkAclId, SubnetId: new(s.ID),
		})
	}
	for _, out := range []bool{true, false} { // allow all, then the rule that cannot be removed
		acl.Entries = append(acl.Entries, aclEntry(out, 100, shape.RuleActionAllow), aclEntry(out, 32767, shape.RuleActionDeny))
	}
	return acl
}

func aclEntry(egress bool, number int32, action shape.RuleAction) shape.NetworkAclEntry {
	return shape.NetworkAclEntry{
		CidrBlock: new("0.0.0.0/0"), Egress: new(egress), Protocol: new("-1"), RuleAction: action, RuleNumber: new(number),
	}
}
