package road_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/plan/road"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var here = arn.Scope{Account: "123456789012", Region: "eu-central-1"}

func filled(t interface{ Fatal(...any) }, fill func(*store.Tx)) *store.View {
	s := memory.Open()
	if _, err := s.Update(context.Background(), func(tx *store.Tx) error { fill(tx); return nil }); err != nil {
		t.Fatal(err)
	}
	return s.View()
}

// node puts a node of a balancer in a VPC.
func node(tx *store.Tx, id, vpc, private, public, host string) balancer.Zone {
	i := &network.Interface{Scope: here, ID: id, VPCID: vpc, Kind: network.ForBalancer, PrivateIP: netip.MustParseAddr(private), InstanceARN: host}
	if public != "" {
		i.PublicIP = netip.MustParseAddr(public)
	}
	store.Interfaces.Put(tx, i)
	return balancer.Zone{InterfaceID: id}
}

func texts(z *discovery.Zone, name string) (out []string) {
	for _, n := range z.Names {
		if n.Name == name {
			for _, a := range n.Addresses {
				out = append(out, a.String())
			}
		}
	}
	return out
}

func TestBalancersAreNamedWhereTheyAreCarried(t *testing.T) {
	v := filled(t, func(tx *store.Tx) {
		put := func(name, scheme string, zones ...balancer.Zone) {
			store.Balancers.Put(tx, &balancer.Balancer{Scope: here, ARN: name, Name: name, VPCID: "vpc-1", Scheme: scheme, DNSName: name + ".elb.example", Zones: zones})
		}
		put("Outer", balancer.InternetFacing, node(tx, "eni-1", "vpc-1", "10.0.0.1", "203.0.113.1", "host"), node(tx, "eni-2", "vpc-1", "10.0.1.1", "203.0.113.2", ""))
		put("inner", balancer.Internal, node(tx, "eni-3", "vpc-1", "10.0.0.3", "", "host"))
		put("idle", balancer.Internal, node(tx, "eni-4", "vpc-1", "10.0.0.4", "", ""))
	})
	for _, c := range []struct{ vpc, name, want string }{
		{network.Key(here, "vpc-1"), "outer.elb.example", "[10.0.0.1]"},
		{network.Key(here, "vpc-2"), "outer.elb.example", "[203.0.113.1]"},
		{"", "outer.elb.example", "[203.0.113.1]"},
		{"", "inner.elb.example", "[10.0.0.3]"},
		{network.Key(here, "vpc-1"), "idle.elb.example", "[]"},
	} {
		if got := fmt.Sprint(texts(road.ZoneOf(v, c.vpc), c.name)); got != c.want {
			t.Errorf("%s in %q: got %s, want %s", c.name, c.vpc, got, c.want)
		}
	}
}

func TestRecordsOfServices(t *testing.T) {
	v := filled(t, func(tx *store.Tx) {
		store.Namespaces.Put(tx, &discovery.Namespace{Scope: here, ID: "ns-1", Name: "Shop.local", Kind: discovery.DNSPrivate, VPCID: "vpc-1", TTL: 30})
		store.Namespaces.Put(tx, &discovery.Namespace{Scope: here, ID: "ns-2", Name: "shop.example", Kind: discovery.DNSPublic})
		service := func(id, namespace, name, routing string, records ...discovery.Record) {
			store.Discoveries.Put(tx, &discovery.Service{Scope: here, ID: id, NamespaceID: namespace, Name: name, CustomCheck: &discovery.CustomCheck{}, DNS: &discovery.DNS{Routing: routing, Records: records}})
		}
		instance := func(service, id string, ill bool, attributes map[string]string) {
			store.DiscoveryInstances.Put(tx, &discovery.Instance{Scope: here, ServiceID: service, ID: id, Unhealthy: ill, Attributes: attributes})
		}
		service("srv-1", "ns-1", "web", discovery.Multivalue, discovery.Record{Type: "A", TTL: 10}, discovery.Record{Type: "SRV", TTL: 20})
		instance("srv-1", "I1", false, map[string]string{discovery.InstanceIPv4: "10.0.0.1", discovery.InstancePort: "80"})
		instance("srv-1", "I2", true, map[string]string{discovery.InstanceIPv4: "10.0.0.2", discovery.InstancePort: "80"})
		service("srv-2", "ns-2", "ill", discovery.Multivalue, discovery.Record{Type: "A", TTL: 10})
		instance("srv-2", "I1", true, map[string]string{discovery.InstanceIPv4: "10.0.0.1"})
		service("srv-3", "ns-2", "other", discovery.Weighted, discovery.Record{Type: "CNAME", TTL: 10})
		instance("srv-3", "I1", false, map[string]string{discovery.InstanceCNAME: "Example.org."})
		service("srv-4", "ns-2", "empty", discovery.Multivalue, discovery.Record{Type: "A", TTL: 10})
		store.Balancers.Put(tx, &balancer.Balancer{Scope: here, ARN: "b", VPCID: "vpc-1", DNSName: "b.elb.example", Zones: []balancer.Zone{node(tx, "eni-1", "vpc-1", "10.0.0.9", "", "host")}})
		service("srv-5", "ns-2", "front", discovery.Weighted, discovery.Record{Type: "A", TTL: 10})
		instance("srv-5", "I1", false, map[string]string{discovery.AliasName: "dualstack.b.elb.example"})
	})
	inside, host := road.ZoneOf(v, network.Key(here, "vpc-1")), road.ZoneOf(v, "")
	want := []discovery.Name{
		{Name: "b.elb.example", TTL: 60, Generated: true, Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.9")}},
		{Name: "front.shop.example", TTL: 60, Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.9")}},
		{Name: "i1.web.shop.local", TTL: 20, Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}},
		{Name: "ill.shop.example", TTL: 10, Most: 8, Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}},
		{Name: "other.shop.example", TTL: 10, Most: 1, Alias: "example.org"},
		{
			Name: "web.shop.local", TTL: 10, Most: 8, Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")},
			ServiceTTL: 20, Services: []discovery.SRV{{Host: "i1.web.shop.local", Port: 80, Priority: 1, Weight: 1}},
		},
	}
	if fmt.Sprint(inside.Names) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", inside.Names, want)
	}
	if inside.VPCID != "vpc-1" || fmt.Sprint(inside.Closed) != "[{shop.local 30}]" || len(host.Closed) != 0 || len(host.Names) != 4 {
		t.Errorf("got %+v and %+v", inside, host)
	}
}

// Whatever is registered: a zone is in order and without doubles, and an ill address
// is named only by a service whose instances all are.
func TestZonesAreSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ill := map[string]bool{}
		well := map[string]bool{} // services with a healthy instance
		v := filled(t, func(tx *store.Tx) {
			for n := range 3 {
				vpc := rapid.SampledFrom([]string{"vpc-1", "vpc-2"}).Draw(t, "vpc")
				kind := rapid.SampledFrom([]string{discovery.HTTP, discovery.DNSPrivate, discovery.DNSPublic}).Draw(t, "kind")
				id := fmt.Sprint("ns-", n)
				store.Namespaces.Put(tx, &discovery.Namespace{Scope: here, ID: id, Name: fmt.Sprintf("n%d.local", n), Kind: kind, VPCID: vpc})
				name := fmt.Sprintf("s.n%d.local", n)
				store.Discoveries.Put(tx, &discovery.Service{Scope: here, ID: id, NamespaceID: id, Name: "s", CustomCheck: &discovery.CustomCheck{}, DNS: &discovery.DNS{Routing: discovery.Multivalue, Records: []discovery.Record{{Type: "A", TTL: 1}, {Type: "SRV", TTL: 1}}}})
				for i := range rapid.IntRange(0, 12).Draw(t, "instances") {
					address := fmt.Sprintf("10.%d.0.%d", n, i)
					sick := rapid.Bool().Draw(t, "ill")
					ill[address], well[name] = sick, well[name] || !sick
					store.DiscoveryInstances.Put(tx, &discovery.Instance{Scope: here, ServiceID: id, ID: fmt.Sprint(i), Unhealthy: sick, Attributes: map[string]string{discovery.InstanceIPv4: address, discovery.InstancePort: "1"}})
				}
			}
		})
		for _, vpc := range []string{"", network.Key(here, "vpc-1"), network.Key(here, "vpc-2")} {
			z := road.ZoneOf(v, vpc)
			var all []string
			for _, n := range z.Names {
				all = append(all, n.Name)
				for _, a := range n.Addresses {
					if ill[a.String()] && well[n.Name] {
						t.Fatalf("%s names %s, which is ill", n.Name, a)
					}
				}
				for _, s := range n.Services {
					if len(texts(z, s.Host)) != 1 || !strings.HasSuffix(s.Host, "."+n.Name) {
						t.Fatalf("%s leads to %s, which is not there", n.Name, s.Host)
					}
				}
			}
			if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
				t.Fatalf("names %v", all)
			}
		}
	})
}

func TestExpressServicesAreNamedAsTheirBalancer(t *testing.T) {
	v := filled(t, func(tx *store.Tx) {
		store.Balancers.Put(tx, &balancer.Balancer{
			Scope: here, ARN: "shared", Name: "shared", VPCID: "vpc-1", Scheme: balancer.InternetFacing, DNSName: "Shared.elb.example",
			Zones: []balancer.Zone{node(tx, "eni-1", "vpc-1", "10.0.0.1", "203.0.113.1", "host")},
		})
		for name, status := range map[string]service.Status{"shop": service.Active, "leaving": service.Draining, "gone": service.Inactive} {
			s := &service.Service{Scope: here, ARN: name, Name: name, Status: status}
			s.Spec.Template.Express = &service.Express{Ingress: &service.Ingress{Host: name + ".on.aws", BalancerARN: "shared"}}
			store.Services.Put(tx, s)
		}
	})
	for _, c := range []struct{ vpc, name, want string }{
		{"", "shop.on.aws", "[203.0.113.1]"}, {network.Key(here, "vpc-1"), "shop.on.aws", "[10.0.0.1]"},
		{"", "leaving.on.aws", "[203.0.113.1]"}, {"", "gone.on.aws", "[]"},
	} {
		if got := fmt.Sprint(texts(road.ZoneOf(v, c.vpc), c.name)); got != c.want {
			t.Errorf("%s in %q: got %s, want %s", c.name, c.vpc, got, c.want)
		}
	}
}
