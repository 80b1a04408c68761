package network

import (
	"net/netip"
	"strconv"
	"testing"
)

func TestPickAddressGivesEachOnce(t *testing.T) {
	s := &Subnet{CIDR: netip.MustParsePrefix("172.31.0.0/28")}
	taken := map[netip.Addr]bool{}
	for i := range s.Size() {
		a, ok := s.PickAddress(strconv.Itoa(i), func(a netip.Addr) bool { return taken[a] })
		if !ok || taken[a] || !s.CIDR.Contains(a) {
			t.Fatalf("lease %d: %v %v", i, a, ok)
		}
		taken[a] = true
		if !s.Leasable(a) {
			t.Errorf("%s cannot be leased", a)
		}
	}
	if len(taken) != 11 {
		t.Errorf("a /28 gave %d addresses, AWS gives 11", len(taken))
	}
	for _, kept := range []string{"172.31.0.0", "172.31.0.1", "172.31.0.2", "172.31.0.3", "172.31.0.15"} {
		if a := netip.MustParseAddr(kept); taken[a] || s.Leasable(a) {
			t.Errorf("%s was leased", kept)
		}
	}
	if a, ok := s.PickAddress("more", func(a netip.Addr) bool { return taken[a] }); ok {
		t.Errorf("a full subnet gave %v", a)
	}
	if s.Gateway().String() != "172.31.0.1" {
		t.Errorf("gateway %v", s.Gateway())
	}
}
