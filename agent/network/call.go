package network

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/ruleset"
)

// Callable is the range of addresses that every router has towards its tasks, for
// others to listen at. They lead nowhere else.
const Callable = "169.254.64.0/18"

// called is the mark of connections that are made in a router in the name of its tasks:
// answers go to the router itself. No link has such an index, and no peer the address.
const called = 0x7f000001

// calledPriority places the rule of called before those of marks.
const calledPriority = markPriority - 1

// prepareCalls lets the router answer at all addresses of Callable, and take what
// answers calls that it makes for its tasks.
func (r *Router) prepareCalls() error {
	anything := netip.MustParsePrefix("0.0.0.0/0")
	for _, route := range []*netlink.Route{
		{LinkIndex: loopbackIndex, Dst: ipNet(netip.MustParsePrefix(Callable)), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST, Protocol: routeOwner},
		{LinkIndex: loopbackIndex, Dst: ipNet(anything), Type: unix.RTN_LOCAL, Table: called, Scope: netlink.SCOPE_HOST, Protocol: routeOwner},
	} {
		if err := r.links.RouteReplace(route); err != nil {
			return err
		}
	}
	rule := netlink.NewRule()
	rule.Family, rule.Priority, rule.Mark, rule.Table = netlink.FAMILY_V4, calledPriority, called, called
	if err := r.links.RuleAdd(rule); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// callRules judge connections that are made in the router in the name of its tasks as
// forwardRules judge the tasks' own.
func (r *Router) callRules(d *ruleset.Draft) {
	d.Base("call", ruleset.Output)
	d.Rule("call", ruleset.Established(), ruleset.Accept())
	d.Rule("call", ruleset.NotFromSet("callers"), ruleset.Accept())
	d.Rule("call", ruleset.Remember(called))
	d.Rule("call", ruleset.JumpFrom("egressof"))
	if r.VPC != "" {
		d.Rule("call", ruleset.Out(uplinkName), ruleset.NotToSet("ranges"), ruleset.NotFromSet("leavers"), ruleset.Refuse())
	}
	d.Rule("call", ruleset.JumpOut("ingress"))
}

// Dial connects to an endpoint in the name of the task that has the address: it sees
// the connection come from there, and the rules for the task hold. A task that calls
// itself is called by the router.
func (r *Router) Dial(ctx context.Context, as netip.Addr, to netip.AddrPort) (c net.Conn, err error) {
	if as == to.Addr() {
		as = netip.MustParseAddr(GatewayAddress)
	}
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(as, 0)), Control: foreign}
	err = r.space.Do(func() error {
		c, err = d.DialContext(ctx, "tcp4", to.String())
		return err
	})
	return c, err
}

// foreign lets a socket have an address that is not of its namespace, and a port that
// others have towards elsewhere.
func foreign(_, _ string, raw syscall.RawConn) error {
	var err error
	failed := raw.Control(func(fd uintptr) {
		err = errors.Join(unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_TRANSPARENT, 1), unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1))
	})
	return errors.Join(failed, err)
}

// At finds the task that has an address; ok is false when none has.
func (r *Router) At(a netip.Addr) (p Peer, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.ends {
		if e.address == a {
			return e.peer, true
		}
	}
	return p, false
}
