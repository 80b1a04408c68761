package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/space"
)

const loopbackIndex = 1 // of lo, in every namespace

// prepareRouter sets what a router's kernel does by itself: forward, refuse
// sources that are not routed back by the link they came in on (the second lock
// beside the packet filter; links of unchecked ends are without), and no IPv6. Calls in
// the name of tasks leave from ports that tasks do not take by themselves.
func prepareRouter() error {
	return space.Set(map[string]string{
		"ipv4/ip_forward":                  "1",
		"ipv4/conf/all/rp_filter":          "0",
		"ipv4/conf/default/rp_filter":      "1",
		"ipv4/conf/all/send_redirects":     "0",
		"ipv4/conf/default/send_redirects": "0",
		"ipv4/conf/all/accept_redirects":   "0",
		"ipv4/ip_local_port_range":         "10000 32767",
		"ipv6/conf/all/disable_ipv6":       "1",
		"ipv6/conf/default/disable_ipv6":   "1",
	})
}

// join links the router to the host.
func (r *Router) join() error {
	h := r.host
	if stale, err := h.links.LinkByName(r.uplink); err == nil {
		if err := h.links.LinkDel(stale); err != nil {
			return fmt.Errorf("remove stale link %s: %w", r.uplink, err)
		}
	}
	veth := netlink.NewVeth(netlink.LinkAttrs{Name: r.uplink, MTU: h.mtu})
	veth.PeerName, veth.PeerMTU, veth.PeerNamespace = uplinkName, uint32(h.mtu), netlink.NsFd(r.space.FD())
	if err := h.links.LinkAdd(veth); err != nil {
		return fmt.Errorf("link the router to the host: %w", err)
	}
	atHost, _ := uplinkEnds(h.private, r.number)
	// Ports published on 127.0.0.1 leave by this link with a loopback source
	// until the packet filter has given them the link's own.
	err := h.space.Do(func() error {
		return space.Set(map[string]string{"ipv4/conf/" + r.uplink + "/route_localnet": "1"})
	})
	return errors.Join(err, up(h.links, veth.Index, netip.PrefixFrom(atHost, 31)))
}

func up(links *netlink.Handle, index int, address netip.Prefix) error {
	link := &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: index}}
	if address.IsValid() {
		n := &net.IPNet{IP: address.Addr().AsSlice(), Mask: net.CIDRMask(address.Bits(), 32)}
		if err := links.AddrAdd(link, &netlink.Addr{IPNet: n}); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("give address %s: %w", address, err)
		}
	}
	return links.LinkSetUp(link)
}

// address gives the router its addresses and routes, and the host its route.
func (r *Router) address() error {
	h := r.host
	atHost, atRouter := uplinkEnds(h.private, r.number)
	l, err := r.links.LinkByName(uplinkName)
	if err != nil {
		return fmt.Errorf("find the uplink: %w", err)
	}
	if err := up(r.links, l.Attrs().Index, netip.PrefixFrom(atRouter, 31)); err != nil {
		return err
	}
	for _, a := range r.serviceAddresses() {
		if err := up(r.links, loopbackIndex, netip.PrefixFrom(a, 32)); err != nil {
			return err
		}
	}
	routes := []*netlink.Route{{LinkIndex: l.Attrs().Index, Gw: atHost.AsSlice(), Protocol: routeOwner}}
	if !r.hostReaches {
		routes = append(routes, unreachable(r.Range))
	}
	for _, route := range routes {
		if err := r.links.RouteReplace(route); err != nil {
			return fmt.Errorf("route %v: %w", route, err)
		}
	}
	if r.VPC == "" {
		return r.hostRoute(r.Range, h.links.RouteReplace)
	}
	return nil
}

// hostRoute changes the host's route to a range behind the router.
func (r *Router) hostRoute(to netip.Prefix, change func(*netlink.Route) error) error {
	l, err := r.host.links.LinkByName(r.uplink)
	if err != nil {
		return fmt.Errorf("find the uplink of %s: %w", nameOf(r.VPC), err)
	}
	atHost, atRouter := uplinkEnds(r.host.private, r.number)
	return change(&netlink.Route{
		LinkIndex: l.Attrs().Index, Dst: ipNet(to), Gw: atRouter.AsSlice(), Src: atHost.AsSlice(), Protocol: routeOwner,
	})
}

// serviceAddresses are the router's own, towards tasks.
func (r *Router) serviceAddresses() []netip.Addr {
	var all []netip.Addr
	for _, a := range []string{GatewayAddress, CredentialsAddress, InstanceAddress} {
		all = append(all, netip.MustParseAddr(a))
	}
	return append(all, r.Resolvers()...)
}

// VPCResolver is the address of a VPC's DNS: the base of its range plus two.
// https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
func VPCResolver(vpc netip.Prefix) netip.Addr {
	b := vpc.Masked().Addr().As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+2)
	return netip.AddrFrom4(b)
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EADDRNOTAVAIL) {
		return nil
	}
	return err
}
