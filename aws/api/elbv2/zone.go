package elbv2

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// place is where a node is asked for.
type place struct {
	subnet     *network.Subnet
	allocation string     // of an Elastic IP address; empty for none
	private    netip.Addr // not valid for any
}

// readPlaces reads the subnets of a call: as ids or as mappings.
func readPlaces(r store.Reader, scope arn.Scope, ids []string, mappings []shape.SubnetMapping) ([]place, error) {
	switch {
	case len(ids) > 0 && len(mappings) > 0:
		return nil, invalid("You must specify either subnets or subnet mappings, but not both")
	case len(ids)+len(mappings) == 0:
		return nil, invalid("A load balancer must have at least one subnet").WithHint("name --subnets or --subnet-mappings")
	}
	for n := range ids {
		mappings = append(mappings, shape.SubnetMapping{SubnetId: &ids[n]})
	}
	var all []place
	for n := range mappings {
		p, err := readPlace(r, scope, &mappings[n])
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func readPlace(r store.Reader, scope arn.Scope, m *shape.SubnetMapping) (p place, err error) {
	if m.IPv6Address != nil || m.SourceNatIpv6Prefix != nil {
		return p, unfit("IPv6 addresses are not supported").WithHint("VPCs of berth are IPv4")
	}
	id, ok := member.Value(m.SubnetId), false
	if p.subnet, ok = store.Subnets.Get(r, network.Key(scope, id)); !ok {
		return p, fault.New(fault.SubnetNotFound, "The subnet ID '%s' does not exist", id)
	}
	p.allocation = member.Value(m.AllocationId)
	if m.PrivateIPv4Address == nil {
		return p, nil
	}
	p.private, err = netip.ParseAddr(*m.PrivateIPv4Address)
	if err != nil || !p.subnet.Leasable(p.private) {
		return p, unfit("The private IPv4 address '%s' is not an address of the subnet '%s' that can be used", *m.PrivateIPv4Address, id)
	}
	return p, nil
}

// checkPlaces refuses subnets that a balancer of the kind and scheme cannot be in.
func checkPlaces(r store.Reader, b *balancer.Balancer, all []place) error {
	var zones []string
	for _, p := range all {
		switch {
		case p.subnet.VPCID != all[0].subnet.VPCID:
			return unfit("All subnets must be in the same VPC")
		case b.VPCID != "" && p.subnet.VPCID != b.VPCID:
			return fault.New(fault.InvalidSubnet, "The subnet '%s' is not in the VPC '%s' of the load balancer", p.subnet.ID, b.VPCID)
		case slices.Contains(zones, p.subnet.Zone):
			return unfit("A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		zones = append(zones, p.subnet.Zone)
		if err := checkAddresses(r, b, p); err != nil {
			return err
		}
	}
	if b.Kind == balancer.Application && len(zones) < 2 {
		return invalid("At least two subnets in two different Availability Zones must be specified")
	}
	if b.Scheme == balancer.InternetFacing && !hasGateway(r, b.Scope, all[0].subnet.VPCID) {
		return fault.New(fault.InvalidSubnet, "VPC %s has no internet gateway", all[0].subnet.VPCID)
	}
	return nil
}

// checkAddresses refuses addresses that are asked for where none can be.
func checkAddresses(r store.Reader, b *balancer.Balancer, p place) error {
	switch {
	case p.allocation == "" && !p.private.IsValid():
		return nil
	case b.Kind != balancer.Network:
		return unfit("Elastic IP and private IPv4 addresses are supported only for load balancers of type 'network'")
	case p.private.IsValid() && b.Scheme != balancer.Internal:
		return unfit("Private IPv4 addresses are supported only for internal load balancers")
	case p.allocation == "":
		return nil
	case b.Scheme != balancer.InternetFacing:
		return unfit("Elastic IP addresses are supported only for internet-facing load balancers")
	}
	address, ok := store.Addresses.Get(r, network.Key(b.Scope, p.allocation))
	if !ok {
		return fault.New(fault.AllocationIDNotFound, "The allocation ID '%s' does not exist", p.allocation)
	}
	held := func(z balancer.Zone) bool { return z.AllocationID == p.allocation }
	if address.AssociationID != "" && !slices.ContainsFunc(b.Zones, held) {
		return fault.New(fault.LoadBalancingInUse, "The allocation ID '%s' is already in use", p.allocation)
	}
	return nil
}

// hasGateway tells whether a VPC reaches the world. A default one always does.
func hasGateway(r store.Reader, scope arn.Scope, vpc string) bool {
	if v, ok := store.VPCs.Get(r, network.Key(scope, vpc)); ok && v.Default {
		return true
	}
	for g := range store.InternetGateways.Prefix(r, network.Key(scope, "")) {
		if g.VPCID == vpc && !g.EgressOnly {
			return true
		}
	}
	return false
}

// settle gives a balancer a node in each place: those that stay are kept, the others
// are made and released.
func (a *API) settle(tx *store.Tx, b *balancer.Balancer, all []place, now time.Time) error {
	var zones []balancer.Zone
	for _, p := range all {
		kept := slices.IndexFunc(b.Zones, func(z balancer.Zone) bool {
			return z.SubnetID == p.subnet.ID && z.AllocationID == p.allocation && (!p.private.IsValid() || addressOf(tx, b, &z) == p.private)
		})
		if kept >= 0 {
			zones = append(zones, b.Zones[kept])
		}
	}
	for _, z := range b.Zones {
		if !slices.Contains(zones, z) {
			release(tx, b, z, now)
		}
	}
	for _, p := range all {
		if slices.ContainsFunc(zones, func(z balancer.Zone) bool { return z.SubnetID == p.subnet.ID }) {
			continue
		}
		z, err := a.addNode(tx, b, p, now)
		if err != nil {
			return err
		}
		zones = append(zones, z)
	}
	slices.SortFunc(zones, func(x, y balancer.Zone) int { return strings.Compare(x.Name, y.Name) })
	b.Zones = zones
	return nil
}

func addressOf(r store.Reader, b *balancer.Balancer, z *balancer.Zone) netip.Addr {
	i, ok := nodeOf(r, b, z)
	if !ok {
		return netip.Addr{}
	}
	return i.PrivateIP
}

// addNode makes the node of a place.
func (a *API) addNode(tx *store.Tx, b *balancer.Balancer, p place, now time.Time) (balancer.Zone, error) {
	i, err := a.node(tx, b, p.subnet, p.private, now)
	if err != nil {
		return balancer.Zone{}, err
	}
	if b.Scheme == balancer.InternetFacing {
		public := *i
		if err := a.publish(tx, &public, p.allocation); err != nil {
			return balancer.Zone{}, err
		}
		store.Interfaces.Put(tx, &public)
	}
	return balancer.Zone{Name: p.subnet.Zone, SubnetID: p.subnet.ID, InterfaceID: i.ID, AllocationID: p.allocation, Pinned: p.private.IsValid()}, nil
}

// publish gives a node its public address: an Elastic IP address, or one of the pool.
func (a *API) publish(tx *store.Tx, i *network.Interface, allocation string) (err error) {
	have, ok := store.Addresses.Get(tx, network.Key(i.Scope, allocation))
	if !ok {
		if a.public != nil {
			i.PublicIP, err = a.public(tx, i)
		}
		return err
	}
	next := *have
	next.AssociationID, next.InterfaceID, next.PrivateIP = "eipassoc-0"+a.newID(), i.ID, i.PrivateIP
	store.Addresses.Put(tx, &next)
	i.PublicIP = next.IP
	return nil
}
