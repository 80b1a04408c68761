package server

import (
	"net/netip"
	"testing"
)

func TestFreeRangeAvoidsTheHostsNetworks(t *testing.T) {
	p := netip.MustParsePrefix
	for _, c := range []struct {
		used []netip.Prefix
		want string
	}{
		{nil, "172.31.0.0/16"},
		{[]netip.Prefix{p("172.31.80.0/24")}, "172.30.0.0/16"},
		{[]netip.Prefix{p("172.16.0.0/12")}, "10.31.0.0/16"},
	} {
		if got, err := freeRange(c.used); err != nil || got.String() != c.want {
			t.Errorf("beside %v: %v %v", c.used, got, err)
		}
	}
	if got, err := freeRange([]netip.Prefix{p("0.0.0.0/0")}); err == nil {
		t.Errorf("found %v where nothing is free", got)
	}
}
