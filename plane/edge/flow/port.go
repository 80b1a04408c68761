package flow

import (
	"net/netip"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/domain/balancer"
)

const (
	// defaultIdle is for listeners without the attribute, in seconds.
	defaultIdle       = 350
	protocolTLS       = "TLS"
	protocolUDP       = "UDP"
	protocolTCPAndUDP = "TCP_UDP"
)

// port is a listener of a node as the kernel carries it.
type port struct {
	number   uint16
	protocol byte // IPPROTO_TCP or IPPROTO_UDP
	slots    []netip.AddrPort
	bySource bool // the same sender comes to the same target
	preserve bool // targets see the sender's address
}

// mark is what connections of the port are known by in the node's namespace, for as
// long as they last.
func (p *port) mark() uint32 {
	m := uint32(p.number) << 2
	if p.protocol == unix.IPPROTO_UDP {
		m |= 2
	}
	if p.preserve {
		m |= 1
	}
	return m
}

// name of the port's map of slots.
func (p *port) name() string {
	if p.protocol == unix.IPPROTO_UDP {
		return "udp" + strconv.Itoa(int(p.number))
	}
	return "tcp" + strconv.Itoa(int(p.number))
}

// Usable tells whether a target is healthy as far as is known.
type Usable func(group, target string) bool

// choice is what a listener's connections are spread over.
type choice struct {
	front  *balancer.Front
	node   *balancer.Node
	pools  map[string]*balancer.Pool
	usable Usable
}

// ports are those of the node's listeners that the kernel carries, in order.
func (c *choice) ports() []port {
	var all []port
	for n := range c.front.Listeners {
		l := &c.front.Listeners[n].Listener
		groups := c.groups(l)
		if len(groups) == 0 || Spliced(l, groups) {
			continue
		}
		first := &groups[0].pool.Group
		p := port{number: uint16(l.Port), slots: spread(c.shares(groups)), bySource: first.Enabled(balancer.StickinessEnabled)}
		if len(p.slots) == 0 {
			continue
		}
		for _, protocol := range protocolsOf(l.Protocol) {
			p.protocol, p.preserve = protocol, Preserves(first, protocol)
			all = append(all, p)
		}
	}
	return all
}

func protocolsOf(name string) []byte {
	switch name {
	case protocolUDP:
		return []byte{unix.IPPROTO_UDP}
	case protocolTCPAndUDP:
		return []byte{unix.IPPROTO_TCP, unix.IPPROTO_UDP}
	}
	return []byte{unix.IPPROTO_TCP}
}

// weighted is a pool and its share of a listener's connections.
type weighted struct {
	pool   *balancer.Pool
	weight int
}

// groups are the pools that a listener leads to with some weight.
func (c *choice) groups(l *balancer.Listener) []weighted {
	var out []weighted
	for _, a := range l.Default {
		if a.Forward == nil {
			continue
		}
		for _, g := range a.Forward.Groups {
			weight := g.Weight
			if len(a.Forward.Groups) == 1 {
				weight = 1
			}
			if p := c.pools[g.GroupARN]; p != nil && weight > 0 {
				out = append(out, weighted{p, weight})
			}
		}
	}
	return out
}

// shares are the targets that get new connections, each with its part of its group's
// weight.
func (c *choice) shares(groups []weighted) []share {
	parts := map[netip.AddrPort]float64{}
	for _, g := range groups {
		targets := c.targets(g.pool)
		for _, t := range targets {
			parts[t.Address] += float64(g.weight) / float64(len(targets))
		}
	}
	var out []share
	for at, weight := range parts {
		out = append(out, share{at, weight})
	}
	slices.SortFunc(out, func(a, b share) int { return a.at.Compare(b.at) })
	return out
}

// targets of a pool for the node: healthy ones, or all where those are too few; of the
// node's zone, unless balancing crosses zones or the zone has none.
func (c *choice) targets(p *balancer.Pool) []balancer.PoolTarget {
	open := slices.DeleteFunc(slices.Clone(p.Targets), func(t balancer.PoolTarget) bool { return t.Draining || !t.Address.Addr().Is4() })
	fit := slices.DeleteFunc(slices.Clone(open), func(t balancer.PoolTarget) bool { return c.usable != nil && !c.usable(p.Group.ARN, t.Key) })
	if !p.Group.Enough(len(fit), len(open)) {
		fit = open
	}
	if balancer.CrossZone(&c.front.Balancer, &p.Group) {
		return fit
	}
	return narrowed(fit, func(t balancer.PoolTarget) bool { return t.Zone == c.node.Zone })
}

// narrowed are those that fit, or all if none does.
func narrowed(targets []balancer.PoolTarget, fits func(balancer.PoolTarget) bool) []balancer.PoolTarget {
	some := slices.DeleteFunc(slices.Clone(targets), func(t balancer.PoolTarget) bool { return !fits(t) })
	if len(some) == 0 {
		return targets
	}
	return some
}

// Preserves tells whether targets of a group see the addresses of senders: always with
// UDP and behind an Application balancer; with TCP as the attribute says, which is on
// by default for instances and off for addresses.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#client-ip-preservation
func Preserves(g *balancer.TargetGroup, protocol byte) bool {
	always := protocol == unix.IPPROTO_UDP || g.Protocol == protocolUDP || g.Protocol == protocolTCPAndUDP || g.TargetType == balancer.TargetALB
	return always || g.Enabled(balancer.PreserveClientIP)
}

// Spliced tells whether connections of a listener end here and go on as others, in
// user space: where there is TLS on either side, or a header to be sent first.
func Spliced(l *balancer.Listener, groups []weighted) bool {
	return l.Protocol == protocolTLS || slices.ContainsFunc(groups, func(g weighted) bool {
		return g.pool.Group.Protocol == protocolTLS || g.pool.Group.Enabled(balancer.ProxyProtocol)
	})
}
