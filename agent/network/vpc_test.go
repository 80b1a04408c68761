package network_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/domain/task"
)

func TestVPCsWithEqualRangesNeverMeet(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	const cidr = "10.1.0.0/16"
	red := inside(t, setup(t, n, inVPC("vpc-red", cidr, "10.1.0.5"))["app"])
	redPeer := inside(t, setup(t, n, inVPC("vpc-red", cidr, "10.1.0.6"))["app"])
	blue := inside(t, setup(t, n, inVPC("vpc-blue", cidr, "10.1.0.5"))["app"])
	bluePeer := inside(t, setup(t, n, inVPC("vpc-blue", cidr, "10.1.0.7"))["app"])
	serve(t, red, "tcp", ":80", "red")
	serve(t, blue, "tcp", ":80", "blue")

	wantAnswer(t, redPeer, "tcp", "10.1.0.5:80", "red 10.1.0.6")
	wantAnswer(t, bluePeer, "tcp", "10.1.0.5:80", "blue 10.1.0.7")
	serve(t, bluePeer, "tcp", ":81", "bluePeer")
	wantNoAnswer(t, redPeer, "tcp", "10.1.0.7:81")
	wantNoAnswer(t, m.Space, "tcp", "10.1.0.5:80")
}

func TestTasksReachTheWorldAsTheHost(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	serve(t, m.world, "tcp", ":80", "world")
	serve(t, m.world, "udp", ":80", "world")
	for _, o := range []*task.Order{
		inVPC("vpc-default", "172.31.0.0/16", "172.31.0.9"), inVPC("vpc-other", "10.0.0.0/16", "10.0.0.9"), inBridge(container("app")),
	} {
		s := inside(t, setup(t, n, o)["app"])
		wantAnswer(t, s, "tcp", worldAddress+":80", "world "+machineAddress)
		wantAnswer(t, s, "udp", worldAddress+":80", "world "+machineAddress)
	}
}

func TestTheHostReachesItsVPCOnly(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	own := inside(t, setup(t, n, inVPC("vpc-default", "172.31.0.0/16", "172.31.16.4"))["app"])
	other := inside(t, setup(t, n, inVPC("vpc-other", "10.0.0.0/16", "10.0.0.4"))["app"])
	serve(t, own, "tcp", ":80", "own")
	serve(t, other, "tcp", ":80", "other")
	check(t, n.HostReach())
	if got, err := ask(m.Space, "tcp", "172.31.16.4:80", patience); err != nil || got[:4] != "own " {
		t.Errorf("got %q, %v", got, err)
	}
	wantNoAnswer(t, other, "tcp", "172.31.16.4:80")
	wantNoAnswer(t, m.Space, "tcp", "10.0.0.4:80")
	route(t, m.world, "172.31.0.0/16", machineAddress)
	wantNoAnswer(t, m.world, "tcp", "172.31.16.4:80")
}

func TestATakenRangeIsSaidAndTasksWorkAllTheSame(t *testing.T) {
	m := newMachine(t)
	cable(t, m.Space, "office", "172.31.200.1/24", namespace(t), "eth0", "172.31.200.2/24")
	n := open(t, m.config())
	o := inVPC("vpc-default", "172.31.0.0/16", "172.31.16.4")
	s := inside(t, setup(t, n, o)["app"])
	var conflict *network.ConflictError
	if err := n.HostReach(); !errors.As(err, &conflict) || conflict.With != "the network of office (172.31.200.0/24)" {
		t.Errorf("got %v", err)
	}
	if err := network.Free(m.Path(), netip.MustParsePrefix("172.31.0.0/16")); !errors.As(err, &conflict) {
		t.Errorf("Free says %v", err)
	}
	if err := network.Free(m.Path(), netip.MustParsePrefix("172.30.0.0/16")); err != nil {
		t.Error(err)
	}
	serve(t, m.world, "tcp", ":80", "world")
	wantAnswer(t, s, "tcp", worldAddress+":80", "world "+machineAddress)
}

func TestASpoofedSourceIsDropped(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	victim := inside(t, setup(t, n, inVPC("vpc-a", "10.0.0.0/16", "10.0.0.4"))["app"])
	serve(t, victim, "udp", ":53", "victim")
	liar := inside(t, setup(t, n, inVPC("vpc-a", "10.0.0.0/16", "10.0.0.5"))["app"])
	wantAnswer(t, liar, "udp", "10.0.0.4:53", "victim 10.0.0.5")
	give(t, links(t, liar), "eth0", "10.0.0.66/32")
	lie := &net.UDPAddr{IP: net.ParseIP("10.0.0.66")}
	heard := listenOnce(t, victim, "udp", ":54")
	if _, err := askFrom(liar, lie, "udp", "10.0.0.4:54", impatience); err == nil {
		t.Error("the lie was answered")
	}
	select {
	case from := <-heard:
		t.Errorf("the victim heard from %s", from)
	default:
	}
	if _, err := askFrom(liar, nil, "udp", "10.0.0.4:54", impatience); err == nil {
		t.Error("nobody should answer there")
	}
	if from := <-heard; from != "10.0.0.5" {
		t.Errorf("the truth came from %s", from)
	}
}

// listenOnce tells the source of each datagram.
func listenOnce(t *testing.T, s interface{ Do(func() error) error }, protocol, address string) <-chan string {
	t.Helper()
	var c net.PacketConn
	check(t, s.Do(func() (err error) { c, err = net.ListenPacket(protocol+"4", address); return err }))
	t.Cleanup(func() { c.Close() })
	heard := make(chan string, 10)
	go func() {
		b := make([]byte, 100)
		for {
			_, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			heard <- from.(*net.UDPAddr).IP.String()
		}
	}()
	return heard
}

func TestTheCloudsMetadataIsOutOfReach(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	for _, a := range []string{"169.254.169.254", "169.254.170.23", "168.63.129.16", "100.100.100.200"} {
		give(t, links(t, m.world), "eth0", a+"/32")
	}
	serve(t, m.world, "tcp", ":8080", "cloud")
	wantAnswer(t, m.Space, "tcp", "168.63.129.16:8080", "cloud "+machineAddress)
	wantAnswer(t, m.Space, "tcp", "169.254.169.254:8080", "cloud "+machineAddress)
	for _, o := range []*task.Order{
		inVPC("vpc-default", "172.31.0.0/16", "172.31.0.9"), inVPC("vpc-other", "10.0.0.0/16", "10.0.0.9"), inBridge(container("app")),
	} {
		s := inside(t, setup(t, n, o)["app"])
		wantAnswer(t, s, "tcp", worldAddress+":8080", "cloud "+machineAddress)
		for _, a := range []string{"169.254.169.254", "169.254.170.23", "168.63.129.16", "100.100.100.200"} {
			wantNoAnswer(t, s, "tcp", a+":8080")
		}
	}
}

func TestSecurityGroups(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	const cidr = "10.0.0.0/16"
	everything := task.Rule{Protocol: "-1", FromPort: -1, ToPort: -1, CIDRs: []string{"0.0.0.0/0"}}
	web := inVPC("vpc-a", cidr, "10.0.0.4")
	web.Interface.SecurityGroups = []task.SecurityGroup{{ID: "sg-1",
		Ingress: []task.Rule{{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDRs: []string{"10.0.0.5/32"}},
			{Protocol: "tcp", FromPort: 8000, ToPort: 8100, CIDRs: []string{"10.0.0.0/16"}}, {Protocol: "nonsense", CIDRs: []string{"0.0.0.0/0"}}},
		Egress: []task.Rule{{Protocol: "udp", FromPort: 53, ToPort: 53, CIDRs: []string{"0.0.0.0/0"}}}}}
	friend := inVPC("vpc-a", cidr, "10.0.0.5")
	friend.Interface.SecurityGroups = []task.SecurityGroup{{ID: "sg-2", Ingress: []task.Rule{everything}, Egress: []task.Rule{everything}}}
	stranger := inVPC("vpc-a", cidr, "10.0.0.6")
	w, f, s := inside(t, setup(t, n, web)["app"]), inside(t, setup(t, n, friend)["app"]), inside(t, setup(t, n, stranger)["app"])
	for _, port := range []string{":80", ":81", ":8050"} {
		serve(t, w, "tcp", port, "web")
	}
	serve(t, f, "udp", ":53", "friend")
	serve(t, f, "udp", ":54", "friend")

	wantAnswer(t, f, "tcp", "10.0.0.4:80", "web 10.0.0.5")
	wantNoAnswer(t, s, "tcp", "10.0.0.4:80")
	wantNoAnswer(t, f, "tcp", "10.0.0.4:81")
	wantAnswer(t, s, "tcp", "10.0.0.4:8050", "web 10.0.0.6")
	wantAnswer(t, w, "udp", "10.0.0.5:53", "friend 10.0.0.4")
	wantNoAnswer(t, w, "udp", "10.0.0.5:54")

	check(t, n.Secure(context.Background(), web.ARN, []task.SecurityGroup{{ID: "sg-3", Ingress: []task.Rule{everything}}}))
	wantAnswer(t, s, "tcp", "10.0.0.4:81", "web 10.0.0.6")
	wantNoAnswer(t, w, "udp", "10.0.0.5:53")
	check(t, n.Teardown(context.Background(), web.ARN))
	wantNoAnswer(t, s, "tcp", "10.0.0.4:81")
}

func TestMembersOfAGroupReachEachOther(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	const cidr = "10.0.0.0/16"
	everywhere := task.Rule{Protocol: "-1", FromPort: -1, ToPort: -1, CIDRs: []string{"0.0.0.0/0"}}
	among := task.SecurityGroup{ID: "sg-1", Ingress: []task.Rule{{Protocol: "tcp", FromPort: 80, ToPort: 80, Group: "sg-1"}}, Egress: []task.Rule{everywhere}}
	member := func(ip string) *task.Order {
		o := inVPC("vpc-a", cidr, ip)
		o.Interface.SecurityGroups = []task.SecurityGroup{among}
		return o
	}
	first, second, stranger := member("10.0.0.4"), member("10.0.0.5"), inVPC("vpc-a", cidr, "10.0.0.6")
	a := inside(t, setup(t, n, first)["app"])
	b, s := inside(t, setup(t, n, second)["app"]), inside(t, setup(t, n, stranger)["app"])
	serve(t, a, "tcp", ":80", "a")
	serve(t, b, "tcp", ":80", "b")
	wantAnswer(t, b, "tcp", "10.0.0.4:80", "a 10.0.0.5")
	wantAnswer(t, a, "tcp", "10.0.0.5:80", "b 10.0.0.4")
	wantNoAnswer(t, s, "tcp", "10.0.0.4:80")

	left := among
	left.ID = "sg-2" // admits members of sg-1, and is none
	check(t, n.Secure(context.Background(), second.ARN, []task.SecurityGroup{left}))
	wantNoAnswer(t, b, "tcp", "10.0.0.4:80")
	wantAnswer(t, a, "tcp", "10.0.0.5:80", "b 10.0.0.4")
	check(t, n.Teardown(context.Background(), first.ARN))
	wantNoAnswer(t, a, "tcp", "10.0.0.5:80")
}

func TestBothEndsOfALinkCarryEqualPackets(t *testing.T) {
	m := newMachine(t)
	h := links(t, m.Space)
	eth0, err := h.LinkByName("eth0")
	check(t, err)
	check(t, h.LinkSetMTU(eth0, 1400))
	n := open(t, m.config())
	s := inside(t, setup(t, n, inVPC("vpc-default", "172.31.0.0/16", "172.31.0.9"))["app"])
	own, err := links(t, s).LinkByName("eth0")
	check(t, err)
	if own.Attrs().MTU != 1400 {
		t.Errorf("the task's interface carries %d bytes, the host's 1400", own.Attrs().MTU)
	}
}
