package network

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"github.com/vishvananda/netlink"

	"github.com/berthhq/berth/agent/network/ruleset"
	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/network"
)

// Addresses at which a router serves its tasks.
const (
	GatewayAddress     = "169.254.1.1"
	CredentialsAddress = "169.254.170.2"
	InstanceAddress    = "169.254.169.254"
	ResolverAddress    = "169.254.169.253"
)

// uplinkName is the router's end of its link to the host.
const uplinkName = "uplink"

// Router is the namespace that joins the tasks of one VPC, or those of bridge
// mode, on this machine.
type Router struct {
	VPC   string       // the VPC's id; empty for bridge mode
	Range netip.Prefix // of the VPC, or of bridge mode

	host        *host
	number      int    // of the uplink
	uplink      string // the host's end
	hostReaches bool   // tasks are reached from the host, by their own addresses

	space    *space.Space
	links    *netlink.Handle
	services io.Closer

	mu    sync.Mutex // guards the following and the table
	table *ruleset.Table
	ends  map[string]*end // by link name
	index map[int]*end    // by link index
	state *network.State  // the VPC as the control plane told it last; nil before
	have  written         // what the table has
	// toldEnds and toldGroups are the state's, by id; ends by their task's ARN, too.
	toldEnds   map[string]*network.End
	toldGroups map[string]*network.GroupState
	tunnelled  []network.PeerHost // to whom the tunnel leads; nil before it was looked at
	policed    []mark             // that have a routing table

	lastLease netip.Addr // bridge mode: the address given out last
}

// end is where a task's veth enters its router.
type end struct {
	link    string
	index   int
	address netip.Addr
	peer    Peer
	iface   string       // eni-...; empty in bridge mode
	told    *network.End // what the control plane said of it last; nil before
	secured bool         // rules apply
	rules   securityRules
}

// routerRecord is what a restarted agent needs to know of a router.
type routerRecord struct {
	VPC         string
	Range       netip.Prefix
	Number      int
	HostReaches bool
}

func (n *Network) routerPath(vpc string) string {
	return filepath.Join(n.cfg.RunDir, "router", "r"+short(vpc))
}

// router finds or makes the router of the VPC; "" is bridge mode's.
func (n *Network) router(vpc string, r netip.Prefix) (*Router, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if have := n.routers[vpc]; have != nil {
		return have, nil
	}
	number, err := n.freeNumber()
	if err != nil {
		return nil, err
	}
	rec := routerRecord{VPC: vpc, Range: r, Number: number}
	rec.HostReaches = vpc != "" && vpc == n.cfg.HostVPC && n.reachable(r)
	made, err := n.makeRouter(rec)
	if err != nil {
		return nil, fmt.Errorf("make the router of %s: %w", nameOf(vpc), err)
	}
	content, err := json.Marshal(rec)
	if err != nil {
		return nil, err
	}
	if err := write(n.routerPath(vpc)+".json", content); err != nil {
		return nil, errors.Join(err, made.destroy())
	}
	n.routers[vpc] = made
	return made, nil
}

func nameOf(vpc string) string {
	if vpc == "" {
		return "bridge mode"
	}
	return vpc
}

func (n *Network) freeNumber() (int, error) {
	used := map[int]bool{}
	for _, r := range n.routers {
		used[r.number] = true
	}
	for i := range maxUplinks {
		if !used[i] {
			return i, nil
		}
	}
	return 0, fmt.Errorf("this host already has tasks of %d VPCs, which is the most it can have", maxUplinks-1)
}

// reachable claims the range of the host's VPC; if the host has such a network
// already the VPC is not routed from the host, and HostReach says so.
func (n *Network) reachable(r netip.Prefix) bool {
	h := n.host
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unreached = free(h.links, r)
	if h.unreached == nil && r.Overlaps(h.private) {
		h.unreached = &ConflictError{Range: r, With: "the private range of the agent"}
	}
	if h.unreached == nil {
		if err := h.links.RouteAdd(unreachable(r)); err != nil && !errors.Is(err, os.ErrExist) {
			h.unreached = err // EEXIST: another agent here has tasks of the same VPC
		}
	}
	if h.unreached != nil {
		n.log.Warn("tasks of the default VPC cannot be reached from this host by their addresses", "err", h.unreached)
	}
	return h.unreached == nil
}

func (n *Network) makeRouter(rec routerRecord) (*Router, error) {
	path := n.routerPath(rec.VPC)
	if err := space.Remove(path); err != nil {
		return nil, err
	}
	s, err := space.Create(path, prepareRouter)
	if err != nil {
		return nil, err
	}
	r, err := n.openRouter(rec, s)
	if err != nil {
		return nil, errors.Join(err, space.Remove(path))
	}
	steps := []func() error{r.join, r.address, r.prepareCalls, r.table.Replace, r.announce, r.complete, func() error { return n.serve(r) }}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, errors.Join(err, r.destroy())
		}
	}
	return r, nil
}

func (n *Network) openRouter(rec routerRecord, s *space.Space) (*Router, error) {
	r := &Router{
		VPC: rec.VPC, Range: rec.Range, host: n.host, number: rec.Number, hostReaches: rec.HostReaches,
		uplink: linkPrefix + short(n.cfg.Agent, rec.VPC), space: s, ends: map[string]*end{}, index: map[int]*end{},
	}
	r.learn(n.states[rec.VPC])
	var err error
	if r.links, err = handle(s); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if r.table, err = ruleset.Open(s, "berth", r.rules); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return r, nil
}

// complete makes all that lies around a router's table.
func (r *Router) complete() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.closeRanges(), r.surroundings(), r.tunnel())
}

func (n *Network) serve(r *Router) (err error) {
	if n.cfg.Services != nil {
		r.services, err = n.cfg.Services(r)
	}
	return err
}

// announce lets the host's packet filter know the router.
func (r *Router) announce() error {
	h := r.host
	h.mu.Lock()
	defer h.mu.Unlock()
	h.uplinks[r.uplink] = r
	return h.table.Replace()
}

func (r *Router) close() error {
	var errs []error
	if r.services != nil {
		errs = append(errs, r.services.Close())
		r.services = nil
	}
	r.links.Close()
	return errors.Join(append(errs, r.table.Close(), r.space.Close())...)
}

// destroy removes the router and all behind it.
func (r *Router) destroy() error {
	h := r.host
	h.mu.Lock()
	delete(h.uplinks, r.uplink)
	delete(h.roads, r)
	var errs []error
	if l, err := h.links.LinkByName(r.uplink); err == nil {
		errs = append(errs, h.links.LinkDel(l))
	}
	if r.hostReaches {
		errs = append(errs, ignoreMissing(h.links.RouteDel(unreachable(r.Range))))
	}
	h.mu.Unlock()
	errs = append(errs, r.close(), space.Remove(r.space.Path()), ignoreMissing(os.Remove(r.space.Path()+".json")))
	return errors.Join(errs...)
}
