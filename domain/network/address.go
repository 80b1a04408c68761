package network

import (
	"encoding/binary"
	"hash/fnv"
	"net"
	"net/netip"
	"strings"
)

// reservedHead and reservedTail are the addresses of a subnet that AWS keeps: the
// network, the router, DNS and one for the future; and the broadcast address.
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
const (
	reservedHead = 4
	reservedTail = 1
)

// Gateway is the router's address: the first of the subnet.
func (s *Subnet) Gateway() netip.Addr { return s.CIDR.Masked().Addr().Next() }

// Size is how many addresses of the subnet can be leased.
func (s *Subnet) Size() int {
	return max(0, 1<<(32-s.CIDR.Bits())-reservedHead-reservedTail)
}

// PickAddress finds a free address of the subnet. It starts at a place that the
// seed decides and goes round once, so that addresses come back late and two
// runs of one story give the same ones. ok is false when none is free.
func (s *Subnet) PickAddress(seed string, taken func(netip.Addr) bool) (addr netip.Addr, ok bool) {
	size := s.Size()
	if size == 0 || !s.CIDR.Addr().Is4() {
		return netip.Addr{}, false
	}
	h := fnv.New32a()
	h.Write([]byte(seed))
	base4 := s.CIDR.Masked().Addr().As4()
	base := binary.BigEndian.Uint32(base4[:])
	start := int(h.Sum32() % uint32(size))
	for n := range size {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], base+reservedHead+uint32((start+n)%size))
		if a := netip.AddrFrom4(b); !taken(a) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// MAC is the hardware address of an interface: locally administered, as AWS's
// are, and following from the address and the interface's id.
func MAC(id string, addr netip.Addr) string {
	h := fnv.New64a()
	h.Write([]byte(id))
	h.Write(addr.AsSlice())
	var sum [8]byte
	binary.BigEndian.PutUint64(sum[:], h.Sum64())
	return net.HardwareAddr{0x0a, sum[0], sum[1], sum[2], sum[3], sum[4]}.String()
}

// PrivateDNSName is the name AWS gives an address.
func PrivateDNSName(region string, addr netip.Addr) string {
	host := "ip-" + strings.ReplaceAll(addr.String(), ".", "-")
	if region == "us-east-1" {
		return host + ".ec2.internal"
	}
	return host + "." + region + ".compute.internal"
}

// Leasable tells whether the address is one of the subnet's that interfaces may have.
func (s *Subnet) Leasable(a netip.Addr) bool {
	if !s.CIDR.Contains(a) || !a.Is4() {
		return false
	}
	base, have := s.CIDR.Masked().Addr().As4(), a.As4()
	n := int(binary.BigEndian.Uint32(have[:]) - binary.BigEndian.Uint32(base[:]))
	return n >= reservedHead && n < reservedHead+s.Size()
}
