package space

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func create(t *testing.T, prepare func() error) *Space {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	s, err := Create(filepath.Join(t.TempDir(), "s"), prepare)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); Remove(s.Path()) })
	return s
}

func links(t *testing.T, s *Space) []string {
	t.Helper()
	var names []string
	err := s.Do(func() error {
		all, err := net.Interfaces()
		for _, l := range all {
			names = append(names, l.Name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestASpaceIsApartAndTheCallerStaysHome(t *testing.T) {
	before, _ := os.Readlink("/proc/thread-self/ns/net")
	var inside string
	s := create(t, func() (err error) {
		inside, err = os.Readlink("/proc/thread-self/ns/net")
		return err
	})
	for _, name := range links(t, s) {
		if name == "eth0" {
			t.Error("the host's interface is inside")
		}
	}
	after, _ := os.Readlink("/proc/thread-self/ns/net")
	if inside == "" || inside == before || after != before {
		t.Errorf("before %s, inside %s, after %s", before, inside, after)
	}
}

func TestASpaceIsFoundAgainByItsPath(t *testing.T) {
	s := create(t, func() error { return Set(map[string]string{"ipv4/ip_forward": "1", "ipv4/no_such_thing": "1"}) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	var forwards string
	if err := again.Do(func() (err error) { forwards, err = Get("ipv4/ip_forward"); return err }); err != nil {
		t.Fatal(err)
	}
	if forwards != "1" {
		t.Errorf("a different namespace came back: ip_forward is %q", forwards)
	}
}

func TestWhatARebootLeavesIsNoSpace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stale")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if err := Remove(path); err != nil {
		t.Error(err)
	}
	if err := Remove(path); err != nil {
		t.Errorf("removing twice: %v", err)
	}
}

func TestFailedPreparationLeavesNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	path := filepath.Join(t.TempDir(), "s")
	want := errors.New("no")
	if _, err := Create(path, func() error { return want }); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
}

func TestConnectionsBeginInside(t *testing.T) {
	s := create(t, func() error { return exec.Command("ip", "link", "set", "lo", "up").Run() })
	var l net.Listener
	if err := s.Do(func() (err error) { l, err = net.Listen("tcp4", "127.0.0.1:0"); return err }); err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(l.Addr().String())
	c, err := s.Dial(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	there, err := l.Accept()
	if err != nil || there.RemoteAddr().String() != c.LocalAddr().String() {
		t.Errorf("%v came, not %v (%v)", there.RemoteAddr(), c.LocalAddr(), err)
	}
	there.Close()
	c.Close()
	l.Close()
	if _, err := s.Dial(t.Context(), at); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("nobody listens, but: %v", err)
	}
}

// A target that says nothing is waited for until the caller has had enough.
func TestConnectionsThatDoNotComeAreGivenUp(t *testing.T) {
	s := create(t, func() error {
		for _, c := range []string{"link set lo up", "link add far type veth peer name away", "link set away up", "addr add 192.0.2.1/24 dev far", "link set far up"} {
			if out, err := exec.Command("ip", strings.Fields(c)...).CombinedOutput(); err != nil {
				return fmt.Errorf("ip %s: %w: %s", c, err, out)
			}
		}
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := s.Dial(ctx, netip.MustParseAddrPort("192.0.2.2:80"))
	var timeout net.Error
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v", err)
	}
	if _, err := s.Dial(t.Context(), netip.MustParseAddrPort("[2001:db8::1]:80")); err == nil {
		t.Error("an IPv6 address was taken")
	}
}
