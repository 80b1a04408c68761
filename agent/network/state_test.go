package network_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/network/space"
	vpc "github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
)

const cidr = "10.0.0.0/16"

// stateOf is the state of a VPC whose tasks are the orders, all in the groups.
func stateOf(id string, groups []vpc.GroupState, orders ...*task.Order) vpc.State {
	s := vpc.State{VPCID: id, Ranges: []netip.Prefix{netip.MustParsePrefix(cidr)}, Number: 77, Groups: groups}
	for _, o := range orders {
		e := vpc.End{InterfaceID: o.Interface.ID, TaskARN: o.ARN, Address: netip.MustParseAddr(o.Interface.PrivateIP), MAC: o.Interface.MAC, Exit: vpc.ExitIGW}
		for _, g := range groups {
			e.Groups = append(e.Groups, g.ID)
		}
		s.Ends = append(s.Ends, e)
	}
	return s
}

func all(cidr string) vpc.Rule { return vpc.Rule{Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: cidr} }

func tcp(port int, cidr string) vpc.Rule {
	return vpc.Rule{Protocol: "tcp", FromPort: port, ToPort: port, CIDR: cidr}
}

func among(group string) vpc.Rule {
	return vpc.Rule{Protocol: "-1", FromPort: -1, ToPort: -1, Group: group}
}

func group(ingress ...vpc.Rule) []vpc.GroupState {
	return []vpc.GroupState{{ID: "sg-1", Ingress: ingress, Egress: []vpc.Rule{all("0.0.0.0/0")}}}
}

// A rule counts from when Apply returns, for tasks that run, in both directions of the
// change; a connection that it admitted goes on when it is revoked.
func TestGroupsChangeUnderLiveTasks(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	web, app := inVPC("vpc-a", cidr, "10.0.0.4"), inVPC("vpc-a", cidr, "10.0.0.5")
	w, a := inside(t, setup(t, n, web)["app"]), inside(t, setup(t, n, app)["app"])
	serve(t, w, "tcp", ":80", "web")
	echo(t, w, ":81")
	apply(t, n, stateOf("vpc-a", group(), web, app))
	wantNoAnswer(t, a, "tcp", "10.0.0.4:80")

	apply(t, n, stateOf("vpc-a", group(tcp(80, "10.0.0.5/32"), tcp(81, cidr)), web, app))
	wantAnswer(t, a, "tcp", "10.0.0.4:80", "web 10.0.0.5")
	held := dial(t, a, "10.0.0.4:81")
	wantEcho(t, held)

	start := time.Now()
	apply(t, n, stateOf("vpc-a", group(), web, app))
	t.Logf("a change of rules took %v", time.Since(start))
	wantNoAnswer(t, a, "tcp", "10.0.0.4:80")
	wantNoAnswer(t, a, "tcp", "10.0.0.4:81")
	wantEcho(t, held)

	// Members of the group that the rule names, wherever they are said to be.
	s := stateOf("vpc-a", group(vpc.Rule{Protocol: "tcp", FromPort: 80, ToPort: 80, Group: "sg-far"}), web, app)
	s.Members = map[string][]netip.Addr{"sg-far": {netip.MustParseAddr("10.0.0.5")}}
	apply(t, n, s)
	wantAnswer(t, a, "tcp", "10.0.0.4:80", "web 10.0.0.5")
	s.Members = map[string][]netip.Addr{"sg-far": {netip.MustParseAddr("10.0.0.6")}}
	apply(t, n, s)
	wantNoAnswer(t, a, "tcp", "10.0.0.4:80")
}

// The host is an address outside the VPC.
func TestAClosedPortIsClosedFromTheHostToo(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	web, app := inVPC("vpc-default", cidr, "10.0.0.4"), inVPC("vpc-default", cidr, "10.0.0.5")
	w := inside(t, setup(t, n, web)["app"])
	a := inside(t, setup(t, n, app)["app"])
	other := inside(t, setup(t, n, inVPC("vpc-other", "10.9.0.0/16", "10.9.0.4"))["app"])
	bridged := inside(t, setup(t, n, inBridge(container("app")))["app"])
	serve(t, w, "tcp", ":80", "web")
	apply(t, n, stateOf("vpc-default", group(tcp(80, cidr)), web, app))
	wantAnswer(t, a, "tcp", "10.0.0.4:80", "web 10.0.0.5")
	for _, from := range []*space.Space{m.Space, other, bridged, m.world} {
		wantNoAnswer(t, from, "tcp", "10.0.0.4:80")
	}
	apply(t, n, stateOf("vpc-default", group(tcp(80, "0.0.0.0/0")), web, app))
	for _, from := range []*space.Space{m.Space, a, bridged} {
		if _, err := ask(from, "tcp", "10.0.0.4:80", patience); err != nil {
			t.Error(err)
		}
	}
	wantNoAnswer(t, other, "tcp", "10.0.0.4:80")
}

// A restarted agent applies what it was told, before any control plane speaks.
func TestARestartedAgentKeepsTheState(t *testing.T) {
	m := newMachine(t)
	before, err := network.Open(context.Background(), m.config())
	check(t, err)
	web, app := inVPC("vpc-a", cidr, "10.0.0.4"), inVPC("vpc-a", cidr, "10.0.0.5")
	w, a := inside(t, setup(t, before, web)["app"]), inside(t, setup(t, before, app)["app"])
	serve(t, w, "tcp", ":80", "web")
	serve(t, w, "tcp", ":81", "web")
	s := stateOf("vpc-a", group(tcp(80, cidr)), web, app)
	s.Ends = append(s.Ends, edgeEnd("eni-e", "10.0.0.9"))
	apply(t, before, s)
	node := edge(t, m, "eni-e")
	serve(t, node, "tcp", ":7000", "node")
	check(t, before.Close())

	n := open(t, m.config())
	check(t, n.Keep(context.Background(), []string{web.ARN, app.ARN}))
	wantAnswer(t, a, "tcp", "10.0.0.4:80", "web 10.0.0.5")
	wantNoAnswer(t, a, "tcp", "10.0.0.4:81")
	wantAnswer(t, a, "tcp", "10.0.0.9:7000", "node 10.0.0.5")
	check(t, n.Only(context.Background(), nil))
	if _, err := os.Stat(network.EdgePath(filepath.Join(m.dir, "run"), "eni-e")); !os.IsNotExist(err) {
		t.Errorf("the namespace of an end that is gone: %v", err)
	}
}

func edgeEnd(id, ip string) vpc.End {
	a := netip.MustParseAddr(ip)
	return vpc.End{InterfaceID: id, Kind: vpc.ForBalancer, Address: a, MAC: vpc.MAC(id, a), Exit: vpc.ExitIGW}
}

// edge opens the namespace of an end that is no task's.
func edge(t testing.TB, m *machine, id string) *space.Space {
	t.Helper()
	s, err := space.Open(network.EdgePath(filepath.Join(m.dir, "run"), id))
	check(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// A balancer's node has groups, an address and a default route like a task, and goes
// with its end.
func TestEdgesHaveNamespacesOfTheirOwn(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	app := inVPC("vpc-a", cidr, "10.0.0.5")
	a := inside(t, setup(t, n, app)["app"])
	serve(t, a, "tcp", ":80", "app")
	s := stateOf("vpc-a", group(tcp(80, "10.0.0.9/32")), app)
	node := edgeEnd("eni-e", "10.0.0.9")
	node.Groups = []string{"sg-2"}
	s.Groups = append(s.Groups, vpc.GroupState{ID: "sg-2", Ingress: []vpc.Rule{tcp(80, "0.0.0.0/0")}, Egress: []vpc.Rule{all("0.0.0.0/0")}})
	s.Ends = append(s.Ends, node, vpc.End{InterfaceID: "eni-n", Kind: vpc.ForNAT, Address: netip.MustParseAddr("10.0.0.10")})
	apply(t, n, s)
	e := edge(t, m, "eni-e")
	serve(t, e, "tcp", ":80", "node")
	serve(t, e, "tcp", ":81", "node")
	serve(t, m.world, "tcp", ":80", "world")
	wantAnswer(t, a, "tcp", "10.0.0.9:80", "node 10.0.0.5")
	wantNoAnswer(t, a, "tcp", "10.0.0.9:81")
	wantAnswer(t, e, "tcp", "10.0.0.5:80", "app 10.0.0.9")
	wantAnswer(t, e, "tcp", worldAddress+":80", "world "+machineAddress)
	wantAnswer(t, e, "tcp", "127.0.0.1:80", "node 127.0.0.1")

	s.Ends = s.Ends[:1]
	apply(t, n, s)
	if _, err := space.Open(network.EdgePath(filepath.Join(m.dir, "run"), "eni-e")); err == nil {
		t.Error("the namespace is still there")
	}
	wantNoAnswer(t, a, "tcp", "10.0.0.9:80")
	s.Ends = append(s.Ends, node)
	apply(t, n, s) // the same again
	serve(t, edge(t, m, "eni-e"), "tcp", ":80", "again")
	wantAnswer(t, a, "tcp", "10.0.0.9:80", "again 10.0.0.5")
}

func apply(t testing.TB, n *network.Network, s vpc.State) {
	t.Helper()
	check(t, n.Apply(context.Background(), s))
}

// echo answers what it hears, for as long as the connection lives.
func echo(t testing.TB, s *space.Space, address string) {
	t.Helper()
	var l net.Listener
	check(t, s.Do(func() (err error) { l, err = net.Listen("tcp4", address); return err }))
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
}

func dial(t testing.TB, s *space.Space, address string) net.Conn {
	t.Helper()
	var c net.Conn
	check(t, s.Do(func() (err error) { c, err = net.DialTimeout("tcp4", address, patience); return err }))
	t.Cleanup(func() { c.Close() })
	return c
}

func wantEcho(t testing.TB, c net.Conn) {
	t.Helper()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprint(c, "ping"); err != nil {
		t.Error(err)
		return
	}
	b := make([]byte, 4)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "ping" {
		t.Errorf("got %q, %v", b, err)
	}
}
