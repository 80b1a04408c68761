package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/ruleset"
)

// HostTasks tells host mode tasks from the host's own processes, which share
// their namespace: by their control group in the unified hierarchy.
type HostTasks struct {
	// Group is the control group all host mode tasks live under, from the root
	// of the unified hierarchy: "/berth-1f2e". It is made if it is missing.
	Group string
	// Redirects say which metadata addresses lead to which loopback ports of the
	// agent, for these tasks only. They cannot reach any other metadata address.
	Redirects map[netip.AddrPort]netip.AddrPort
	// Resolver is the loopback port, of TCP and UDP, that answers their questions for
	// names; invalid when they ask the host's resolvers.
	Resolver netip.AddrPort
}

type group struct {
	path      string
	level     int
	id        uint64
	redirects map[netip.AddrPort]netip.AddrPort
	resolver  netip.AddrPort
}

// ErrNoUnifiedHierarchy says that this machine has no cgroup v2 mount, not even
// beside v1, so that host mode tasks cannot be told from the host.
var ErrNoUnifiedHierarchy = errors.New("host mode tasks cannot be kept from the host's metadata: no cgroup2 file system is mounted (mount one with: mount -t cgroup2 none /sys/fs/cgroup/unified)")

func (h *host) findGroup() error {
	want := h.cfg.HostTasks
	if want == nil {
		return nil
	}
	root, err := unifiedRoot()
	if err != nil {
		return err
	}
	path := filepath.Join(root, want.Group)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("make the control group of host mode tasks: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	level := strings.Count(strings.Trim(filepath.Clean(want.Group), "/"), "/") + 1
	h.group = &group{path: path, level: level, id: st.Ino, redirects: want.Redirects, resolver: want.Resolver}
	h.table6, err = ruleset.Open6(h.space, "berth-"+short(h.cfg.Agent), func(d *ruleset.Draft) {
		d.Base("output", ruleset.Output)
		d.Rule("output", ruleset.To6(netip.MustParseAddr("fd00:ec2::254")), ruleset.OfGroup(level, st.Ino), ruleset.Refuse6())
	})
	return err
}

// unifiedRoot finds where cgroup v2 is mounted.
func unifiedRoot() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1], nil
		}
	}
	return "", ErrNoUnifiedHierarchy
}

// redirect sends the group's metadata requests to the agent.
func (g *group) redirect(d *ruleset.Draft, chain string) {
	if g == nil {
		return
	}
	for from, to := range g.redirects {
		d.Rule(chain, ruleset.ToOne(from.Addr()), ruleset.Protocol(unix.IPPROTO_TCP), ruleset.PortIs(int(from.Port())),
			ruleset.OfGroup(g.level, g.id), ruleset.SendTo(to))
	}
	if !g.resolver.IsValid() {
		return
	}
	for _, protocol := range []byte{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
		d.Rule(chain, ruleset.ToOne(netip.MustParseAddr(ResolverAddress)), ruleset.Protocol(protocol), ruleset.PortIs(dnsPort),
			ruleset.OfGroup(g.level, g.id), ruleset.SendTo(g.resolver))
	}
}

const dnsPort = 53

// restrict refuses the group all metadata addresses that redirect has left over.
func (g *group) restrict(d *ruleset.Draft, chain string) {
	if g == nil {
		return
	}
	for _, p := range cloudMetadata() {
		d.Rule(chain, ruleset.To(p), ruleset.OfGroup(g.level, g.id), ruleset.Refuse())
	}
}
