package flow

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/plane/edge/spacetest"
)

const (
	nodeAddress = "10.0.0.10"
	clientOne   = "10.0.0.20"
	clientTwo   = "10.0.0.21"
	targetOne   = "10.0.0.30"
	targetTwo   = "10.0.0.31"
)

func slotsOf(targets ...string) []netip.AddrPort {
	var shares []share
	for _, t := range targets {
		shares = append(shares, share{netip.MustParseAddrPort(t + ":8080"), 1})
	}
	return spread(shares)
}

func balanced(t *testing.T) (*spacetest.Machine, *table) {
	t.Helper()
	m := spacetest.New(t)
	for _, a := range []string{nodeAddress, clientOne, clientTwo, targetOne, targetTwo} {
		m.End(a)
	}
	m.Answer(targetOne, 8080)
	m.Answer(targetTwo, 8080)
	x, err := openTable(m.Ends[nodeAddress], netip.MustParseAddr(nodeAddress))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.close() })
	return m, x
}

func tcp(slots []netip.AddrPort) port {
	return port{number: 80, protocol: unix.IPPROTO_TCP, slots: slots}
}

func set(t *testing.T, x *table, ports ...port) {
	t.Helper()
	if err := x.set(ports, defaultIdle); err != nil {
		t.Fatal(err)
	}
}

// Connections are spread; targets see the node, or the sender where it is preserved:
// then answers must find back, for which the router does what the agent's does.
func TestConnectionsAreSpreadUnderTheNodesAddress(t *testing.T) {
	m, x := balanced(t)
	set(t, x, tcp(slotsOf(targetOne, targetTwo)))
	seen := map[string]int{}
	for range 60 {
		answer, err := spacetest.Ask(m.Ends[clientOne], nodeAddress+":80")
		if err != nil {
			t.Fatal(err)
		}
		seen[answer]++
	}
	if len(seen) != 2 || seen[targetOne+" "+nodeAddress+" hello"] < 15 || seen[targetTwo+" "+nodeAddress+" hello"] < 15 {
		t.Errorf("got %v", seen)
	}
	counts := x.take()
	if c := counts["tcp80"]; c.Packets != 60 || c.Bytes < 60*200 {
		t.Errorf("counted %+v", counts)
	}
	if c := x.take()["tcp80"]; c.Packets != 0 {
		t.Errorf("counted twice: %+v", c)
	}
}

func TestSendersStayWithTheirTargetAndMaySeeThrough(t *testing.T) {
	m, x := balanced(t)
	p := tcp(slotsOf(targetOne, targetTwo))
	p.bySource = true
	set(t, x, p)
	for _, client := range []string{clientOne, clientTwo} {
		first, err := spacetest.Ask(m.Ends[client], nodeAddress+":80")
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if again, err := spacetest.Ask(m.Ends[client], nodeAddress+":80"); err != nil || again != first {
				t.Fatalf("%s came to %q, then to %q (%v)", client, first, again, err)
			}
		}
	}
}

func TestPortsWithoutListenerRefuse(t *testing.T) {
	m, x := balanced(t)
	set(t, x, tcp(slotsOf(targetOne)))
	if _, err := spacetest.Ask(m.Ends[clientOne], nodeAddress+":81"); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
	if _, err := spacetest.Ask(m.Ends[clientOne], nodeAddress+":80"); err != nil {
		t.Error(err)
	}
	set(t, x)
	if _, err := spacetest.Ask(m.Ends[clientOne], nodeAddress+":80"); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
}

func TestPacketsFlow(t *testing.T) {
	m, x := balanced(t)
	set(t, x, port{number: 53, protocol: unix.IPPROTO_UDP, slots: slotsOf(targetOne, targetTwo)})
	seen := map[string]bool{}
	for range 40 {
		c, err := spacetest.Dial(m.Ends[clientOne], "udp", nodeAddress+":53")
		if err != nil {
			t.Fatal(err)
		}
		first := packet(t, c)
		if again := packet(t, c); again != first {
			t.Errorf("one flow went to %q and %q", first, again)
		}
		seen[first] = true
		c.Close()
	}
	if len(seen) != 2 {
		t.Errorf("got %v", seen)
	}
}

func packet(t *testing.T, c net.Conn) string {
	t.Helper()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// Targets come and go, even an edge does, while connections are made without a pause:
// none fails, and those that are open stay where they are.
func TestNoConnectionFailsWhileTargetsChange(t *testing.T) {
	m, x := balanced(t)
	set(t, x, tcp(slotsOf(targetOne)))
	open, err := spacetest.Dial(m.Ends[clientTwo], "tcp", nodeAddress+":80")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	var stop atomic.Bool
	var made atomic.Int64
	var askers sync.WaitGroup
	for range 4 {
		askers.Go(func() {
			for !stop.Load() {
				if _, err := spacetest.Ask(m.Ends[clientOne], nodeAddress+":80"); err != nil {
					t.Error(err)
					return
				}
				made.Add(1)
			}
		})
	}
	plans := [][]string{{targetTwo}, {targetOne, targetTwo}, {targetOne}, {targetTwo, targetOne}}
	for n := range 28 {
		for before := made.Load(); made.Load() < before+40 && !t.Failed(); {
			spacetest.Ask(m.Ends[clientTwo], nodeAddress+":80")
		}
		if n == 14 { // another process takes the table over
			again, err := openTable(m.Ends[nodeAddress], x.address)
			if err != nil {
				t.Fatal(err)
			}
			x.close()
			x = again
			defer again.close()
		}
		set(t, x, tcp(slotsOf(plans[n%4]...)))
		if answer, err := spacetest.Say(open, fmt.Sprint(n)); err != nil || answer != fmt.Sprintf("%s %s %d", targetOne, nodeAddress, n) {
			t.Fatalf("the open connection got %q (%v)", answer, err)
		}
	}
	stop.Store(true)
	askers.Wait()
	t.Logf("%d connections", made.Load())
}

func TestSlotsAreSharedByWeightAndStay(t *testing.T) {
	at := func(n int) netip.AddrPort { return netip.MustParseAddrPort(fmt.Sprintf("10.0.0.%d:80", n)) }
	count := func(slots []netip.AddrPort) map[netip.AddrPort]int {
		c := map[netip.AddrPort]int{}
		for _, s := range slots {
			c[s]++
		}
		return c
	}
	c := count(spread([]share{{at(1), 9}, {at(2), 1}}))
	if c[at(1)] < 918-10 || c[at(2)] < 102-10 {
		t.Errorf("weights 9 and 1 gave %v", c)
	}
	var ten []share
	for n := range 10 {
		ten = append(ten, share{at(n), 1})
	}
	before := spread(ten)
	for a, n := range count(before) {
		if n < 101 || n > 104 {
			t.Errorf("%v has %d of %d slots", a, n, len(before))
		}
	}
	after, moved := spread(ten[1:]), 0
	for n := range before {
		if before[n] != after[n] && before[n] != at(0) {
			moved++
		}
	}
	if moved > len(before)/5 {
		t.Errorf("%d of %d slots moved needlessly", moved, len(before))
	}
	if spread(nil) != nil {
		t.Error("slots without targets")
	}
}

func TestTargetsSeeTheSenderWherePreserved(t *testing.T) {
	m, x := balanced(t)
	m.Returns(nodeAddress)
	p := tcp(slotsOf(targetOne))
	p.preserve = true
	set(t, x, p, port{number: 53, protocol: unix.IPPROTO_UDP, slots: slotsOf(targetTwo), preserve: true})
	if answer, err := spacetest.Ask(m.Ends[clientOne], nodeAddress+":80"); err != nil || answer != targetOne+" "+clientOne+" hello" {
		t.Errorf("got %q (%v)", answer, err)
	}
	c, err := spacetest.Dial(m.Ends[clientTwo], "udp", nodeAddress+":53")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := packet(t, c); got != targetTwo+" "+clientTwo {
		t.Errorf("got %q", got)
	}
}

// Connections are counted by target, and end with a reset where that is wanted.
func TestConnectionsEndWithTheirTarget(t *testing.T) {
	m, x := balanced(t)
	set(t, x, tcp(slotsOf(targetOne)))
	at, node := netip.MustParseAddrPort(targetOne+":8080"), m.Ends[nodeAddress]
	c, err := spacetest.Dial(m.Ends[clientOne], "tcp", nodeAddress+":80")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := spacetest.Say(c, "hello"); err != nil {
		t.Fatal(err)
	}
	if open, err := connections(node); err != nil || open[at] != 1 {
		t.Errorf("open are %v (%v)", open, err)
	}
	set(t, x, tcp(slotsOf(targetTwo)))
	if err := end(node, map[netip.AddrPort]bool{netip.MustParseAddrPort(targetTwo + ":8080"): true}); err != nil {
		t.Fatal(err)
	}
	if _, err := spacetest.Say(c, "still here"); err != nil {
		t.Errorf("another target's connections ended: %v", err)
	}
	if err := end(node, map[netip.AddrPort]bool{at: true}); err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := spacetest.Say(c, "still here"); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection did not end: %v", err)
	}
	if open, err := connections(node); err != nil || open[at] != 0 {
		t.Errorf("open are %v (%v)", open, err)
	}
}

func TestThisMachineCan(t *testing.T) {
	balanced(t)
	if err := Possible(); err != nil {
		t.Error(err)
	}
}
