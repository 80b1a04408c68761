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

var vpcKind = kind[network.VPC]{
	noun: "vpc", missing: fault.InvalidVpcID,
	id:   func(v *network.VPC) string { return v.ID },
	tags: func(v *network.VPC) []workload.Tag { return v.Tags },
	fields: map[string]func(*network.VPC) []string{
		"cidr":                                  one(vpcCIDR),
		"cidr-block":                            one(vpcCIDR),
		"cidrBlock":                             one(vpcCIDR),
		"cidr-block-association.cidr-block":     vpcRanges(func(r network.Range) string { return r.CIDR.String() }),
		"cidr-block-association.association-id": vpcRanges(func(r network.Range) string { return r.AssociationID }),
		"cidr-block-association.state":          always[network.VPC]("associated"),
		"dhcp-options-id":                       one(func(v *network.VPC) string { return v.DHCPOptionsID }),
		"is-default":                            truth(vpcDefault),
		"isDefault":                             truth(vpcDefault),
		"owner-id":                              one(func(v *network.VPC) string { return v.Scope.Account }),
		"state":                                 always[network.VPC]("available"),
		"vpc-id":                                one(func(v *network.VPC) string { return v.ID }),
	},
}

func vpcCIDR(v *network.VPC) string          { return v.CIDR.String() }
func vpcDefault(v *network.VPC) bool         { return v.Default }
func vpcAssociationID(v *network.VPC) string { return network.DerivedID("vpc-cidr-assoc", v.ID) }

// allRanges has the first range too.
func allRanges(v *network.VPC) []network.Range {
	return append([]network.Range{{AssociationID: vpcAssociationID(v), CIDR: v.CIDR}}, v.More...)
}

func vpcRanges(value func(network.Range) string) func(*network.VPC) []string {
	return func(v *network.VPC) []string {
		var values []string
		for _, r := range allRanges(v) {
			values = append(values, value(r))
		}
		return values
	}
}

func (a *API) describeVPCs(ctx context.Context, call *gateway.Call, in *shape.DescribeVpcsRequest) (*shape.DescribeVpcsResult, error) {
	v, err := a.view(ctx, call.Scope)
	if err != nil {
		return nil, err
	}
	page, next, err := stored(&vpcKind, store.VPCs, v, call.Scope, selection{in.VpcIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeVpcsResult{Vpcs: each(page, vpcShape), NextToken: next}, nil
}

func vpcShape(v *network.VPC) shape.Vpc {
	s := shape.Vpc{
		VpcId: new(v.ID), OwnerId: new(v.Scope.Account), State: shape.VpcStateAvailable, IsDefault: new(v.Default),
		CidrBlock: new(vpcCIDR(v)), InstanceTenancy: tenancy(v), DhcpOptionsId: new(v.DHCPOptionsID), Tags: tagShapes(v.Tags),
	}
	for _, r := range allRanges(v) {
		s.CidrBlockAssociationSet = append(s.CidrBlockAssociationSet, rangeShape(r, shape.VpcCidrBlockStateCodeAssociated))
	}
	return s
}

func tenancy(v *network.VPC) shape.Tenancy {
	if v.Tenancy == "" {
		return shape.TenancyDefault
	}
	return shape.Tenancy(v.Tenancy)
}

func rangeShape(r network.Range, state shape.VpcCidrBlockStateCode) shape.VpcCidrBlockAssociation {
	return shape.VpcCidrBlockAssociation{
		AssociationId: new(r.AssociationID), CidrBlock: new(r.CIDR.String()), CidrBlockState: &shape.VpcCidrBlockState{State: state},
	}
}

func (a *API) describeVPCAttribute(ctx context.Context, call *gateway.Call, in *shape.DescribeVpcAttributeRequest) (*shape.DescribeVpcAttributeResult, error) {
	view, err := a.view(ctx, call.Scope)
	if err != nil {
		return nil, err
	}
	page, _, err := stored(&vpcKind, store.VPCs, view, call.Scope, selection{ids: []string{deref(in.VpcId)}})
	if err != nil {
		return nil, err
	}
	v, out := page[0], &shape.DescribeVpcAttributeResult{VpcId: in.VpcId}
	switch in.Attribute {
	case shape.VpcAttributeNameEnableDnsSupport:
		out.EnableDnsSupport = &shape.AttributeBooleanValue{Value: new(v.DNSSupport)}
	case shape.VpcAttributeNameEnableDnsHostnames:
		out.EnableDnsHostnames = &shape.AttributeBooleanValue{Value: new(v.DNSHostnames)}
	case shape.VpcAttributeNameEnableNetworkAddressUsageMetrics:
		out.EnableNetworkAddressUsageMetrics = &shape.AttributeBooleanValue{Value: new(v.AddressUsageMetrics)}
	default:
		return nil, fault.New(fault.InvalidParameterValue, "Value (%s) for parameter attribute is invalid. Unknown attribute.", in.Attribute)
	}
	return out, nil
}

// each converts a page. The answer has its list even when that is empty.
func each[T, S any](page []*T, convert func(*T) S) []S {
	out := make([]S, len(page))
	for n, record := range page {
		out[n] = convert(record)
	}
	return out
}

// tagShapes is nil without tags: AWS leaves the set out.
func tagShapes(tags []workload.Tag) []shape.Tag {
	if len(tags) == 0 {
		return nil
	}
	out := make([]shape.Tag, len(tags))
	for n, t := range tags {
		out[n] = shape.Tag{Key: new(t.Key), Value: new(t.Value)}
	}
	return out
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
