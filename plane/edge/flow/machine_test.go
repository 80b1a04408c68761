package flow

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

	"github.com/berthhq/berth/agent/network/space"
)

// machine is a router with namespaces around it, joined as an agent joins them: routed
// links, an address each.
type machine struct {
	t      *testing.T
	router *space.Space
	ends   map[string]*space.Space
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	m := &machine{t: t, ends: map[string]*space.Space{}}
	m.router = m.space("router")
	m.run(m.router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
	m.run(m.router, "ip", "addr", "add", "169.254.1.1/32", "dev", "lo")
	return m
}

func (m *machine) space(name string) *space.Space {
	m.t.Helper()
	s, err := space.Create(filepath.Join(m.t.TempDir(), name), func() error {
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

func (m *machine) run(s *space.Space, command ...string) {
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

// end joins a namespace with the address.
func (m *machine) end(address string) *space.Space {
	m.t.Helper()
	name := "v" + strings.ReplaceAll(address, ".", "")
	s := m.space(name)
	m.run(m.router, "ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.FD()))
	m.run(m.router, "ip", "link", "set", name, "up")
	m.run(m.router, "ip", "route", "add", address+"/32", "dev", name)
	m.run(s, "ip", "addr", "add", address+"/32", "dev", "eth0")
	m.run(s, "ip", "link", "set", "eth0", "up")
	m.run(s, "ip", "route", "add", "169.254.1.1", "dev", "eth0")
	m.run(s, "ip", "route", "add", "default", "via", "169.254.1.1", "dev", "eth0", "src", address)
	m.ends[address] = s
	return s
}

// answer says who it is and who asks, a line for each line, over TCP and UDP.
func (m *machine) answer(address string, port int) {
	m.t.Helper()
	s := m.ends[address]
	at := fmt.Sprintf("%s:%d", address, port)
	l := inside(m.t, s, func() (net.Listener, error) { return net.Listen("tcp", at) })
	p := inside(m.t, s, func() (net.PacketConn, error) { return net.ListenPacket("udp", at) })
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

func inside[T any](t *testing.T, s *space.Space, f func() (T, error)) T {
	t.Helper()
	var out T
	if err := s.Do(func() (err error) { out, err = f(); return err }); err != nil {
		t.Fatal(err)
	}
	return out
}

func dial(s *space.Space, network, address string) (c net.Conn, err error) {
	err = s.Do(func() error {
		var d net.Dialer
		d.Timeout = 5e9
		c, err = d.DialContext(context.Background(), network, address)
		return err
	})
	return c, err
}

// ask sends a line on a new connection and returns the answer.
func ask(s *space.Space, address string) (string, error) {
	c, err := dial(s, "tcp", address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return say(c, "hello")
}

func say(c net.Conn, line string) (string, error) {
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(answer), err
}
