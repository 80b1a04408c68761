package network

import "net/netip"

// PublicPool is the pool of public addresses: Elastic IP addresses, those of balancers
// that face the internet, and those that tasks are assigned. It leads nowhere by
// itself: TEST-NET-3 of RFC 5737.
func PublicPool() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113, 0}), 24)
}
