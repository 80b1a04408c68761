package network_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// patience bounds what must happen; impatience is how long to wait for what must
// not.
const (
	patience   = 5 * time.Second
	impatience = 300 * time.Millisecond
)

func random() string {
	b := make([]byte, 6)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// namespace makes a network namespace with loopback up.
func namespace(t testing.TB) *space.Space {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	s, err := space.Create(filepath.Join(t.TempDir(), "ns"), nil)
	check(t, err)
	t.Cleanup(func() { s.Close(); space.Remove(s.Path()) })
	h := links(t, s)
	check(t, h.LinkSetUp(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: 1}}))
	return s
}

func links(t testing.TB, s *space.Space) *netlink.Handle {
	t.Helper()
	h, err := netlink.NewHandleAt(netns.NsHandle(s.FD()))
	check(t, err)
	t.Cleanup(h.Close)
	return h
}

// cable joins two namespaces by eth-like links with the given addresses.
func cable(t testing.TB, a *space.Space, nameA, addrA string, b *space.Space, nameB, addrB string) {
	t.Helper()
	ha, hb := links(t, a), links(t, b)
	veth := netlink.NewVeth(netlink.LinkAttrs{Name: nameA})
	veth.PeerName, veth.PeerNamespace = nameB, netlink.NsFd(b.FD())
	check(t, ha.LinkAdd(veth))
	for _, e := range []struct {
		h          *netlink.Handle
		name, addr string
	}{{ha, nameA, addrA}, {hb, nameB, addrB}} {
		l, err := e.h.LinkByName(e.name)
		check(t, err)
		check(t, e.h.LinkSetUp(l))
		give(t, e.h, e.name, e.addr)
	}
}

func give(t testing.TB, h *netlink.Handle, link, cidr string) {
	t.Helper()
	l, err := h.LinkByName(link)
	check(t, err)
	a, err := netlink.ParseAddr(cidr)
	check(t, err)
	check(t, h.AddrAdd(l, a))
}

func route(t testing.TB, s *space.Space, dst, via string) {
	t.Helper()
	p := netip.MustParsePrefix(dst)
	r := &netlink.Route{Gw: net.ParseIP(via)}
	if p.Bits() > 0 {
		r.Dst = &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}
	}
	check(t, links(t, s).RouteAdd(r))
}

// machine is a host of its own in front of a world of its own.
type machine struct {
	*space.Space
	world *space.Space
	dir   string
	agent string
}

const (
	machineAddress = "192.0.2.2"
	worldAddress   = "192.0.2.1"
)

func newMachine(t testing.TB) *machine {
	t.Helper()
	if testing.Short() {
		t.Skip("makes network namespaces: left out of the fast tests")
	}
	m := &machine{Space: namespace(t), world: namespace(t), dir: t.TempDir(), agent: random()}
	cable(t, m.Space, "eth0", machineAddress+"/24", m.world, "eth0", worldAddress+"/24")
	route(t, m.Space, "0.0.0.0/0", worldAddress)
	return m
}

func (m *machine) config() network.Config {
	return network.Config{
		Agent: m.agent, RunDir: filepath.Join(m.dir, "run"), Host: m.Path(), HostVPC: "vpc-default",
		Log: slog.New(slog.DiscardHandler),
	}
}

// open starts an agent's network that ends with the test.
func open(t testing.TB, cfg network.Config) *network.Network {
	t.Helper()
	n, err := network.Open(context.Background(), cfg)
	check(t, err)
	t.Cleanup(func() {
		if err := n.Destroy(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return n
}

// inVPC is the order of a task with an address in a VPC.
func inVPC(vpc, cidr, ip string) *task.Order {
	a := netip.MustParseAddr(ip).As4()
	return &task.Order{
		ARN: "arn:aws:ecs:us-east-1:000000000000:task/default/" + random(), NetworkMode: workload.AWSVPC,
		Containers: []task.OrderContainer{container("app")},
		Interface: &task.Interface{
			ID: "eni-" + random(), MAC: net.HardwareAddr{2, 0, a[0], a[1], a[2], a[3]}.String(), PrivateIP: ip,
			VPCID: vpc, VPCCIDR: cidr, PrivateDNSName: fmt.Sprintf("ip-%d-%d-%d-%d.ec2.internal", a[0], a[1], a[2], a[3]),
		},
	}
}

func inBridge(containers ...task.OrderContainer) *task.Order {
	return &task.Order{
		ARN:         "arn:aws:ecs:us-east-1:000000000000:task/default/" + random(),
		NetworkMode: workload.Bridge, Containers: containers,
	}
}

func container(name string, ports ...workload.PortMapping) task.OrderContainer {
	return task.OrderContainer{Container: workload.Container{Name: name, PortMappings: ports}, ID: "0123abcd-0123-0123-0123-0123456789ab"}
}

func dynamic(port int, protocol string) workload.PortMapping {
	return workload.PortMapping{ContainerPort: port, Protocol: protocol}
}

func fixed(port, hostPort int, protocol string) workload.PortMapping {
	return workload.PortMapping{ContainerPort: port, HostPort: &hostPort, Protocol: protocol}
}

func setup(t testing.TB, n *network.Network, o *task.Order) map[string]network.Endpoint {
	t.Helper()
	e, err := n.Setup(context.Background(), o)
	check(t, err)
	return e
}

// inside opens the namespace of an endpoint.
func inside(t testing.TB, e network.Endpoint) *space.Space {
	t.Helper()
	s, err := space.Open(e.Space)
	check(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// serve answers each connection or datagram in the namespace with the name and
// the address it saw: "name 192.0.2.1".
func serve(t testing.TB, s *space.Space, protocol, address, name string) {
	t.Helper()
	if protocol == "udp" {
		var c net.PacketConn
		check(t, s.Do(func() (err error) { c, err = net.ListenPacket("udp4", address); return err }))
		t.Cleanup(func() { c.Close() })
		go func() {
			b := make([]byte, 100)
			for {
				_, from, err := c.ReadFrom(b)
				if err != nil {
					return
				}
				c.WriteTo([]byte(name+" "+from.(*net.UDPAddr).IP.String()), from)
			}
		}()
		return
	}
	var l net.Listener
	check(t, s.Do(func() (err error) { l, err = net.Listen("tcp4", address); return err }))
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintf(c, "%s %s", name, c.RemoteAddr().(*net.TCPAddr).IP)
			c.Close()
		}
	}()
}

// ask returns what a server says to a client in the namespace.
func ask(s *space.Space, protocol, address string, timeout time.Duration) (answer string, err error) {
	return askFrom(s, nil, protocol, address, timeout)
}

func askFrom(s *space.Space, local net.Addr, protocol, address string, timeout time.Duration) (answer string, err error) {
	var c net.Conn
	err = s.Do(func() error {
		d := net.Dialer{Timeout: timeout, LocalAddr: local}
		c, err = d.Dial(protocol+"4", address)
		return err
	})
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(timeout))
	if protocol == "udp" {
		if _, err := c.Write([]byte("?")); err != nil {
			return "", err
		}
		b := make([]byte, 100)
		n, err := c.Read(b)
		return string(b[:n]), err
	}
	b, err := io.ReadAll(c)
	return string(b), err
}

func wantAnswer(t testing.TB, s *space.Space, protocol, address, want string) {
	t.Helper()
	if got, err := ask(s, protocol, address, patience); err != nil || got != want {
		t.Errorf("%s %s: got %q, %v; want %q", protocol, address, got, err, want)
	}
}

func wantNoAnswer(t testing.TB, s *space.Space, protocol, address string) {
	t.Helper()
	if got, err := ask(s, protocol, address, impatience); err == nil {
		t.Errorf("%s %s: got %q, want no answer", protocol, address, got)
	}
}

func unmount(t testing.TB, path string) {
	t.Helper()
	check(t, unix.Unmount(path, unix.MNT_DETACH))
}
