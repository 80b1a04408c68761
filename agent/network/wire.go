package network

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"

	"github.com/berthhq/berth/agent/network/space"
)

// wire is a namespace and the veth pair that joins it to its router.
type wire struct {
	Container string `json:",omitempty"` // empty when all containers share it
	Link      string // the router's end; the namespace is bound under the same name
	Edge      string `json:",omitempty"` // the interface's id, under which it is bound instead
	Address   netip.Addr
	MAC       string
	Published []published `json:",omitempty"`
}

// taskLink is the name of the interface inside a task.
const taskLink = "eth0"

// newLink makes a name no other link ever had, so that a task set up again never
// meets the remains of itself.
func newLink() string {
	b := make([]byte, 7)
	rand.Read(b)
	return "v" + hex.EncodeToString(b) // 15 characters: the longest a link may have
}

func (n *Network) spacePath(link string) string { return filepath.Join(n.cfg.RunDir, "space", link) }

func (n *Network) pathOf(w *wire) string {
	if w.Edge != "" {
		return EdgePath(n.cfg.RunDir, w.Edge)
	}
	return n.spacePath(w.Link)
}

// plug makes the wire's namespace and joins it to the router.
func (n *Network) plug(r *Router, w *wire, e *end) error {
	mac, err := net.ParseMAC(w.MAC)
	if err != nil {
		return fmt.Errorf("hardware address of the task's interface: %w", err)
	}
	if err := r.unused(w.Address); err != nil {
		return err
	}
	var inside *netlink.Handle
	s, err := space.Create(n.pathOf(w), func() (err error) {
		inside, err = prepareTask()
		return err
	})
	if err != nil {
		return err
	}
	defer s.Close()
	defer inside.Close()
	veth := netlink.NewVeth(netlink.LinkAttrs{Name: w.Link, MTU: r.host.mtu})
	veth.PeerName, veth.PeerMTU, veth.PeerHardwareAddr = taskLink, uint32(r.host.mtu), mac
	veth.PeerNamespace = netlink.NsFd(s.FD())
	if err := r.links.LinkAdd(veth); err != nil {
		return fmt.Errorf("make the task's interface: %w", err)
	}
	if err := address(inside, w.Address); err != nil {
		return err
	}
	return r.attach(veth.Index, mac, e)
}

// unused refuses an address that another task here still has: it was given out
// again too early.
func (r *Router) unused(a netip.Addr) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.ends {
		if e.address == a {
			return fmt.Errorf("address %s is still held by task %s", a, e.peer.Task)
		}
	}
	return nil
}

// bare makes a namespace with loopback only.
func (n *Network) bare(link string) error {
	s, err := space.Create(n.spacePath(link), func() error {
		inside, err := prepareTask()
		inside.Close()
		return err
	})
	if err != nil {
		return err
	}
	return s.Close()
}

// prepareTask runs inside a new namespace. As in Docker's, every user may open
// low ports and send pings.
func prepareTask() (*netlink.Handle, error) {
	err := space.Set(map[string]string{
		"ipv4/ip_unprivileged_port_start": "0",
		"ipv4/ping_group_range":           "0 2147483647",
	})
	if err != nil {
		return nil, err
	}
	inside, err := netlink.NewHandle()
	if err != nil {
		return nil, err
	}
	return inside, up(inside, loopbackIndex, netip.Prefix{})
}

// address gives the task's interface its address and routes, or gives them back:
// gVisor takes them off the interface when a sandbox starts.
func address(inside *netlink.Handle, a netip.Addr) error {
	l, err := inside.LinkByName(taskLink)
	if err != nil {
		return fmt.Errorf("find the task's interface: %w", err)
	}
	index := l.Attrs().Index
	if err := up(inside, index, netip.PrefixFrom(a, 32)); err != nil {
		return err
	}
	gateway := netip.MustParseAddr(GatewayAddress)
	for _, route := range []*netlink.Route{
		{LinkIndex: index, Dst: one(gateway), Scope: netlink.SCOPE_LINK},
		{LinkIndex: index, Gw: gateway.AsSlice(), Flags: int(netlink.FLAG_ONLINK)},
	} {
		if err := inside.RouteReplace(route); err != nil {
			return fmt.Errorf("route the task's traffic: %w", err)
		}
	}
	return nil
}

// attach completes the router's end and lets the task's packets in.
func (r *Router) attach(index int, mac net.HardwareAddr, e *end) error {
	if err := up(r.links, index, netip.Prefix{}); err != nil {
		return err
	}
	to := netip.PrefixFrom(e.address, 32)
	if err := r.links.RouteReplace(&netlink.Route{LinkIndex: index, Dst: ipNet(to), Scope: netlink.SCOPE_LINK, Protocol: routeOwner}); err != nil {
		return fmt.Errorf("route to the task: %w", err)
	}
	if err := r.links.NeighSet(&netlink.Neigh{LinkIndex: index, IP: e.address.AsSlice(), HardwareAddr: mac, State: netlink.NUD_PERMANENT}); err != nil {
		return fmt.Errorf("make the task's hardware address known: %w", err)
	}
	if r.hostReaches {
		if err := r.hostRoute(to, r.host.links.RouteReplace); err != nil {
			return fmt.Errorf("route from the host to the task: %w", err)
		}
	}
	e.index = index
	return r.admit(e)
}

// admit lets packets of the end through, as its rules say.
func (r *Router) admit(e *end) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends[e.link], r.index[e.index] = e, e
	return r.settle()
}

// detach shuts the end: nothing passes any more and nothing leads there.
func (r *Router) detach(link string) error {
	r.mu.Lock()
	e := r.ends[link]
	if e == nil {
		r.mu.Unlock()
		return nil
	}
	delete(r.ends, link)
	delete(r.index, e.index)
	err := r.settle()
	r.mu.Unlock()
	to := netip.PrefixFrom(e.address, 32)
	errs := []error{err, ignoreMissing(r.links.RouteDel(&netlink.Route{LinkIndex: e.index, Dst: ipNet(to), Scope: netlink.SCOPE_LINK}))}
	if r.hostReaches {
		errs = append(errs, ignoreMissing(r.hostRoute(to, r.host.links.RouteDel)))
	}
	return errors.Join(errs...)
}

// renew gives a task's interface its address back if it lost it.
func (n *Network) renew(w *wire) error {
	s, err := space.Open(n.pathOf(w))
	if err != nil {
		return err
	}
	defer s.Close()
	inside, err := handle(s)
	if err != nil {
		return err
	}
	defer inside.Close()
	if err := up(inside, loopbackIndex, netip.Prefix{}); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return address(inside, w.Address)
}
