package elbv2

import (
	"net/netip"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// requester is who AWS says made a balancer's interfaces.
const requester = "amazon-elb"

// lease takes an address of a subnet for a node of a balancer: the one that is asked
// for, or any where that is not valid.
func (a *API) lease(tx *store.Tx, b *balancer.Balancer, s *network.Subnet, asked netip.Addr, now time.Time) (*network.Interface, error) {
	id := "eni-0" + a.newID()
	taken := func(ip netip.Addr) bool {
		return store.Interfaces.Has(tx, store.InterfacesByAddress, store.AddressKey(b.Scope, s.VPCID, ip))
	}
	ip, ok := asked, asked.IsValid() && !taken(asked)
	if !asked.IsValid() {
		ip, ok = s.PickAddress(id, taken)
	}
	if !ok {
		return nil, unfit("Not enough IP space available in %s. ELB requires at least 8 free IP addresses in each subnet.", s.ID).
			WithHint("the address that was asked for is in use, or none of the subnet is free")
	}
	i := &network.Interface{
		Scope: b.Scope, ID: id, VPCID: s.VPCID, SubnetID: s.ID, Zone: s.Zone, MAC: network.MAC(id, ip), PrivateIP: ip,
		PrivateDNSName: network.PrivateDNSName(b.Scope.Region, ip), SecurityGroups: b.SecurityGroups,
		Kind: network.ForBalancer, Owner: b.ARN, Description: b.NodeDescription(), RequesterID: requester,
		Unchecked: b.Kind == balancer.Network, CreatedAt: now,
	}
	return i, nil
}

// release gives a node's address back. It is quarantined like a task's.
func release(tx *store.Tx, b *balancer.Balancer, z balancer.Zone, now time.Time) {
	if have, ok := store.Interfaces.Get(tx, network.Key(b.Scope, z.InterfaceID)); ok && have.ReleasedAt.IsZero() {
		next := *have
		next.ReleasedAt, next.PublicIP = now, netip.Addr{}
		store.Interfaces.Put(tx, &next)
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
