package network

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// routeOwner marks routes made by an agent (rtm_protocol), so that agents on one
// machine do not take each other's for foreign networks.
const routeOwner netlink.RouteProtocol = 190

// privateBits is the size of an agent's private range: 4096 addresses, of which
// the first half are bridge mode's and the last 256 link hosts to routers.
const privateBits = 20

// ConflictError says that a range is in use on the host.
type ConflictError struct {
	Range netip.Prefix
	With  string // what it overlaps, in words
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("the range %s overlaps %s of this host: choose another range, or remove that network", e.Range, e.With)
}

// Free returns nil when no network of the host's namespace (a path, or empty for
// the process's own) overlaps the range, else a *ConflictError.
func Free(hostPath string, p netip.Prefix) error {
	s, err := openSpace(hostPath)
	if err != nil {
		return err
	}
	defer s.Close()
	links, err := handle(s)
	if err != nil {
		return err
	}
	defer links.Close()
	return free(links, p)
}

func free(links *netlink.Handle, p netip.Prefix) error {
	routes, err := links.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return fmt.Errorf("list routes: %w", err)
	}
	for _, r := range routes {
		if r.Dst == nil || r.Protocol == routeOwner {
			continue
		}
		ip, ok := netip.AddrFromSlice(r.Dst.IP.To4())
		bits, _ := r.Dst.Mask.Size()
		if !ok || bits == 0 || !netip.PrefixFrom(ip, bits).Overlaps(p) {
			continue
		}
		if l, err := links.LinkByIndex(r.LinkIndex); err == nil && isOurs(l.Attrs().Name) {
			continue
		}
		return &ConflictError{Range: p, With: describe(links, ip, bits, r.LinkIndex)}
	}
	return nil
}

func describe(links *netlink.Handle, ip netip.Addr, bits, index int) string {
	where := "a route"
	if l, err := links.LinkByIndex(index); err == nil {
		where = "the network of " + l.Attrs().Name
	}
	return fmt.Sprintf("%s (%s)", where, netip.PrefixFrom(ip, bits))
}

// candidates are the ranges private ones are cut from, best first: benchmarking
// (RFC 2544), shared address space (RFC 6598), then a corner of 10/8.
func candidates() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("10.224.0.0/12"),
	}
}

// claimPrivate finds a free private range and claims it with an unreachable
// route, which the kernel grants to one agent only. A remembered range is
// claimed again if it can be.
func claimPrivate(links *netlink.Handle, agent string, remembered netip.Prefix) (netip.Prefix, error) {
	if remembered.IsValid() {
		if err := claim(links, remembered); err == nil || errors.Is(err, os.ErrExist) {
			return remembered, nil
		}
	}
	seed := binary.BigEndian.Uint32(digest(agent))
	for _, c := range candidates() {
		blocks := uint32(1) << (privateBits - c.Bits())
		base := binary.BigEndian.Uint32(c.Addr().AsSlice())
		for i := range blocks {
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], base+(seed+i)%blocks<<(32-privateBits))
			p := netip.PrefixFrom(netip.AddrFrom4(b), privateBits)
			if free(links, p) == nil && claim(links, p) == nil {
				return p, nil
			}
		}
	}
	return netip.Prefix{}, errors.New("no private range is free on this host: the host has routes over all of 198.18.0.0/15, 100.64.0.0/10 and 10.224.0.0/12")
}

func claim(links *netlink.Handle, p netip.Prefix) error { return links.RouteAdd(unreachable(p)) }

// unreachable answers for addresses of a range that nobody has.
func unreachable(p netip.Prefix) *netlink.Route {
	return &netlink.Route{Dst: ipNet(p), Type: unix.RTN_UNREACHABLE, Protocol: routeOwner, Priority: 1 << 20}
}

// bridgeRange is where bridge mode containers get their addresses.
func bridgeRange(private netip.Prefix) netip.Prefix {
	return netip.PrefixFrom(private.Addr(), privateBits+1)
}

// uplinkRange holds the links to routers, two addresses each.
func uplinkRange(private netip.Prefix) netip.Prefix {
	b := private.Addr().As4()
	b[2] |= 0x0f
	return netip.PrefixFrom(netip.AddrFrom4(b), 24)
}

// uplinkEnds are the addresses of the numbered link: the host's, the router's.
func uplinkEnds(private netip.Prefix, number int) (atHost, atRouter netip.Addr) {
	b := uplinkRange(private).Addr().As4()
	b[3] = byte(2 * number)
	atHost = netip.AddrFrom4(b)
	return atHost, atHost.Next()
}

const maxUplinks = 128

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Masked().Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}
}

func one(a netip.Addr) *net.IPNet { return ipNet(netip.PrefixFrom(a, 32)) }

func digest(parts ...string) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

func short(parts ...string) string { return hex.EncodeToString(digest(parts...)[:4]) }
