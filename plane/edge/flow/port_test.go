package flow

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/domain/balancer"
)

func TestWhoseAddressTargetsSee(t *testing.T) {
	for _, c := range []struct {
		kind, protocol, attribute string
		over                      byte
		want                      bool
	}{
		{"ip", "TCP", "", unix.IPPROTO_TCP, false},
		{"ip", "TCP", "true", unix.IPPROTO_TCP, true},
		{"ip", "TLS", "", unix.IPPROTO_TCP, false},
		{"instance", "TCP", "", unix.IPPROTO_TCP, true},
		{"instance", "TCP", "false", unix.IPPROTO_TCP, false},
		{"ip", "UDP", "false", unix.IPPROTO_UDP, true},
		{"ip", "TCP_UDP", "false", unix.IPPROTO_TCP, true},
		{"alb", "TCP", "false", unix.IPPROTO_TCP, true},
	} {
		g := &balancer.TargetGroup{TargetType: c.kind, Protocol: c.protocol, Attributes: map[string]string{}}
		if c.attribute != "" {
			g.Attributes[balancer.PreserveClientIP] = c.attribute
		}
		if got := Preserves(g, c.over); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// Each case: targets as IP/ZONE with - for unhealthy and ~ for draining; the last of
// the address is enough.
func TestWhoGetsConnections(t *testing.T) {
	for _, c := range []struct{ name, targets, cross, least, want string }{
		{"healthy ones", "1/a 2/a- 3/a", "", "", "1 3"},
		{"of the node's zone", "1/a 2/b", "", "", "1"},
		{"of all, if it crosses", "1/a 2/b", "true", "", "1 2"},
		{"of others, if its own has none", "1/a- 2/b", "", "", "2"},
		{"all, if none is healthy", "1/a- 2/a-", "", "", "1 2"},
		{"never those that drain", "1/a~ 2/a-", "", "", "2"},
		{"none", "1/a~", "", "", ""},
		{"all, if too few are healthy", "1/a 2/a 3/a-", "", "3", "1 2 3"},
		{"healthy ones, if they are just enough", "1/a 2/a 3/a-", "", "2", "1 2"},
	} {
		pool := &balancer.Pool{Group: balancer.TargetGroup{ARN: "g", Protocol: "TCP", TargetType: "ip", Attributes: map[string]string{}}}
		if c.least != "" {
			pool.Group.Attributes[balancer.MinimumCount] = c.least
		}
		healthy := map[string]bool{}
		for _, text := range strings.Fields(c.targets) {
			id, zone, _ := strings.Cut(text, "/")
			x := balancer.PoolTarget{Key: id, Address: netip.MustParseAddrPort("10.0.0." + id + ":80"), Zone: zone[:1], Draining: strings.HasSuffix(zone, "~")}
			healthy[id] = !strings.HasSuffix(zone, "-")
			pool.Targets = append(pool.Targets, x)
		}
		front := &balancer.Front{Balancer: balancer.Balancer{Attributes: map[string]string{balancer.CrossZoneEnabled: c.cross}}, Listeners: []balancer.FrontListener{{Listener: balancer.Listener{
			Port: 80, Protocol: "TCP", Default: []balancer.Action{{Forward: &balancer.ForwardAction{Groups: []balancer.Weighted{{GroupARN: "g"}}}}},
		}}}}
		ch := &choice{front: front, node: &balancer.Node{Zone: "a"}, pools: map[string]*balancer.Pool{"g": pool}, usable: func(_, id string) bool { return healthy[id] }}
		var got []string
		for _, p := range ch.ports() {
			for _, at := range p.slots {
				if id := fmt.Sprint(at.Addr().As4()[3]); !slices.Contains(got, id) {
					got = append(got, id)
				}
			}
		}
		slices.Sort(got)
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: got %q, want %q", c.name, text, c.want)
		}
	}
}

func TestGroupsShareByWeight(t *testing.T) {
	pools := map[string]*balancer.Pool{}
	for n, name := range []string{"g", "h"} {
		p := &balancer.Pool{Group: balancer.TargetGroup{ARN: name, Protocol: "TCP", TargetType: "ip"}}
		for m := range 2 + 2*n {
			p.Targets = append(p.Targets, balancer.PoolTarget{Address: netip.MustParseAddrPort(fmt.Sprintf("10.0.%d.%d:80", n, m))})
		}
		pools[name] = p
	}
	l := balancer.Listener{Port: 80, Protocol: "TCP_UDP", Default: []balancer.Action{{Forward: &balancer.ForwardAction{Groups: []balancer.Weighted{{GroupARN: "g", Weight: 3}, {GroupARN: "h", Weight: 1}, {GroupARN: "gone", Weight: 9}}}}}}
	ch := &choice{front: &balancer.Front{Listeners: []balancer.FrontListener{{Listener: l}}}, node: &balancer.Node{}, pools: pools}
	ports := ch.ports()
	if len(ports) != 2 || ports[0].mark() == ports[1].mark() || ports[0].name() == ports[1].name() {
		t.Fatalf("got %d ports", len(ports))
	}
	first := 0
	for _, at := range ports[0].slots {
		if at.Addr().As4()[2] == 0 {
			first++
		}
	}
	if share := float64(first) / float64(len(ports[0].slots)); share < 0.74 || share > 0.76 {
		t.Errorf("the group of weight 3 of 4 has %.3f", share)
	}
}
