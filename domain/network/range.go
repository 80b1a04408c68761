package network

import "net/netip"

// Bounds of the size of a VPC's or subnet's range.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
const (
	widestRange    = 16
	narrowestRange = 28
)

// ParseRange reads the range of a VPC or a subnet: IPv4, from a /16 to a /28. Bits
// beyond the prefix are cut, as AWS does.
func ParseRange(s string) (p netip.Prefix, ok bool) {
	p, err := netip.ParsePrefix(s)
	if err != nil || !p.Addr().Is4() || p.Bits() < widestRange || p.Bits() > narrowestRange {
		return netip.Prefix{}, false
	}
	return p.Masked(), true
}

// Within tells whether inner is a part of one of the ranges.
func Within(inner netip.Prefix, ranges []netip.Prefix) bool {
	for _, outer := range ranges {
		if outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr()) {
			return true
		}
	}
	return false
}

// Zones are the availability zones of a region, in order.
func Zones(region string) []string {
	zones := make([]string, len(defaultZones))
	for n, letter := range defaultZones {
		zones[n] = region + string(letter)
	}
	return zones
}
