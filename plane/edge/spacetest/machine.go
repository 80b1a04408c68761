// Package spacetest makes machines of network namespaces for tests of load balancers:
// a router and what is around it, joined as an agent joins tasks.
package spacetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/network/space"
)

// Machine is a router with namespaces around it, joined as an agent joins them: routed
// links, an address each.
type Machine struct {
	t      *testing.T
	Router *space.Space
	Ends   map[string]*space.Space
}

// New makes one; it goes with the test.
func New(t *testing.T) *Machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	m := &Machine{t: t, Ends: map[string]*space.Space{}}
	m.Router = m.space(filepath.Join(t.TempDir(), "router"))
	m.Run(m.Router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
	m.Run(m.Router, "ip", "addr", "add", "169.254.1.1/32", "dev", "lo")
	return m
}

func (m *Machine) space(path string) *space.Space {
	m.t.Helper()
	s, err := space.Create(path, func() error {
		out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { s.Close(); space.Remove(s.Path()) })
	return s
}

// Run runs a command in a namespace.
func (m *Machine) Run(s *space.Space, command ...string) {
	m.t.Helper()
	if err := s.Do(func() error {
		out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%v: %w: %s", command, err, out)
		}
		return nil
	}); err != nil {
		m.t.Fatal(err)
	}
}

// End joins a namespace with the address.
func (m *Machine) End(address string) *space.Space {
	m.t.Helper()
	return m.EndAt(address, filepath.Join(m.t.TempDir(), "space"))
}

// EndAt is End for a namespace that is bound to a path.
func (m *Machine) EndAt(address, path string) *space.Space {
	m.t.Helper()
	name := "v" + strings.ReplaceAll(address, ".", "")
	s := m.space(path)
	m.Run(m.Router, "ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.FD()))
	m.Run(m.Router, "ip", "link", "set", name, "up")
	m.Run(m.Router, "ip", "route", "add", address+"/32", "dev", name)
	m.Run(s, "ip", "addr", "add", address+"/32", "dev", "eth0")
	m.Run(s, "ip", "link", "set", "eth0", "up")
	m.Run(s, "ip", "route", "add", "169.254.1.1", "dev", "eth0")
	m.Run(s, "ip", "route", "add", "default", "via", "169.254.1.1", "dev", "eth0", "src", address)
	m.Ends[address] = s
	return s
}

// Answer says who it is and who asks, a line for each line, over TCP and UDP.
func (m *Machine) Answer(address string, port int) {
	m.t.Helper()
	s := m.Ends[address]
	at := fmt.Sprintf("%s:%d", address, port)
	l := Inside(m.t, s, func() (net.Listener, error) { return net.Listen("tcp", at) })
	p := Inside(m.t, s, func() (net.PacketConn, error) { return net.ListenPacket("udp", at) })
	m.t.Cleanup(func() { l.Close(); p.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go echo(c, address)
		}
	}()
	go func() {
		b := make([]byte, 1500)
		for {
			_, from, err := p.ReadFrom(b)
			if err != nil {
				return
			}
			fmt.Fprintf(packetTo{p, from}, "%s %s", address, hostOf(from))
		}
	}()
}

type packetTo struct {
	net.PacketConn
	to net.Addr
}

func (p packetTo) Write(b []byte) (int, error) { return p.WriteTo(b, p.to) }

func echo(c net.Conn, who string) {
	defer c.Close()
	for s := bufio.NewScanner(c); s.Scan(); {
		fmt.Fprintf(c, "%s %s %s\n", who, hostOf(c.RemoteAddr()), s.Text())
	}
}

func hostOf(a net.Addr) string { return netip.MustParseAddrPort(a.String()).Addr().String() }

// Inside does something in a namespace.
func Inside[T any](t *testing.T, s *space.Space, f func() (T, error)) T {
	t.Helper()
	var out T
	if err := s.Do(func() (err error) { out, err = f(); return err }); err != nil {
		t.Fatal(err)
	}
	return out
}

// Dial connects from a namespace.
func Dial(s *space.Space, network, address string) (c net.Conn, err error) {
	err = s.Do(func() error {
		var d net.Dialer
		d.Timeout = 5 * time.Second
		c, err = d.DialContext(context.Background(), network, address)
		return err
	})
	return c, err
}

// Ask sends a line on a new connection and returns the answer.
func Ask(s *space.Space, address string) (string, error) {
	c, err := Dial(s, "tcp", address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return Say(c, "hello")
}

// Say sends a line and returns the answer.
func Say(c net.Conn, line string) (string, error) {
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(answer), err
}

// Returns has the router send answers to preserved senders back by the node, as an
// agent's does for unchecked interfaces.
func (m *Machine) Returns(node string) {
	m.t.Helper()
	link := "v" + strings.ReplaceAll(node, ".", "")
	m.Run(m.Router, "nft", "add table ip back { chain pre { type filter hook prerouting priority -150; "+
		"iifname "+link+" ip saddr != "+node+" ct mark set 7 ; iifname != "+link+" ct mark 7 meta mark set ct mark ; } ; }")
	m.Run(m.Router, "ip", "rule", "add", "fwmark", "7", "lookup", "107")
	m.Run(m.Router, "ip", "route", "add", "default", "via", node, "dev", link, "onlink", "table", "107")
}
