package network_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/network/space"
)

func eventually(t testing.TB, f func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	err := f()
	for ; err != nil && time.Now().Before(deadline); err = f() {
		<-time.After(10 * time.Millisecond)
	}
	check(t, err)
}

func TestARestartedAgentFindsItsTasks(t *testing.T) {
	m := newMachine(t)
	before, err := network.Open(context.Background(), m.config())
	check(t, err)
	web := inBridge(container("web", fixed(80, 8080, "tcp"), dynamic(81, "tcp")))
	vpc := inVPC("vpc-default", "172.31.0.0/16", "172.31.0.9")
	gone := inVPC("vpc-default", "172.31.0.0/16", "172.31.0.10")
	was := setup(t, before, web)["web"]
	app := inside(t, setup(t, before, vpc)["app"])
	stopped := inside(t, setup(t, before, gone)["app"])
	serve(t, inside(t, was), "tcp", ":80", "web")
	serve(t, app, "tcp", ":80", "app")
	serve(t, stopped, "tcp", ":80", "stopped")
	check(t, before.Close())
	wantAnswer(t, m.world, "tcp", machineAddress+":8080", "web "+worldAddress) // while no agent is there

	n := open(t, m.config())
	check(t, n.Keep(context.Background(), []string{web.ARN, vpc.ARN}))
	is := setup(t, n, web)["web"]
	if fmt.Sprint(is) != fmt.Sprint(was) {
		t.Errorf("the container had %+v and has %+v", was, is)
	}
	wantAnswer(t, m.world, "tcp", machineAddress+":8080", "web "+worldAddress)
	wantAnswer(t, inside(t, is), "tcp", "172.31.0.9:80", "app "+is.Address.String())
	wantNoAnswer(t, m.Space, "tcp", "172.31.0.10:80")
	var taken *network.PortTakenError
	if _, err := n.Setup(context.Background(), inBridge(container("web", fixed(80, 8080, "tcp")))); !errors.As(err, &taken) {
		t.Errorf("the adopted port was given out again: %v", err)
	}
	fresh := setup(t, n, inBridge(container("new")))["new"]
	if fresh.Address == is.Address {
		t.Errorf("the address %s was given out twice", is.Address)
	}
}

func TestARebootLeavesACleanStart(t *testing.T) {
	m := newMachine(t)
	before, err := network.Open(context.Background(), m.config())
	check(t, err)
	o := inVPC("vpc-default", "172.31.0.0/16", "172.31.0.9")
	setup(t, before, o)
	check(t, before.Close())
	// What a reboot does: bindings and links are gone, files remain.
	for _, pattern := range []string{"router/r*", "space/*"} {
		paths, _ := filepath.Glob(filepath.Join(m.dir, "run", pattern))
		for _, p := range paths {
			if filepath.Ext(p) == "" {
				unmount(t, p)
			}
		}
	}
	check(t, os.WriteFile(filepath.Join(m.dir, "run", "task", "torn.json"), nil, 0o600))
	n := open(t, m.config())
	app := inside(t, setup(t, n, o)["app"])
	serve(t, app, "tcp", ":80", "app")
	if got, err := ask(m.Space, "tcp", "172.31.0.9:80", patience); err != nil || !strings.HasPrefix(got, "app ") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestHalfASetupIsSweptAtTheNextStart(t *testing.T) {
	m := newMachine(t)
	before, err := network.Open(context.Background(), m.config())
	check(t, err)
	setup(t, before, inBridge(container("app")))
	check(t, before.Close())
	records, _ := filepath.Glob(filepath.Join(m.dir, "run", "task", "*.json"))
	if len(records) != 1 {
		t.Fatalf("got records %v", records)
	}
	check(t, os.Remove(records[0])) // as if the agent had died before writing it
	open(t, m.config())
	if left, _ := os.ReadDir(filepath.Join(m.dir, "run", "space")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestTheRulesComeBackWhenFlushed(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	web := setup(t, n, inBridge(container("web", fixed(80, 8080, "tcp"))))["web"]
	serve(t, inside(t, web), "tcp", ":80", "web")
	wantAnswer(t, m.world, "tcp", machineAddress+":8080", "web "+worldAddress)
	conn, err := nftables.New(nftables.WithNetNSFd(m.FD()))
	check(t, err)
	conn.FlushRuleset()
	check(t, conn.Flush())
	eventually(t, func() error {
		_, err := ask(m.world, "tcp", machineAddress+":8080", impatience)
		return err
	})
	tables, err := conn.ListTables()
	check(t, err)
	for _, table := range tables {
		chains, err := conn.GetRules(table, &nftables.Chain{Name: "forward", Table: table})
		check(t, err)
		for _, r := range chains {
			check(t, conn.DelRule(r))
		}
		check(t, conn.Flush())
		eventually(t, func() error {
			now, err := conn.GetRules(table, &nftables.Chain{Name: "forward", Table: table})
			if err == nil && len(now) != len(chains) {
				err = fmt.Errorf("%d rules of %d", len(now), len(chains))
			}
			return err
		})
	}
}

func TestASetUpAfterAFlushStillWorks(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	conn, err := nftables.New(nftables.WithNetNSFd(m.FD()))
	check(t, err)
	conn.FlushRuleset()
	check(t, conn.Flush())
	web := setup(t, n, inBridge(container("web", fixed(80, 8080, "tcp"))))["web"]
	serve(t, inside(t, web), "tcp", ":80", "web")
	wantAnswer(t, m.world, "tcp", machineAddress+":8080", "web "+worldAddress)
}

func TestTwoAgentsShareAMachine(t *testing.T) {
	m := newMachine(t)
	second := *m
	second.agent, second.dir = random(), t.TempDir()
	a, b := open(t, m.config()), open(t, second.config())
	if a.Private().Overlaps(b.Private()) {
		t.Errorf("both have %s", a.Private())
	}
	const cidr = "172.31.0.0/16"
	atA := inside(t, setup(t, a, inVPC("vpc-default", cidr, "172.31.0.4"))["app"])
	atB := inside(t, setup(t, b, inVPC("vpc-default", cidr, "172.31.0.5"))["app"])
	serve(t, atA, "tcp", ":80", "atA")
	serve(t, atB, "tcp", ":80", "atB")
	check(t, errors.Join(a.HostReach(), b.HostReach()))
	wantAnswer(t, atA, "tcp", "172.31.0.5:80", "atB 172.31.0.4")
	wantAnswer(t, atB, "tcp", "172.31.0.4:80", "atA 172.31.0.5")
	ports := map[int]string{}
	for name, n := range map[string]*network.Network{"a": a, "b": b} {
		e := setup(t, n, inBridge(container("web", dynamic(80, "tcp"))))["web"]
		serve(t, inside(t, e), "tcp", ":80", name)
		ports[hostPort(t, e)] = name
	}
	if len(ports) != 2 {
		t.Errorf("both have the same port: %v", ports)
	}
	for port, name := range ports {
		wantAnswer(t, m.world, "tcp", at(machineAddress, port), name+" "+worldAddress)
	}
	other := inside(t, setup(t, a, inVPC("vpc-x", cidr, "172.31.0.4"))["app"])
	wantNoAnswer(t, other, "tcp", "172.31.0.5:80")
}

func TestTwoMachinesWithARouteBetween(t *testing.T) {
	left, right := newMachine(t), newMachine(t)
	cable(t, left.Space, "lan", "198.51.100.1/24", right.Space, "lan", "198.51.100.2/24")
	a, b := open(t, left.config()), open(t, right.config())
	web := setup(t, b, inBridge(container("web", dynamic(80, "tcp"))))["web"]
	serve(t, inside(t, web), "tcp", ":80", "web")
	to := at("198.51.100.2", hostPort(t, web))
	for _, e := range []network.Endpoint{
		setup(t, a, inBridge(container("app")))["app"], setup(t, a, inVPC("vpc-default", "172.31.0.0/16", "172.31.0.4"))["app"],
	} {
		wantAnswer(t, inside(t, e), "tcp", to, "web 198.51.100.1")
	}
}

func TestAnInterfaceIsRenewed(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	o := inVPC("vpc-default", "172.31.0.0/16", "172.31.0.9")
	s := inside(t, setup(t, n, o)["app"])
	serve(t, m.world, "tcp", ":80", "world")
	h := links(t, s)
	eth0, err := h.LinkByName("eth0")
	check(t, err)
	addresses, err := h.AddrList(eth0, netlink.FAMILY_V4)
	check(t, err)
	for _, a := range addresses { // what gVisor does when a sandbox starts
		check(t, h.AddrDel(eth0, &a))
	}
	wantNoAnswer(t, s, "tcp", worldAddress+":80")
	check(t, n.Renew(context.Background(), o.ARN))
	wantAnswer(t, s, "tcp", worldAddress+":80", "world "+machineAddress)
	check(t, n.Renew(context.Background(), o.ARN)) // nothing to do is fine
}

func TestNothingIsLeft(t *testing.T) {
	m := newMachine(t)
	n, err := network.Open(context.Background(), m.config())
	check(t, err)
	for i := range 5 {
		setup(t, n, inVPC("vpc-default", "172.31.0.0/16", fmt.Sprintf("172.31.0.%d", 10+i)))
		setup(t, n, inBridge(container("web", dynamic(80, "tcp"))))
	}
	check(t, n.Destroy(context.Background()))
	h := links(t, m.Space)
	all, err := h.LinkList()
	check(t, err)
	if len(all) != 2 {
		t.Errorf("links: %v", all)
	}
	routes, err := h.RouteList(nil, netlink.FAMILY_V4)
	check(t, err)
	if len(routes) != 2 { // the default route and eth0's own
		t.Errorf("routes: %v", routes)
	}
	conn, err := nftables.New(nftables.WithNetNSFd(m.FD()))
	check(t, err)
	if tables, err := conn.ListTables(); err != nil || len(tables) > 0 {
		t.Errorf("tables: %v, %v", tables, err)
	}
	if _, err := os.Stat(filepath.Join(m.dir, "run")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the run directory is still there: %v", err)
	}
}

func TestBadOrdersAreRefused(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	noInterface := inVPC("vpc-a", "10.0.0.0/16", "10.0.0.4")
	noInterface.Interface = nil
	outside := inVPC("vpc-a", "10.0.0.0/16", "10.1.0.4")
	badMAC := inVPC("vpc-a", "10.0.0.0/16", "10.0.0.4")
	badMAC.Interface.MAC = "nonsense"
	badMode := inBridge(container("app"))
	badMode.NetworkMode = "token-ring"
	holder := inVPC("vpc-a", "10.0.0.0/16", "10.0.0.9")
	setup(t, n, holder)
	again := inVPC("vpc-a", "10.0.0.0/16", "10.0.0.9")
	if _, err := n.Setup(context.Background(), again); err == nil || !strings.Contains(err.Error(), holder.ARN) {
		t.Errorf("an address was given to two tasks: %v", err)
	}
	if _, err := n.Setup(context.Background(), noInterface); err == nil {
		t.Error("an awsvpc task without interface was set up")
	}
	if _, err := n.Setup(context.Background(), outside); err == nil {
		t.Error("an address outside the VPC was taken")
	}
	if _, err := n.Setup(context.Background(), badMAC); err == nil {
		t.Error("a bad hardware address was taken")
	}
	if _, err := n.Setup(context.Background(), badMode); err == nil {
		t.Error("an unknown mode was taken")
	}
	check(t, n.Teardown(context.Background(), "arn:unknown"))
	if got := network.VPCResolver(netip.MustParsePrefix("10.0.0.0/16")).String(); got != "10.0.0.2" {
		t.Errorf("the VPC's resolver is %s", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	serve(t, m.world, "tcp", ":80", "world")
	var all sync.WaitGroup
	for i := range 16 {
		o := inVPC(fmt.Sprintf("vpc-%d", i%3), "10.0.0.0/16", fmt.Sprintf("10.0.0.%d", 10+i))
		if i%2 == 0 {
			o = inBridge(container("app", dynamic(80, "tcp"), dynamic(53, "udp")))
		}
		all.Go(func() {
			for range 3 {
				e, err := n.Setup(context.Background(), o)
				if err != nil {
					t.Error(err)
					return
				}
				s, err := space.Open(e["app"].Space)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := ask(s, "tcp", worldAddress+":80", patience); err != nil || got != "world "+machineAddress {
					t.Errorf("got %q, %v", got, err)
				}
				if err := errors.Join(s.Close(), n.Teardown(context.Background(), o.ARN)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
