package network_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/network/space"
	vpc "github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
)

// pair is two machines that share nothing but an underlay.
type pair struct {
	machines [2]*machine
	networks [2]*network.Network
}

var underlays = [2]string{"198.51.100.1", "198.51.100.2"}

func newPair(t testing.TB) *pair {
	t.Helper()
	p := &pair{machines: [2]*machine{newMachine(t), newMachine(t)}}
	cable(t, p.machines[0].Space, "lan", underlays[0]+"/24", p.machines[1].Space, "lan", underlays[1]+"/24")
	for i, m := range p.machines {
		cfg := m.config()
		cfg.Underlay = netip.MustParseAddr(underlays[i])
		p.networks[i] = open(t, cfg)
	}
	return p
}

// tell applies the ends of both hosts, each other's as peers; all have the groups.
func (p *pair) tell(t testing.TB, groups []vpc.GroupState, members map[string][]netip.Addr, ends [2][]vpc.End) {
	t.Helper()
	for i, n := range p.networks {
		s := stateOf("vpc-a", groups)
		s.Ends, s.Members = ends[i], members
		peer := vpc.PeerHost{Underlay: netip.MustParseAddr(underlays[1-i])}
		for _, e := range ends[1-i] {
			peer.Addresses = append(peer.Addresses, e.Address)
			peer.Unchecked = peer.Unchecked || e.Unchecked
		}
		if len(peer.Addresses) > 0 {
			s.Peers = []vpc.PeerHost{peer}
		}
		apply(t, n, s)
	}
}

// task sets a task up on a host and returns its namespace and end, in the group.
func (p *pair) task(t testing.TB, host int, ip string) (*space.Space, vpc.End) {
	t.Helper()
	o := inVPC("vpc-a", cidr, ip)
	s := inside(t, setup(t, p.networks[host], o)["app"])
	return s, endOf(o, "sg-1")
}

func endOf(o *task.Order, groups ...string) vpc.End {
	return vpc.End{InterfaceID: o.Interface.ID, TaskARN: o.ARN, Address: netip.MustParseAddr(o.Interface.PrivateIP), MAC: o.Interface.MAC, Groups: groups, Exit: vpc.ExitIGW}
}

func TestTasksOfTwoHostsMeet(t *testing.T) {
	p := newPair(t)
	a, endA := p.task(t, 0, "10.0.0.4")
	b, endB := p.task(t, 1, "10.0.0.5")
	serve(t, a, "tcp", ":80", "a")
	serve(t, b, "tcp", ":80", "b")
	serve(t, b, "tcp", ":81", "b")
	echo(t, b, ":82")
	both := map[string][]netip.Addr{"sg-1": {endA.Address, endB.Address}}
	rules := group(vpc.Rule{Protocol: "tcp", FromPort: 80, ToPort: 80, Group: "sg-1"}, tcp(82, cidr), vpc.Rule{Protocol: "udp", FromPort: -1, ToPort: -1, CIDR: cidr})
	p.tell(t, rules, both, [2][]vpc.End{{endA}, {endB}})
	wantAnswer(t, a, "tcp", "10.0.0.5:80", "b 10.0.0.4")
	wantAnswer(t, b, "tcp", "10.0.0.4:80", "a 10.0.0.5")
	wantNoAnswer(t, a, "tcp", "10.0.0.5:81")

	t.Run("full packets pass", func(t *testing.T) {
		// What fits the interface, and may not be cut, arrives.
		heard := datagrams(t, b, ":90")
		own, err := links(t, a).LinkByName("eth0")
		check(t, err)
		if own.Attrs().MTU != 1450 {
			t.Errorf("the task's interface carries %d bytes", own.Attrs().MTU)
		}
		full := bytes.Repeat([]byte("x"), own.Attrs().MTU-28)
		whole(t, a, "10.0.0.5:90", full)
		select {
		case n := <-heard:
			if n != len(full) {
				t.Errorf("%d bytes came of %d", n, len(full))
			}
		case <-time.After(patience):
			t.Error("a full packet was lost")
		}
		c := dial(t, a, "10.0.0.5:82")
		c.SetDeadline(time.Now().Add(patience))
		many := bytes.Repeat([]byte("0123456789"), 50_000)
		go c.Write(many)
		back := make([]byte, len(many))
		if _, err := io.ReadFull(c, back); err != nil || !bytes.Equal(back, many) {
			t.Errorf("a stream came back otherwise: %v", err)
		}
	})
	t.Run("lies are dropped", func(t *testing.T) {
		// 10.0.0.99 is nobody's; 10.0.0.5 is at the other host.
		heard := listenOnce(t, b, "udp", ":91")
		for _, lie := range []string{"10.0.0.99", "10.0.0.5"} {
			give(t, links(t, a), "eth0", lie+"/32")
			askFrom(a, &net.UDPAddr{IP: net.ParseIP(lie)}, "udp", "10.0.0.5:91", impatience)
		}
		// A host that lies about which addresses it has: B is told that A has none.
		p.tell(t, rules, both, [2][]vpc.End{{endA}, {endB}})
		s := stateOf("vpc-a", rules)
		s.Ends, s.Members = []vpc.End{endB}, both
		s.Peers = []vpc.PeerHost{{Underlay: netip.MustParseAddr(underlays[0]), Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.77")}}}
		apply(t, p.networks[1], s)
		askFrom(a, &net.UDPAddr{IP: net.ParseIP("10.0.0.4")}, "udp", "10.0.0.5:91", impatience)
		select {
		case from := <-heard:
			t.Errorf("heard from %s", from)
		default:
		}
		p.tell(t, rules, both, [2][]vpc.End{{endA}, {endB}})
		askFrom(a, &net.UDPAddr{IP: net.ParseIP("10.0.0.4")}, "udp", "10.0.0.5:91", impatience)
		if from := <-heard; from != "10.0.0.4" {
			t.Errorf("the truth came from %s", from)
		}
	})
	t.Run("the underlay is cut and mended", func(t *testing.T) {
		h := links(t, p.machines[0].Space)
		lan, err := h.LinkByName("lan")
		check(t, err)
		check(t, h.LinkSetDown(lan))
		wantNoAnswer(t, a, "tcp", "10.0.0.5:80")
		check(t, h.LinkSetUp(lan))
		eventually(t, func() error { _, err := ask(a, "tcp", "10.0.0.5:80", impatience); return err })
	})
	t.Run("a task moves from host to host", func(t *testing.T) {
		check(t, p.networks[1].Teardown(context.Background(), endB.TaskARN))
		p.tell(t, rules, both, [2][]vpc.End{{endA}, {}})
		wantNoAnswer(t, a, "tcp", "10.0.0.5:80")
		b2, endB2 := p.task(t, 0, "10.0.0.5")
		serve(t, b2, "tcp", ":80", "moved")
		p.tell(t, rules, both, [2][]vpc.End{{endA, endB2}, {}})
		wantAnswer(t, a, "tcp", "10.0.0.5:80", "moved 10.0.0.4")
	})
}

// Equal ranges of two VPCs stay apart between hosts.
func TestVPCsStayApartBetweenHosts(t *testing.T) {
	p := newPair(t)
	a, endA := p.task(t, 0, "10.0.0.4")
	b, endB := p.task(t, 1, "10.0.0.5")
	serve(t, b, "tcp", ":80", "b")
	p.tell(t, group(tcp(80, "0.0.0.0/0")), nil, [2][]vpc.End{{endA}, {endB}})
	other := inVPC("vpc-b", cidr, "10.0.0.4")
	o := inside(t, setup(t, p.networks[0], other)["app"])
	s := stateOf("vpc-b", group(tcp(80, "0.0.0.0/0")), other)
	s.Number = 78
	s.Peers = []vpc.PeerHost{{Underlay: netip.MustParseAddr(underlays[1]), Addresses: []netip.Addr{endB.Address}}}
	apply(t, p.networks[0], s) // were the control plane to say so
	wantAnswer(t, a, "tcp", "10.0.0.5:80", "b 10.0.0.4")
	wantNoAnswer(t, o, "tcp", "10.0.0.5:80")
}

// A node that passes packets on with their client's address gets the answers, from
// targets on its own host and on others, and for clients inside and outside the VPC.
func TestAnswersReturnThroughUncheckedEnds(t *testing.T) {
	p := newPair(t)
	near, endNear := p.task(t, 0, "10.0.0.4")
	far, endFar := p.task(t, 1, "10.0.0.5")
	client, endClient := p.task(t, 0, "10.0.0.6")
	remote, endRemote := p.task(t, 1, "10.0.0.7")
	serve(t, near, "tcp", ":80", "near")
	serve(t, far, "tcp", ":80", "far")
	node := edgeEnd("eni-e", "10.0.0.9")
	node.Unchecked, node.Public = true, netip.MustParseAddr("203.0.113.9")
	p.tell(t, group(tcp(80, "0.0.0.0/0")), nil, [2][]vpc.End{{endNear, endClient, node}, {endFar, endRemote}})
	e := edge(t, p.machines[0], "eni-e")
	check(t, e.Do(func() error { return space.Set(map[string]string{"ipv4/ip_forward": "1"}) }))
	passOn(t, e, map[uint16]netip.AddrPort{1080: netip.MustParseAddrPort("10.0.0.4:80"), 1081: netip.MustParseAddrPort("10.0.0.5:80")})
	for port, name := range map[int]string{1080: "near", 1081: "far"} {
		wantAnswer(t, client, "tcp", fmt.Sprintf("10.0.0.9:%d", port), name+" 10.0.0.6")
		wantAnswer(t, remote, "tcp", fmt.Sprintf("10.0.0.9:%d", port), name+" 10.0.0.7")
		if got, err := ask(p.machines[0].Space, "tcp", fmt.Sprintf("203.0.113.9:%d", port), patience); err != nil || !strings.HasPrefix(got, name+" 198.") {
			t.Errorf("the host at the public address: %q, %v", got, err)
		}
	}
	// From another host still only what its ends may send.
	wantAnswer(t, remote, "tcp", "10.0.0.4:80", "near 10.0.0.7")
}

// passOn translates the destination of what comes to ports of the namespace.
func passOn(t testing.TB, s *space.Space, to map[uint16]netip.AddrPort) {
	t.Helper()
	conn, err := nftables.New(nftables.WithNetNSFd(s.FD()))
	check(t, err)
	table := conn.AddTable(&nftables.Table{Name: "node", Family: nftables.TableFamilyIPv4})
	priority := nftables.ChainPriority(-100)
	chain := conn.AddChain(&nftables.Chain{Name: "in", Table: table, Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookPrerouting, Priority: &priority})
	two := func(p uint16) []byte { return []byte{byte(p >> 8), byte(p)} }
	for port, target := range to {
		conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: two(port)},
			&expr.Immediate{Register: 1, Data: target.Addr().AsSlice()}, &expr.Immediate{Register: 2, Data: two(target.Port())},
			&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2},
		}})
	}
	check(t, conn.Flush())
}

// datagrams tells the length of each datagram that comes.
func datagrams(t testing.TB, s *space.Space, address string) <-chan int {
	t.Helper()
	var c net.PacketConn
	check(t, s.Do(func() (err error) { c, err = net.ListenPacket("udp4", address); return err }))
	t.Cleanup(func() { c.Close() })
	heard := make(chan int, 10)
	go func() {
		b := make([]byte, 1<<16)
		for {
			n, _, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			heard <- n
		}
	}()
	return heard
}

// whole sends a datagram that may not be cut on the way.
func whole(t testing.TB, s *space.Space, to string, payload []byte) {
	t.Helper()
	check(t, s.Do(func() error {
		c, err := net.Dial("udp4", to)
		if err != nil {
			return err
		}
		defer c.Close()
		raw, err := c.(*net.UDPConn).SyscallConn()
		if err != nil {
			return err
		}
		var failed error
		err = raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
		})
		if err == nil && failed == nil {
			_, err = c.Write(payload)
		}
		if err == nil {
			err = failed
		}
		return err
	}))
}
