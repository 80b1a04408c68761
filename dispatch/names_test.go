package dispatch

import (
	"net/netip"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

func TestASessionTellsTheNamesOfItsVPCs(t *testing.T) {
	h := open(t)
	i := h.instance("0a", ours())
	h.update(func(tx *store.Tx) {
		store.VPCs.Put(tx, &network.VPC{Scope: scope, ID: "vpc-1", Default: true, CIDR: netip.MustParsePrefix("172.31.0.0/16")})
		store.VPCs.Put(tx, &network.VPC{Scope: scope, ID: "vpc-2", CIDR: netip.MustParsePrefix("10.0.0.0/16")})
		for _, id := range []string{"1", "2"} {
			store.Namespaces.Put(tx, &discovery.Namespace{Scope: scope, ID: "ns-" + id, Name: "shop.local", Kind: discovery.DNSPrivate, VPCID: "vpc-" + id})
			store.Discoveries.Put(tx, &discovery.Service{Scope: scope, ID: "srv-" + id, NamespaceID: "ns-" + id, Name: "web", DNS: &discovery.DNS{Records: []discovery.Record{{Type: "A"}}}})
		}
	})
	ws := h.connect(i)
	first := attend[acs.Zones](t, ws, acs.TypeZones)
	if !first.Complete || len(first.Zones) != 2 || first.Zones[0].VPCID != "" || first.Zones[1].VPCID != "vpc-1" || len(first.Zones[1].Names) != 0 {
		t.Fatalf("told first: %+v", first)
	}
	register := func(service, address string) {
		h.update(func(tx *store.Tx) {
			store.PutDiscovered(tx, &discovery.Instance{Scope: scope, ServiceID: service, ID: "i", Attributes: map[string]string{discovery.InstanceIPv4: address}})
		})
	}
	register("srv-2", "10.0.0.9") // of a VPC that has nothing here
	start := time.Now()
	register("srv-1", "172.31.0.9")
	got := attend[acs.Zones](t, ws, acs.TypeZones)
	t.Logf("a name was told after %v", time.Since(start))
	if got.Complete || len(got.Zones) != 1 || got.Zones[0].Names[0].Addresses[0] != netip.MustParseAddr("172.31.0.9") {
		t.Fatalf("an instance came: %+v", got)
	}
	h.update(func(tx *store.Tx) {
		store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-1", VPCID: "vpc-2", InstanceARN: i.ARN, PrivateIP: netip.MustParseAddr("10.0.0.5")})
	})
	if got = attend[acs.Zones](t, ws, acs.TypeZones); len(got.Zones) != 1 || got.Zones[0].VPCID != "vpc-2" || len(got.Zones[0].Names) != 1 {
		t.Fatalf("an interface came: %+v", got)
	}
}
