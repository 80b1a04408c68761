package elbv2

import (
	"net/netip"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
)

// requester is who AWS says made a balancer's interfaces.
const requester = "amazon-elb"

// node takes an address of a subnet for a node of a balancer: the one that is asked
// for, or any where that is not valid. What another interface has already it refuses in
// the words of this API.
func (a *API) node(tx *store.Tx, b *balancer.Balancer, s *network.Subnet, asked netip.Addr, now time.Time) (*network.Interface, error) {
	i, err := lease.Take(tx, s, network.Interface{
		ID: "eni-0" + a.newID(), PrivateIP: asked, SecurityGroups: b.SecurityGroups, Kind: network.ForBalancer, Owner: b.ARN,
		Description: b.NodeDescription(), RequesterID: requester, Unchecked: b.Kind == balancer.Network,
	}, now)
	switch {
	case fault.IsKind(err, fault.InsufficientFreeAddresses):
		return nil, unfit("Not enough IP space available in %s. ELB requires at least 8 free IP addresses in each subnet.", s.ID)
	case fault.IsKind(err, fault.AddressInUse):
		return nil, unfit("The private IPv4 address '%s' is already in use in the subnet '%s'", asked, s.ID)
	}
	return i, err
}

// release gives a node's address back.
func release(tx *store.Tx, b *balancer.Balancer, z balancer.Zone, now time.Time) {
	if have, ok := store.Interfaces.Get(tx, network.Key(b.Scope, z.InterfaceID)); ok && have.ReleasedAt.IsZero() {
		next := *have
		next.PublicIP = netip.Addr{}
		lease.Release(tx, &next, now)
	}
	if have, ok := store.Addresses.Get(tx, network.Key(b.Scope, z.AllocationID)); ok && have.InterfaceID == z.InterfaceID {
		next := *have
		next.AssociationID, next.InterfaceID, next.PrivateIP = "", "", netip.Addr{}
		store.Addresses.Put(tx, &next)
	}
}

// nodeOf is the interface of a balancer's node.
func nodeOf(r store.Reader, b *balancer.Balancer, z *balancer.Zone) (*network.Interface, bool) {
	return store.Interfaces.Get(r, network.Key(b.Scope, z.InterfaceID))
}
