// Package ec2 answers the part of the EC2 API that users of ECS read: the
// default VPC, its subnets, security groups and routes, the interfaces of tasks,
// zones and regions, and the container instances as EC2 sees them.
//
// What a default VPC implies but nobody can change yet (its internet gateway,
// main route table, network ACL) is not stored: it follows from the VPC.
package ec2

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/region"
	"github.com/berthhq/berth/store"
)

// API answers EC2's operations.
type API struct {
	store store.Store
	// cidr is the range of default VPCs.
	cidr netip.Prefix
}

// New makes the API. cidr is the range that default VPCs get, network.DefaultCIDR
// unless it collides with a network of the host.
func New(st store.Store, cidr netip.Prefix) *API { return &API{store: st, cidr: cidr} }

// Operations are what berth supports of EC2.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"DescribeAccountAttributes":  gateway.Handle(a.describeAccountAttributes),
		"DescribeAvailabilityZones":  gateway.Handle(a.describeAvailabilityZones),
		"DescribeInstances":          gateway.Handle(a.describeInstances),
		"DescribeInternetGateways":   gateway.Handle(a.describeInternetGateways),
		"DescribeNetworkAcls":        gateway.Handle(a.describeNetworkACLs),
		"DescribeNetworkInterfaces":  gateway.Handle(a.describeNetworkInterfaces),
		"DescribeRegions":            gateway.Handle(a.describeRegions),
		"DescribeRouteTables":        gateway.Handle(a.describeRouteTables),
		"DescribeSecurityGroupRules": gateway.Handle(a.describeSecurityGroupRules),
		"DescribeSecurityGroups":     gateway.Handle(a.describeSecurityGroups),
		"DescribeSubnets":            gateway.Handle(a.describeSubnets),
		"DescribeTags":               gateway.Handle(a.describeTags),
		"DescribeVpcAttribute":       gateway.Handle(a.describeVPCAttribute),
		"DescribeVpcs":               gateway.Handle(a.describeVPCs),
	}
}

// EnsureDefaultVPC makes the default VPC of a scope that has no VPC at all.
func EnsureDefaultVPC(ctx context.Context, st store.Store, scope arn.Scope, cidr netip.Prefix) (*store.View, error) {
	v := st.View()
	if hasVPC(v, scope) {
		return v, nil
	}
	v, err := st.Update(ctx, func(tx *store.Tx) error {
		if hasVPC(tx, scope) {
			return nil
		}
		d := network.NewDefault(scope, cidr, "")
		store.VPCs.Put(tx, &d.VPC)
		for n := range d.Subnets {
			store.Subnets.Put(tx, &d.Subnets[n])
		}
		store.SecurityGroups.Put(tx, &d.Group)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("making the default VPC of %s: %w", scope.Region, err)
	}
	return v, nil
}

func hasVPC(r store.Reader, scope arn.Scope) bool {
	for range store.VPCs.Prefix(r, network.Key(scope, "")) {
		return true
	}
	return false
}

// view is the state in which the scope has its default VPC. Regions other than
// the one berth started with get theirs when somebody first looks; names that are
// no region of AWS's stay empty, so that a typing error stores nothing.
func (a *API) view(ctx context.Context, scope arn.Scope) (*store.View, error) {
	if !region.Exists(scope.Region) {
		return a.store.View(), nil
	}
	return EnsureDefaultVPC(ctx, a.store, scope, a.cidr)
}
