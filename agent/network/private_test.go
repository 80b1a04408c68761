package network

import (
	"net/netip"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestPrivateRangesKeepTheirPartsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		block := rapid.IntRange(0, 31).Draw(t, "block")
		private := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, byte(18 + block/16), byte(block % 16 * 16), 0}), privateBits)
		number := rapid.IntRange(0, maxUplinks-1).Draw(t, "number")
		atHost, atRouter := uplinkEnds(private, number)
		if bridgeRange(private).Overlaps(uplinkRange(private)) || !private.Overlaps(bridgeRange(private)) {
			t.Fatalf("%s is cut in %s and %s", private, bridgeRange(private), uplinkRange(private))
		}
		if pair, err := atHost.Prefix(31); err != nil || pair.Addr() != atHost || !pair.Contains(atRouter) || !uplinkRange(private).Contains(atRouter) || !private.Contains(atRouter) {
			t.Fatalf("uplink %d of %s is %s and %s", number, private, atHost, atRouter)
		}
	})
}

func TestReservedPortsAreAddedOnce(t *testing.T) {
	for _, c := range []struct{ list, want string }{
		{"", "51678,51679"}, {"80", "80,51678,51679"}, {"51000-52000", "51000-52000"}, {"51679,9-10", "51679,9-10,51678"},
	} {
		if got := mergeReserved(c.list, 51678, 51679); got != c.want {
			t.Errorf("%q became %q, want %q", c.list, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.IntRange(1, 65535).Draw(t, "port")
		once := mergeReserved("100-200,300", p)
		if !listed(once, p) || mergeReserved(once, p) != once || !listed(once, 150) || !listed(once, 300) {
			t.Fatalf("%s gave %s", strconv.Itoa(p), once)
		}
	})
}
