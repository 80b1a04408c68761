package network

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"

	"github.com/berthhq/berth/agent/network/ruleset"
	"github.com/berthhq/berth/domain/network"
)

// road is what the host does for one router: addresses outside the VPC that lead to
// it, and the tunnel whose packets it lets in.
type road struct {
	outside []netip.Addr
	number  uint32
	peers   []network.PeerHost
}

// surroundings brings what is around the router's table in line with it. r.mu is held.
func (r *Router) surroundings() error {
	want := road{peers: r.peers()}
	if len(want.peers) > 0 {
		want.number = r.state.Number
	}
	for _, e := range r.ends {
		for _, a := range []netip.Addr{r.publicOf(e), r.outsideOf(e)} {
			if a.IsValid() && !slices.Contains(want.outside, a) {
				want.outside = append(want.outside, a)
			}
		}
	}
	return errors.Join(r.policies(false), r.host.take(r, want))
}

// take changes what the host does for a router.
func (h *host) take(r *Router, want road) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	had := h.roads[r]
	for _, a := range had.outside {
		if !slices.Contains(want.outside, a) {
			errs = append(errs, ignoreMissing(r.hostRoute(netip.PrefixFrom(a, 32), h.links.RouteDel)))
		}
	}
	h.roads[r] = want
	errs = append(errs, h.settle())
	for _, a := range want.outside {
		if !slices.Contains(had.outside, a) {
			errs = append(errs, r.hostRoute(netip.PrefixFrom(a, 32), h.links.RouteReplace))
		}
	}
	return errors.Join(errs...)
}

// settle brings the host's table to what the roads are now. h.mu is held.
func (h *host) settle() error {
	want := h.contents()
	if h.have != nil && same(h.have, want) {
		return nil
	}
	return h.table.Change(func(d *ruleset.Draft) {
		d.Make(h.have, want)
		d.Become(h.have, want)
		h.have = want
	})
}

func same(a, b ruleset.Contents) bool {
	for name := range b {
		if !ruleset.Same(a[name], b[name]) {
			return false
		}
	}
	return true
}

// contents are the sets that follow from the roads.
func (h *host) contents() ruleset.Contents {
	sets := ruleset.Contents{}
	sets.Put("public", ruleset.Addresses())
	sets.Put("masked", ruleset.Addresses())
	sets.Put("tunnels", ruleset.Tunnels())
	sets.Put("senders", ruleset.Senders())
	sets.Put("numbers", ruleset.Numbers())
	for _, w := range h.roads {
		for _, a := range w.outside {
			sets.Put("public", ruleset.Addresses(), ruleset.Address(a))
			if !slices.ContainsFunc(h.cfg.Routed, func(p netip.Prefix) bool { return p.Contains(a) }) {
				sets.Put("masked", ruleset.Addresses(), ruleset.Address(a))
			}
		}
		if w.number != 0 {
			sets.Put("numbers", ruleset.Numbers(), ruleset.Number(w.number))
		}
		for _, p := range w.peers {
			if p.Unchecked {
				sets.Put("senders", ruleset.Senders(), ruleset.Sender(p.Underlay, w.number))
			}
			for _, a := range p.Addresses {
				sets.Put("tunnels", ruleset.Tunnels(), ruleset.Tunnel(p.Underlay, w.number, a))
			}
		}
	}
	return sets
}

// underlayMTU is that of the link that has the underlay address; 0 when none has.
func underlayMTU(links *netlink.Handle, at netip.Addr) int {
	addresses, err := links.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return 0
	}
	for _, a := range addresses {
		if ip, ok := netip.AddrFromSlice(a.IP.To4()); ok && ip == at {
			if l, err := links.LinkByIndex(a.LinkIndex); err == nil {
				return l.Attrs().MTU
			}
		}
	}
	return 0
}
