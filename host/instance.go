package host

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/metadata"
	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/domain/task"
)

// shown is the session of the instance profile's role that the machine shows to its
// programs. The server gives and renews it; it is kept in memory only.
type shown struct {
	now func() time.Time

	mu      sync.Mutex
	session metadata.RoleSession
}

// set takes a new session; without keys the role is gone.
func (s *shown) set(profile string, keys *task.Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session = metadata.RoleSession{Profile: profile, Keys: keys}
}

func (s *shown) get() (metadata.RoleSession, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.session, s.session.Keys != nil && s.now().Before(s.session.Keys.Expiration)
}

// instance is this machine as 169.254.169.254 shows it; nil where no EC2 tasks run.
func (h *Host) instance() *metadata.Instance {
	if !h.OffersEC2 {
		return nil
	}
	i := &metadata.Instance{
		Account: h.keys.Account, Region: h.keys.Region, Zone: h.zone(), ID: h.keys.InstanceID, VPCID: h.keys.DefaultVPC,
		Architecture: architecture(), LaunchedAt: time.Now(), Session: h.shown.get, HopLimit: h.HopLimit, ClosedToTasks: h.BlockIMDS,
		Identity: metadata.Identity(h.keys.Identity),
	}
	if a := localAddress(); a.IsValid() {
		i.LocalIP = a.String()
		i.Hostname = "ip-" + strings.ReplaceAll(i.LocalIP, ".", "-") + ".ec2.internal"
	} else {
		i.Hostname, _ = os.Hostname()
	}
	return i
}

// ledHere takes only connections that were led here from the instance's metadata
// address: those of host mode tasks. Any user of the machine can reach a port of
// loopback, and must not get the machine's keys there.
type ledHere struct{ net.Listener }

// Accept implements net.Listener.
func (l ledHere) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || wasLed(c) {
			return c, err
		}
		c.Close()
	}
}

func wasLed(c net.Conn) bool {
	to, err := dialled(c)
	return err == nil && to == netip.MustParseAddr(network.InstanceAddress)
}

// dialled is the address that the peer asked for, before the network led it here.
func dialled(c net.Conn) (netip.Addr, error) {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return netip.Addr{}, fmt.Errorf("not a TCP connection: %T", c)
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return netip.Addr{}, err
	}
	var to *unix.IPv6Mreq // whose first half has room for a sockaddr_in
	var failure error
	err = raw.Control(func(fd uintptr) { to, failure = unix.GetsockoptIPv6Mreq(int(fd), unix.SOL_IP, unix.SO_ORIGINAL_DST) })
	if err = errors.Join(err, failure); err != nil {
		return netip.Addr{}, err
	}
	return netip.AddrFrom4([4]byte(to.Multiaddr[4:8])), nil
}
