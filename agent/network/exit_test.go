package network_test

import (
	"net/netip"
	"strings"
	"testing"

	vpc "github.com/berthhq/berth/domain/network"
)

func TestWaysOutAndIn(t *testing.T) {
	m := newMachine(t)
	cfg := m.config()
	cfg.Routed = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	n := open(t, cfg)
	const public, masked, nat = "203.0.113.5", "198.51.100.5", "203.0.113.7"
	route(t, m.world, "203.0.113.0/24", machineAddress)
	serve(t, m.world, "tcp", ":80", "world")
	serve(t, m.Space, "tcp", ":8000", "host")
	exits := []struct {
		ip          string
		exit        vpc.Exit
		public, out netip.Addr
		seen        string // as the world sees it; empty for not at all
	}{
		{"10.0.0.4", vpc.ExitNone, netip.Addr{}, netip.Addr{}, ""},
		{"10.0.0.5", vpc.ExitIGW, netip.Addr{}, netip.Addr{}, machineAddress},
		{"10.0.0.6", vpc.ExitIGW, netip.MustParseAddr(public), netip.Addr{}, public},
		{"10.0.0.7", vpc.ExitNAT, netip.Addr{}, netip.MustParseAddr(nat), nat},
		{"10.0.0.8", vpc.ExitIGW, netip.MustParseAddr(masked), netip.Addr{}, machineAddress},
		{"10.0.0.9", vpc.ExitNAT, netip.Addr{}, netip.MustParseAddr("10.0.0.100"), machineAddress},
	}
	for _, id := range []string{"vpc-a", "vpc-default"} { // the second is the host's
		s := stateOf(id, group(tcp(81, "0.0.0.0/0")))
		for _, x := range exits {
			o := inVPC(id, cidr, x.ip)
			task := inside(t, setup(t, n, o)["app"])
			e := endOf(o, "sg-1")
			e.Exit, e.Public, e.ExitAddress = x.exit, x.public, x.out
			s.Ends = append(s.Ends, e)
			serve(t, task, "tcp", ":81", x.ip)
			serve(t, task, "tcp", ":82", x.ip)
			apply(t, n, s)
			if x.seen == "" {
				wantNoAnswer(t, task, "tcp", worldAddress+":80")
				wantNoAnswer(t, task, "tcp", machineAddress+":8000")
				continue
			}
			wantAnswer(t, task, "tcp", worldAddress+":80", "world "+x.seen)
			if x.public.IsValid() {
				if got, err := ask(m.Space, "tcp", x.public.String()+":81", patience); err != nil || !strings.HasPrefix(got, x.ip+" ") {
					t.Errorf("the host asks %s: %q, %v", x.public, got, err)
				}
				wantNoAnswer(t, m.Space, "tcp", x.public.String()+":82")
			}
		}
		// The world and another VPC come in by the public address, if a group lets them.
		wantAnswer(t, m.world, "tcp", public+":81", "10.0.0.6 "+worldAddress)
		wantNoAnswer(t, m.world, "tcp", public+":82")
		wantNoAnswer(t, m.world, "tcp", nat+":81")
		other := inside(t, setup(t, n, inVPC("vpc-other", "10.9.0.0/16", "10.9.0.4"))["app"])
		if got, err := ask(other, "tcp", public+":81", patience); err != nil || !strings.HasPrefix(got, "10.0.0.6 ") {
			t.Errorf("another VPC asks: %q, %v", got, err)
		}
		s.Ends = nil
		apply(t, n, s) // the addresses are given back
		wantNoAnswer(t, m.Space, "tcp", public+":81")
		check(t, n.Keep(t.Context(), nil))
	}
}

func TestAHostBehindLoopbackHidesPublicAddresses(t *testing.T) {
	m := newMachine(t)
	cfg := m.config()
	cfg.LoopbackOnly = true
	n := open(t, cfg)
	route(t, m.world, "203.0.113.0/24", machineAddress)
	o := inVPC("vpc-a", cidr, "10.0.0.4")
	serve(t, inside(t, setup(t, n, o)["app"]), "tcp", ":81", "app")
	s := stateOf("vpc-a", group(tcp(81, "0.0.0.0/0")), o)
	s.Ends[0].Public = netip.MustParseAddr("203.0.113.5")
	apply(t, n, s)
	if _, err := ask(m.Space, "tcp", "203.0.113.5:81", patience); err != nil {
		t.Error(err)
	}
	wantNoAnswer(t, m.world, "tcp", "203.0.113.5:81")
}
