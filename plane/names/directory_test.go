package names_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/plane/names"
)

func shop() discovery.Zone {
	var many []netip.Addr
	for i := range 20 {
		many = append(many, netip.AddrFrom4([4]byte{10, 0, 1, byte(i)}))
	}
	at := netip.MustParseAddr("10.0.0.1")
	return discovery.Zone{
		VPCID: "vpc-1", Closed: []discovery.Domain{{Name: "shop.local", TTL: 30}},
		Names: []discovery.Name{
			{Name: "alias.shop.local", TTL: 9, Alias: "web.shop.local"},
			{Name: "away.shop.local", TTL: 9, Alias: "example.com"},
			{Name: "i1.srv.shop.local", TTL: 5, Addresses: []netip.Addr{at}},
			{Name: "loop.shop.local", TTL: 9, Alias: "loop.shop.local"},
			{Name: "many.shop.local", TTL: 5, Most: 8, Addresses: many},
			{Name: "open.example.org", TTL: 5, Addresses: []netip.Addr{at}},
			{Name: "srv.shop.local", ServiceTTL: 7, Services: []discovery.SRV{{Host: "i1.srv.shop.local", Port: 80, Priority: 1, Weight: 1}}},
			{Name: "web.shop.local", TTL: 5, Addresses: []netip.Addr{at, netip.MustParseAddr("fd00::1")}},
			{Name: "x.deep.shop.local", TTL: 5, Addresses: []netip.Addr{at}},
		},
	}
}

// Proves 4A.2, answers of Cloud Map's names.
func TestNamesOfAZone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "zones.json")
	d, err := names.OpenDirectory(path)
	check(t, err)
	check(t, d.Learn([]discovery.Zone{shop(), {VPCID: "vpc-2"}}, true))
	d, err = names.OpenDirectory(path) // as an agent does that starts while its server is away
	check(t, err)
	server := start(t, names.Zone{Lookup: d.Of("vpc-1")}, names.To(other(t, "elsewhere")))
	for _, c := range []struct {
		name string
		kind uint16
		want string
	}{
		{"web.shop.local.", dns.TypeA, "NOERROR; A 10.0.0.1"},
		{"wEb.ShOp.LoCaL.", dns.TypeAAAA, "NOERROR; AAAA fd00::1"},
		{"web.shop.local.", dns.TypeMX, "NOERROR"},
		{"i1.srv.shop.local.", dns.TypeAAAA, "NOERROR"},
		{"srv.shop.local.", dns.TypeSRV, "NOERROR; SRV 1 1 80 i1.srv.shop.local."},
		{"srv.shop.local.", dns.TypeA, "NOERROR"},
		{"alias.shop.local.", dns.TypeA, "NOERROR; CNAME web.shop.local.; A 10.0.0.1"},
		{"alias.shop.local.", dns.TypeCNAME, "NOERROR; CNAME web.shop.local."},
		{"away.shop.local.", dns.TypeTXT, `NOERROR; CNAME example.com.; TXT "elsewhere"`},
		{"none.shop.local.", dns.TypeA, "NXDOMAIN"},
		{"deep.shop.local.", dns.TypeA, "NOERROR"},
		{"shop.local.", dns.TypeA, "NOERROR"},
		{"open.example.org.", dns.TypeA, "NOERROR; A 10.0.0.1"},
		{"other.example.org.", dns.TypeTXT, `NOERROR; TXT "elsewhere"`},
		{"data-169.254.170.2.", dns.TypeA, "NOERROR; A 169.254.170.2"},
	} {
		for _, network := range []string{"udp", "tcp"} {
			if got := texts(ask(t, network, server, c.name, c.kind)); got != c.want {
				t.Errorf("%s %s %s: got %q, want %q", network, dns.TypeToString[c.kind], c.name, got, c.want)
			}
		}
	}
	if got := ask(t, "udp", server, "loop.shop.local.", dns.TypeA); got.Rcode != dns.RcodeServerFailure {
		t.Errorf("a loop: %v", got)
	}
	if other := start(t, names.Zone{Lookup: d.Of("vpc-2")}, nobody{}); texts(ask(t, "udp", other, "web.shop.local.", dns.TypeA)) != "SERVFAIL" {
		t.Error("another VPC knows the name")
	}
}

func TestTimesToLiveAndTheRest(t *testing.T) {
	d, err := names.OpenDirectory(filepath.Join(t.TempDir(), "zones.json"))
	check(t, err)
	check(t, d.Learn([]discovery.Zone{shop()}, false))
	server := start(t, names.Zone{Lookup: d.Of("vpc-1")}, nobody{})
	web := ask(t, "udp", server, "WEB.shop.local.", dns.TypeA)
	if web.Answer[0].Header().Ttl != 5 || web.Answer[0].Header().Name != "WEB.shop.local." || !web.Authoritative || web.IsEdns0() != nil {
		t.Errorf("got %v", web)
	}
	srv := ask(t, "udp", server, "srv.shop.local.", dns.TypeSRV)
	if srv.Answer[0].Header().Ttl != 7 || len(srv.Extra) != 1 || !strings.HasSuffix(srv.Extra[0].String(), "10.0.0.1") {
		t.Errorf("got %v", srv)
	}
	none := ask(t, "udp", server, "none.shop.local.", dns.TypeA)
	if soa, ok := none.Ns[0].(*dns.SOA); !ok || soa.Minttl != 30 || soa.Hdr.Name != "shop.local." {
		t.Errorf("got %v", none)
	}
	var seen []string
	for range 50 {
		answer := ask(t, "udp", server, "many.shop.local.", dns.TypeA).Answer
		if len(answer) != 8 {
			t.Fatalf("%d answers", len(answer))
		}
		for _, rr := range answer {
			seen = append(seen, rr.String())
		}
	}
	slices.Sort(seen)
	if seen = slices.Compact(seen); len(seen) < 15 {
		t.Errorf("of 20 addresses only %d were ever answered", len(seen))
	}
	q := new(dns.Msg)
	q.SetQuestion("web.shop.local.", dns.TypeA)
	q.SetEdns0(4096, false)
	if a, err := dns.Exchange(q, server); err != nil || a.IsEdns0() == nil || len(a.Answer) != 1 {
		t.Errorf("EDNS: %v %v", a, err)
	}
	q.IsEdns0().SetVersion(1)
	if a, err := dns.Exchange(q, server); err != nil || a.Rcode != dns.RcodeBadVers {
		t.Errorf("EDNS 1: %v %v", a, err)
	}
	changed := shop()
	changed.Names = nil
	check(t, d.Learn([]discovery.Zone{changed}, false))
	if got := texts(ask(t, "udp", server, "web.shop.local.", dns.TypeA)); got != "NXDOMAIN" {
		t.Errorf("after it went: %s", got)
	}
	if fmt.Sprint(d.Names("vpc-1")) != "[]" {
		t.Error("names are left")
	}
}
