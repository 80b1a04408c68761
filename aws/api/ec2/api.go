// Package ec2 answers EC2's network: VPCs and their subnets, routes and gateways,
// security groups, interfaces, addresses and endpoints; and the container instances as
// EC2 sees them.
package ec2

import (
	"context"
	"net/netip"

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
	// public is where Elastic IP addresses come from.
	public netip.Prefix
}

// New makes the API. cidr is the range that default VPCs get, network.DefaultCIDR
// unless it collides with a network of the host. Elastic IP addresses are of
// network.PublicPool.
func New(st store.Store, cidr netip.Prefix) *API {
	return &API{store: st, cidr: cidr, public: network.PublicPool()}
}

// WithPublic takes Elastic IP addresses from another pool, of IPv4.
func (a *API) WithPublic(pool netip.Prefix) *API {
	next := *a
	next.public = pool
	return &next
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
