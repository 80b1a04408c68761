package server

import (
	"fmt"
	"net"
	"net/netip"
)

// defaultRanges are those the default VPC may have, AWS's own first.
var defaultRanges = []string{"172.31.0.0/16", "172.30.0.0/16", "172.29.0.0/16", "10.31.0.0/16", "10.131.0.0/16", "192.168.0.0/16"}

// freeRange finds a range for the default VPC that no network of this host uses.
func freeRange(used []netip.Prefix) (netip.Prefix, error) {
	for _, text := range defaultRanges {
		p := netip.MustParsePrefix(text)
		clash := false
		for _, u := range used {
			clash = clash || u.Overlaps(p)
		}
		if !clash {
			return p, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("every range for the default VPC %v collides with a network of this host", defaultRanges)
}

// hostNetworks are the IPv4 networks of this host's interfaces, but not single
// addresses, which task veths and balancers have.
func hostNetworks() ([]netip.Prefix, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var out []netip.Prefix
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(n.IP.To4())
		bits, _ := n.Mask.Size()
		if ok && bits < 32 && !ip.IsLoopback() {
			out = append(out, netip.PrefixFrom(ip, bits).Masked())
		}
	}
	return out, nil
}
