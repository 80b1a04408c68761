package flow

import (
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/balancer"
)

// packets listens for some.
func packets(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// The packets of a client come from one sender at one target, answers find their way
// back, and a target that is lost is another's next packet's no more.
func TestPacketsOfAnEndpointAreRelayed(t *testing.T) {
	own, err := space.Own()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { own.Close() })
	target := packets(t)
	go func() {
		packet := make([]byte, 100)
		for {
			n, from, err := target.ReadFromUDPAddrPort(packet)
			if err != nil {
				return
			}
			target.WriteToUDPAddrPort([]byte(string(packet[:n])+" of "+from.String()), from)
		}
	}()
	at := netip.MustParseAddrPort(target.LocalAddr().String())
	socket, err := listenUDP(&Node{Space: own, Node: balancer.Node{Address: netip.MustParseAddr("127.0.0.1")}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := relayTo(socket, &way{slots: []netip.AddrPort{at}, space: own}, slog.New(slog.DiscardHandler))
	t.Cleanup(r.stop)
	ask := func(c *net.UDPConn) string {
		t.Helper()
		if _, err := c.Write([]byte("word")); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		packet := make([]byte, 100)
		n, err := c.Read(packet)
		if err != nil {
			t.Fatal(err)
		}
		return string(packet[:n])
	}
	dial := func() *net.UDPConn {
		c, err := net.DialUDP("udp4", nil, socket.LocalAddr().(*net.UDPAddr))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	one, two := dial(), dial()
	first := ask(one)
	if again, other := ask(one), ask(two); again != first || other == first {
		t.Errorf("one heard %q and %q, two %q", first, again, other)
	}
	m := &Measured{}
	if r.measure(m); m.New != 2 || m.Open != 2 || r.connections()[at] != 2 {
		t.Errorf("measured %+v", m)
	}
	r.end(map[netip.AddrPort]bool{at: true})
	if left := r.connections(); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	if got := ask(one); got == first {
		t.Error("the talk went on that had ended")
	}
}
