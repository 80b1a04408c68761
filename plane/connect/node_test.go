package connect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/plane/connect"
)

// street is a router on loopback, whose tasks are at addresses of 127.0.0.0/8.
type street struct {
	tasks map[netip.Addr]string

	mu    sync.Mutex
	doors map[string]net.Addr // where it listens in place of the address
}

func (s *street) Listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.doors[address] = l.Addr()
	}
	return l, err
}

func (s *street) Caller(c net.Conn) (string, error) {
	if task := s.At(netip.MustParseAddrPort(c.RemoteAddr().String()).Addr()); task != "" {
		return task, nil
	}
	return "", errors.New("nobody's address")
}

func (s *street) At(a netip.Addr) string { return s.tasks[a] }

func (s *street) Dial(ctx context.Context, as netip.Addr, to netip.AddrPort) (net.Conn, error) {
	return dialAs(ctx, as, to.String())
}

func dialAs(ctx context.Context, as netip.Addr, to string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(as, 0))}
	return d.DialContext(ctx, "tcp", to)
}

// call is what is heard by who calls the address; the call ends at once where nobody
// answers.
func (s *street) call(t *testing.T, as netip.Addr, address string) string {
	t.Helper()
	s.mu.Lock()
	door := s.doors[address]
	s.mu.Unlock()
	if door == nil {
		t.Fatalf("nothing listens at %s: %v", address, s.doors)
	}
	c, err := dialAs(t.Context(), as, door.String())
	if err != nil {
		return "refused"
	}
	defer c.Close()
	check(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	heard, _ := io.ReadAll(c)
	return string(heard)
}

// sees tells each caller its name and the caller's address.
func sees(t *testing.T, name string) netip.AddrPort {
	l, at := listen(t)
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
	return at
}

func openNode(t *testing.T, path string, s *street) *connect.Node {
	t.Helper()
	n, err := connect.OpenNode(path, slog.New(slog.DiscardHandler))
	check(t, err)
	served := n.Serve("vpc-1", s)
	t.Cleanup(func() { check(t, served.Close()) })
	return n
}

func meshOf(namespace string, tasks []string, services ...discovery.Called) discovery.Mesh {
	return discovery.Mesh{NamespaceID: namespace, VPCID: "vpc-1", Tasks: tasks, Services: services}
}

func service(id, alias string, at ...netip.AddrPort) discovery.Called {
	return discovery.Called{ID: id, Connect: discovery.Connect{Alias: alias, Port: 80}, Endpoints: at}
}

func TestTasksCallWhatTheirNamespaceHas(t *testing.T) {
	a, b, stranger := netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3"), netip.MustParseAddr("127.0.0.4")
	s := &street{tasks: map[netip.Addr]string{a: "a", b: "b", stranger: "stranger"}, doors: map[string]net.Addr{}}
	path := filepath.Join(t.TempDir(), "calls.json")
	n := openNode(t, path, s)
	red, blue := sees(t, "red"), sees(t, "blue")
	check(t, n.Learn([]discovery.Mesh{
		meshOf("ns-1", []string{"a"}, service("srv-1", "web", red)), meshOf("ns-2", []string{"b"}, service("srv-2", "web", blue)),
	}))
	address := func(n *connect.Node, asker netip.Addr) string {
		t.Helper()
		name := n.Name("vpc-1", asker, "web")
		if name == nil {
			t.Fatalf("%s knows no web", asker)
		}
		if !netip.MustParsePrefix("169.254.64.0/18").Contains(name.Addresses[0]) {
			t.Errorf("web is at %s", name.Addresses[0])
		}
		return netip.AddrPortFrom(name.Addresses[0], 80).String()
	}
	atA, atB := address(n, a), address(n, b)
	if atA == atB {
		t.Errorf("two namespaces share %s", atA)
	}
	for what, name := range map[string]*discovery.Name{
		"a stranger's": n.Name("vpc-1", stranger, "web"), "of no service": n.Name("vpc-1", a, "none"),
		"nobody's": n.Name("vpc-1", netip.MustParseAddr("127.0.0.9"), "web"), "of another VPC": n.Name("vpc-2", a, "web"),
	} {
		if name != nil {
			t.Errorf("a name is known, %s: %+v", what, name)
		}
	}
	is := func(as netip.Addr, at, want string) {
		t.Helper()
		if got := s.call(t, as, at); got != want {
			t.Errorf("%s at %s heard %q, want %q", as, at, got, want)
		}
	}
	is(a, atA, "red 127.0.0.2")
	is(b, atB, "blue 127.0.0.3")
	is(a, atB, "")
	is(stranger, atA, "")

	check(t, n.Learn([]discovery.Mesh{meshOf("ns-1", []string{"a", "b"}, service("srv-1", "web", blue))}))
	is(a, atA, "blue 127.0.0.2")
	is(b, atA, "blue 127.0.0.3")
	is(b, atB, "refused")
	check(t, n.Learn([]discovery.Mesh{meshOf("ns-1", []string{"b"}, service("srv-1", "web"))}))
	is(a, atA, "")
	is(b, atA, "") // nobody serves

	again := openNode(t, path, s) // as a restarted agent, before anybody tells it
	if at := address(again, b); at != atA {
		t.Errorf("web moved from %s to %s", atA, at)
	}
	if again.Name("vpc-1", a, "web") != nil {
		t.Error("what was told last was not kept")
	}
}
