package network

import (
	"cmp"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"

	"github.com/berthhq/berth/agent/network/ruleset"
)

// mark is put on connections that begin behind a link, or behind a peer of the
// tunnel, whose packets may carry sources that are not there: answers go back the
// way they came, by the routing table of the mark's number.
type mark struct {
	number uint32
	link   string
	peer   netip.Addr // of the tunnel; invalid for another link
	via    netip.Addr // next hop
}

// marks are those the router needs now.
func (r *Router) marks() []mark {
	var all []mark
	for _, e := range r.ends {
		if e.told != nil && e.told.Unchecked {
			all = append(all, mark{number: uint32(e.index), link: e.link, via: e.address})
		}
	}
	if r.state != nil {
		for _, p := range r.state.Peers {
			if p.Unchecked {
				all = append(all, mark{number: numberOf(p.Underlay), link: tunnelName, peer: p.Underlay, via: p.Underlay})
			}
		}
	}
	slices.SortFunc(all, func(a, b mark) int { return cmp.Compare(a.number, b.number) })
	return all
}

// numberOf is a peer's mark: no link has an index as high as an address is.
func numberOf(underlay netip.Addr) uint32 { return binary.BigEndian.Uint32(underlay.AsSlice()) }

func markRules(d *ruleset.Draft, marks []mark) {
	for _, m := range marks {
		if m.peer.IsValid() {
			d.Rule("mark", ruleset.In(m.link), ruleset.FromMAC(tunnelMAC(m.peer)), ruleset.New(), ruleset.Remember(m.number))
		} else {
			d.Rule("mark", ruleset.In(m.link), ruleset.New(), ruleset.Remember(m.number))
		}
	}
	d.Rule("mark", ruleset.Answer(), ruleset.Marked(), ruleset.Recall())
}

// tunnelMAC is the hardware address of a host in its tunnels.
func tunnelMAC(underlay netip.Addr) net.HardwareAddr {
	a := underlay.As4()
	return net.HardwareAddr{0x0a, 0xbe, a[0], a[1], a[2], a[3]}
}
