package host

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/berthhq/berth/domain/network"
)

// roads takes over what the server says of VPCs. What cannot be done is told again
// with the next change, and does not stop the rest.
func (h *Host) roads(ctx context.Context, states []network.State, complete bool) {
	var vpcs []string
	for _, s := range states {
		vpcs = append(vpcs, s.VPCID)
		if err := h.network.Apply(ctx, s); err != nil {
			h.Log.Error("a VPC is not as it should be here", "vpc", s.VPCID, "err", err)
		}
	}
	if !complete {
		return
	}
	if err := h.network.Only(ctx, vpcs); err != nil {
		h.Log.Error("a VPC that has nothing here any more was not put away", "err", err)
	}
}

// openUnderlay finds the address for packets between hosts. A machine with the server
// on it is alone, unless it publishes ports to others.
func (h *Host) openUnderlay(context.Context) (err error) {
	switch h.Underlay {
	case "none":
		return nil
	case "":
		if h.underlay = towards(address(h.Server)); !h.underlay.IsValid() && h.Expose {
			h.underlay = towards(theWorld)
		}
		return nil
	}
	if h.underlay, err = netip.ParseAddr(h.Underlay); err != nil || !h.underlay.Is4() {
		return fmt.Errorf("--underlay %s is not an IPv4 address of this machine", h.Underlay)
	}
	return nil
}

// theWorld is an address that only a default route leads to (RFC 5737).
const theWorld = "192.0.2.1:9"

// towards is the machine's own address on the way to another machine; invalid when
// the address is its own, or there is no way. Nothing is sent.
func towards(hostPort string) netip.Addr {
	c, err := net.Dial("udp4", hostPort)
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	own, there := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr(), c.RemoteAddr().(*net.UDPAddr).AddrPort().Addr()
	if own == there || own.IsLoopback() {
		return netip.Addr{}
	}
	return own
}
