package road

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// Place is where a target is.
type Place struct {
	At   netip.AddrPort
	Zone string
}

// PlaceOf finds where a target of a group is reached. ok is false for what nothing may
// be sent to: an address of the group's VPC that nobody holds, one of elsewhere, an
// instance that is not registered.
func PlaceOf(r store.Reader, g *balancer.TargetGroup, t *balancer.Target) (p Place, ok bool) {
	if t.Port < 1 || t.Port > 65535 {
		return p, false
	}
	var at netip.Addr
	switch g.TargetType {
	case balancer.TargetIP:
		at, p.Zone, ok = leased(r, g, t)
	case balancer.TargetInstance:
		at, p.Zone, ok = registered(r, g.Scope, t.ID)
	case balancer.TargetALB:
		at, p.Zone, ok = front(r, g, t.ID)
	}
	p.At = netip.AddrPortFrom(at, uint16(t.Port))
	return p, ok
}

// leased finds the interface that holds the address in the group's VPC.
func leased(r store.Reader, g *balancer.TargetGroup, t *balancer.Target) (netip.Addr, string, bool) {
	at, err := netip.ParseAddr(t.ID)
	if err != nil {
		return at, "", false
	}
	for i := range store.Interfaces.By(r, store.InterfacesByAddress, store.AddressKey(g.Scope, g.VPCID, at)) {
		if i.ReleasedAt.IsZero() {
			return at, i.Zone, true
		}
	}
	return at, "", false
}

// registered finds the address of an instance. The machine may have registered more
// than once: any registration that is not over will do.
func registered(r store.Reader, scope arn.Scope, id string) (netip.Addr, string, bool) {
	for i := range store.Instances.By(r, store.InstancesByEC2ID, id) {
		if i.Scope.Account != scope.Account || !i.DeregisteredAt.IsZero() {
			continue
		}
		if at, ok := addressOf(i); ok {
			return at, i.Zone, true
		}
	}
	return netip.Addr{}, "", false
}

// addressOf is what DescribeInstances shows.
func addressOf(i *cluster.Instance) (netip.Addr, bool) {
	text, _ := i.Attribute(acs.AttributePrivateIP)
	at, err := netip.ParseAddr(text)
	return at, err == nil
}

// front finds the first node, by zone, of an Application balancer of the VPC.
func front(r store.Reader, g *balancer.TargetGroup, arn string) (netip.Addr, string, bool) {
	b, ok := store.Balancers.Get(r, arn)
	if !ok || b.VPCID != g.VPCID || b.Scope != g.Scope || b.Kind != balancer.Application {
		return netip.Addr{}, "", false
	}
	zones := slices.SortedFunc(slices.Values(b.Zones), func(x, y balancer.Zone) int { return cmp.Compare(x.Name, y.Name) })
	for _, z := range zones {
		i, ok := store.Interfaces.Get(r, network.Key(b.Scope, z.InterfaceID))
		if ok && i.ReleasedAt.IsZero() && i.InstanceARN != "" {
			return i.PrivateIP, z.Name, true
		}
	}
	return netip.Addr{}, "", false
}
