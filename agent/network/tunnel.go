package network

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"reflect"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/network"
)

// tunnelName is the router's link to the VPC's other hosts: VXLAN (RFC 7348) whose
// packets travel in the host's namespace. Nothing is learned and nothing flooded:
// what is behind it follows from the state alone.
const tunnelName = "tunnel"

const (
	tunnelPort = 4789 // IANA's
	// tunnelOverhead is what VXLAN adds to a packet: Ethernet, VXLAN, UDP and IPv4.
	tunnelOverhead = 14 + 8 + 8 + 20
)

// tunnel makes the link, and what lies behind it, as the state says. r.mu is held.
func (r *Router) tunnel() error {
	peers := r.peers()
	if reflect.DeepEqual(r.tunnelled, peers) {
		return nil
	}
	index, err := r.tunnelLink(len(peers) > 0)
	if err == nil && index > 0 {
		err = errors.Join(r.introduce(index, peers), r.routePeers(index, peers), r.policies(true))
	}
	if err == nil {
		r.tunnelled = peers
	}
	return err
}

// peers are those that can be reached; never nil.
func (r *Router) peers() []network.PeerHost {
	if r.state == nil || r.state.Number == 0 || !r.host.cfg.Underlay.IsValid() {
		return []network.PeerHost{}
	}
	return append([]network.PeerHost{}, r.state.Peers...)
}

// tunnelLink finds or makes the link, or removes it; its index is 0 when there is none.
func (r *Router) tunnelLink(wanted bool) (int, error) {
	have, err := r.links.LinkByName(tunnelName)
	if err == nil {
		if v, ok := have.(*netlink.Vxlan); wanted && ok && uint32(v.VxlanId) == r.state.Number && v.SrcAddr.Equal(r.host.cfg.Underlay.AsSlice()) {
			return have.Attrs().Index, nil
		}
		if err := r.links.LinkDel(have); err != nil {
			return 0, fmt.Errorf("remove the link to other hosts: %w", err)
		}
	}
	if !wanted {
		return 0, nil
	}
	h := r.host
	link := &netlink.Vxlan{
		LinkAttrs: netlink.LinkAttrs{Name: tunnelName, MTU: h.mtu, HardwareAddr: tunnelMAC(h.cfg.Underlay), Namespace: netlink.NsFd(r.space.FD())},
		VxlanId:   int(r.state.Number), SrcAddr: h.cfg.Underlay.AsSlice(), Port: tunnelPort, Learning: false,
	}
	if err := h.links.LinkAdd(link); err != nil {
		return 0, fmt.Errorf("make the link to other hosts of %s: %w", nameOf(r.VPC), err)
	}
	made, err := r.links.LinkByName(tunnelName)
	if err != nil {
		return 0, err
	}
	return made.Attrs().Index, errors.Join(r.unfilter(tunnelName), up(r.links, made.Attrs().Index, netip.Prefix{}))
}

// unfilter takes the kernel's own check of sources off a link, where the packet filter
// knows better.
func (r *Router) unfilter(link string) error {
	return r.space.Do(func() error { return space.Set(map[string]string{"ipv4/conf/" + link + "/rp_filter": "0"}) })
}

// introduce tells the kernel at which underlay address each peer is: the peer's name
// inside the tunnel is that address, too.
func (r *Router) introduce(index int, peers []network.PeerHost) error {
	for _, p := range peers {
		at, mac := p.Underlay.AsSlice(), tunnelMAC(p.Underlay)
		for _, n := range []*netlink.Neigh{
			{LinkIndex: index, Family: unix.AF_BRIDGE, Flags: netlink.NTF_SELF, IP: at, HardwareAddr: mac, State: netlink.NUD_PERMANENT | netlink.NUD_NOARP},
			{LinkIndex: index, IP: at, HardwareAddr: mac, State: netlink.NUD_PERMANENT},
		} {
			if err := r.links.NeighSet(n); err != nil {
				return fmt.Errorf("make host %s known: %w", p.Underlay, err)
			}
		}
	}
	return r.forgetPeers(index, peers)
}

func (r *Router) forgetPeers(index int, peers []network.PeerHost) error {
	var errs []error
	for _, family := range []int{unix.AF_BRIDGE, netlink.FAMILY_V4} {
		have, err := r.links.NeighList(index, family)
		if err != nil {
			return err
		}
		for i := range have {
			at, _ := netip.AddrFromSlice(have[i].IP)
			if !slices.ContainsFunc(peers, func(p network.PeerHost) bool { return p.Underlay == at.Unmap() }) && at.IsValid() {
				errs = append(errs, ignoreMissing(r.links.NeighDel(&have[i])))
			}
		}
	}
	return errors.Join(errs...)
}

// routePeers leads addresses to their hosts, except those that are here.
func (r *Router) routePeers(index int, peers []network.PeerHost) error {
	want := map[netip.Addr]netip.Addr{}
	for _, p := range peers {
		for _, a := range p.Addresses {
			want[a] = p.Underlay
		}
	}
	for _, e := range r.ends {
		delete(want, e.address)
	}
	have, err := r.links.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{LinkIndex: index}, netlink.RT_FILTER_OIF)
	if err != nil {
		return err
	}
	var errs []error
	for i := range have {
		if have[i].Dst == nil {
			continue
		}
		a, _ := netip.AddrFromSlice(have[i].Dst.IP.To4())
		via, _ := netip.AddrFromSlice(have[i].Gw.To4())
		if want[a] == via && via.IsValid() {
			delete(want, a)
		} else if _, still := want[a]; !still {
			errs = append(errs, ignoreMissing(r.links.RouteDel(&have[i])))
		}
	}
	for _, a := range slices.SortedFunc(maps.Keys(want), netip.Addr.Compare) {
		errs = append(errs, r.links.RouteReplace(&netlink.Route{
			LinkIndex: index, Dst: one(a), Gw: want[a].AsSlice(), Flags: int(netlink.FLAG_ONLINK), Protocol: routeOwner,
		}))
	}
	return errors.Join(errs...)
}

// closeRanges keeps addresses that nobody has from leaving the VPC.
func (r *Router) closeRanges() error {
	for _, p := range r.ranges() {
		if r.hostReaches && p == r.Range {
			continue
		}
		if err := r.links.RouteReplace(unreachable(p)); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}
