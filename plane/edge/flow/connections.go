package flow

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/space"
)

// connections are those that the kernel carries through a namespace, by target.
func connections(s *space.Space) (map[netip.AddrPort]int, error) {
	out := map[netip.AddrPort]int{}
	h, err := netlink.NewHandleAt(netns.NsHandle(s.FD()), unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	flows, err := h.ConntrackTableList(netlink.ConntrackTable, unix.AF_INET)
	if err != nil {
		return nil, fmt.Errorf("list connections: %w", err)
	}
	for _, f := range flows {
		if at, ok := targetOf(f); ok {
			out[at]++
		}
	}
	return out, nil
}

// targetOf is where answers of a translated connection come from, while it lasts: what
// both sides have closed is remembered for some minutes, but is none.
func targetOf(f *netlink.ConntrackFlow) (netip.AddrPort, bool) {
	if tcp, ok := f.ProtoInfo.(*netlink.ProtoInfoTCP); ok && tcp.State >= nl.TCP_CONNTRACK_LAST_ACK {
		return netip.AddrPort{}, false
	}
	at, ok := netip.AddrFromSlice(f.Reverse.SrcIP.To4())
	return netip.AddrPortFrom(at, f.Reverse.SrcPort), ok && !f.Forward.DstIP.Equal(f.Reverse.SrcIP)
}

// end forgets the connections to the targets: the next packet of one is answered with
// a reset.
func end(s *space.Space, targets map[netip.AddrPort]bool) error {
	if len(targets) == 0 {
		return nil
	}
	h, err := netlink.NewHandleAt(netns.NsHandle(s.FD()), unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	defer h.Close()
	_, err = h.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, to(targets))
	return err
}

// to chooses the connections to some targets.
type to map[netip.AddrPort]bool

// MatchConntrackFlow implements netlink.CustomConntrackFilter.
func (t to) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	at, ok := netip.AddrFromSlice(f.Reverse.SrcIP.To4())
	return ok && t[netip.AddrPortFrom(at, f.Reverse.SrcPort)]
}
