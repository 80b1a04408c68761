package network

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/ruleset"
	"github.com/berthhq/berth/agent/network/space"
)

// linkPrefix begins the names of all agents' links in the host's namespace.
const linkPrefix = "berth"

func isOurs(link string) bool { return strings.HasPrefix(link, linkPrefix) }

// host is the namespace the agent builds upon: the machine's, or an instance's.
type host struct {
	cfg     Config
	space   *space.Space
	links   *netlink.Handle
	private netip.Prefix
	mtu     int
	ports   *ports

	stopGuard context.CancelFunc
	guarded   chan struct{} // closed when the guard has ended; nil when none runs

	mu        sync.Mutex // guards what follows and the tables
	table     *ruleset.Table
	table6    *ruleset.Table // nil unless host mode tasks are restricted
	uplinks   map[string]*Router
	published map[binding]target
	roads     map[*Router]road
	have      ruleset.Contents // what the table has of the roads; nil before it was written
	unreached error
	group     *group // of host mode tasks; nil when they are not restricted
}

func openSpace(path string) (*space.Space, error) {
	if path == "" {
		return space.Own()
	}
	return space.Open(path)
}

func handle(s *space.Space) (*netlink.Handle, error) {
	h, err := netlink.NewHandleAt(netns.NsHandle(s.FD()))
	if err != nil {
		return nil, fmt.Errorf("open netlink in %s: %w", s.Path(), err)
	}
	return h, nil
}

func openHost(cfg Config) (_ *host, err error) {
	h := &host{cfg: cfg, uplinks: map[string]*Router{}, published: map[binding]target{}, roads: map[*Router]road{}}
	if h.space, err = openSpace(cfg.Host); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if h.links, err = handle(h.space); err != nil {
		return nil, err
	}
	h.mtu = uplinkMTU(h.links)
	if at := cfg.Underlay; at.IsValid() {
		mtu := underlayMTU(h.links, at)
		if mtu == 0 {
			return nil, fmt.Errorf("no link of this host has the underlay address %s", at)
		}
		h.mtu = mtu - tunnelOverhead
	}
	remembered, _ := os.ReadFile(filepath.Join(cfg.RunDir, "range"))
	before, _ := netip.ParsePrefix(string(remembered))
	if h.private, err = claimPrivate(h.links, cfg.Agent, before); err != nil {
		return nil, err
	}
	if err = write(filepath.Join(cfg.RunDir, "range"), []byte(h.private.String())); err != nil {
		return nil, err
	}
	if err = h.space.Do(prepareHost); err != nil {
		return nil, err
	}
	h.ports = newPorts(h.space, cfg.ReservedPorts)
	if err = h.findGroup(); err != nil {
		return nil, err
	}
	h.table, err = ruleset.Open(h.space, "berth-"+short(cfg.Agent), h.rules)
	return h, err
}

// prepareHost lets the host forward, and keeps the ports of agents from being
// taken by outgoing connections.
func prepareHost() error {
	if err := space.Set(map[string]string{"ipv4/ip_forward": "1"}); err != nil {
		return fmt.Errorf("let the host forward packets of tasks: %w", err)
	}
	const name = "ipv4/ip_local_reserved_ports"
	now, err := space.Get(name)
	if err != nil {
		return err
	}
	reserved := mergeReserved(now, 51678, 51679)
	if reserved == now {
		return nil
	}
	return space.Set(map[string]string{name: reserved})
}

// mergeReserved adds ports to a list in the kernel's form: "1-3,7".
func mergeReserved(list string, ports ...int) string {
	for _, p := range ports {
		if !listed(list, p) {
			list = strings.TrimPrefix(list+","+strconv.Itoa(p), ",")
		}
	}
	return list
}

func listed(list string, port int) bool {
	for part := range strings.SplitSeq(list, ",") {
		first, last, ranged := strings.Cut(part, "-")
		if !ranged {
			last = first
		}
		a, errA := strconv.Atoi(first)
		b, errB := strconv.Atoi(last)
		if errA == nil && errB == nil && a <= port && port <= b {
			return true
		}
	}
	return false
}

// uplinkMTU is that of the link the host reaches the world by, so that packets
// of tasks need no fragmenting on the way out.
func uplinkMTU(links *netlink.Handle) int {
	const ethernet = 1500
	routes, err := links.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return ethernet
	}
	for _, r := range routes {
		if r.Dst != nil && !r.Dst.IP.IsUnspecified() {
			continue
		}
		if l, err := links.LinkByIndex(r.LinkIndex); err == nil && l.Attrs().MTU > 0 {
			return l.Attrs().MTU
		}
	}
	return ethernet
}

// assert writes the host's packet filter as it should be.
func (h *host) assert() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return errors.Join(h.assertLocked(), h.warn())
}

func (h *host) assertLocked() error {
	if h.table6 != nil {
		if err := h.table6.Replace(); err != nil {
			return err
		}
	}
	return h.table.Replace()
}

// mend writes the packet filter again if somebody broke it.
func (h *host) mend(log *slog.Logger) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.befriendDocker(); err != nil {
		log.Warn("Docker's packet filter may stop tasks' traffic", "err", err)
	}
	if h.table.Intact() && (h.table6 == nil || h.table6.Intact()) {
		return
	}
	if err := h.assertLocked(); err != nil {
		log.Error("packet filter was changed by another program and cannot be restored", "table", h.table.Name(), "err", err)
		return
	}
	log.Warn("packet filter was changed by another program: restored", "table", h.table.Name())
}

func (h *host) close() error {
	if h.stopGuard != nil {
		h.stopGuard()
		<-h.guarded
		h.stopGuard = nil
	}
	var errs []error
	if h.ports != nil {
		h.ports.close()
	}
	for _, t := range []*ruleset.Table{h.table, h.table6} {
		if t != nil {
			errs = append(errs, t.Close())
		}
	}
	if h.links != nil {
		h.links.Close()
	}
	return errors.Join(append(errs, h.space.Close())...)
}

func (h *host) destroy() error {
	if h.stopGuard != nil {
		h.stopGuard()
		<-h.guarded
		h.stopGuard = nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	errs := []error{h.table.Delete(), h.links.RouteDel(unreachable(h.private))}
	if h.table6 != nil {
		errs = append(errs, h.table6.Delete())
	}
	if h.group != nil {
		if err := os.Remove(h.group.path); !errors.Is(err, unix.EBUSY) { // a process is still in it
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// write replaces a file in one step.
func write(path string, content []byte) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
