package lease

import (
	"encoding/binary"
	"hash/fnv"
	"net/netip"

	"github.com/berthhq/berth/store"
)

// Public finds an address of a public pool that nobody has: neither as an Elastic IP
// address nor at an interface. The seed decides where it looks first.
func Public(r store.Reader, pool netip.Prefix, seed string) (netip.Addr, bool) {
	base4 := pool.Masked().Addr().As4()
	base, size := binary.BigEndian.Uint32(base4[:]), uint32(1)<<(32-pool.Bits())
	h := fnv.New32a()
	h.Write([]byte(seed))
	for n := range size {
		offset := (h.Sum32()%size + n) % size
		if size > 2 && (offset == 0 || offset == size-1) {
			continue // the network and its broadcast address
		}
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], base+offset)
		if ip := netip.AddrFrom4(b); PublicIsFree(r, ip) {
			return ip, true
		}
	}
	return netip.Addr{}, false
}

// PublicIsFree tells whether nobody has a public address.
func PublicIsFree(r store.Reader, ip netip.Addr) bool {
	return !store.Addresses.Has(r, store.AddressesByIP, ip.String()) && !store.Interfaces.Has(r, store.InterfacesByPublic, ip.String())
}
