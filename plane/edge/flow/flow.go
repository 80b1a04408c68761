package flow

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/balancer"
)

// Node is a node of a Network balancer, or of an endpoint that leads to one.
type Node struct {
	Front *balancer.Front
	balancer.Node
	Space *space.Space
	// Endpoint is the id of the interface endpoint; empty for the balancer's own node.
	Endpoint string
}

// Listen opens the listening socket of a node's port, the same one each time.
type Listen func(n *Node, port int) (net.Listener, error)

// Flow carries Network balancers. Its methods are for one goroutine but Drain, Idle
// and Counted.
type Flow struct {
	Log *slog.Logger
	// Usable tells whether a target is healthy; nil for all.
	Usable Usable
	// Access takes a line of a balancer's access log, of the node that has the address;
	// nil for nobody.
	Access func(balancerARN, address, line string)

	mu    sync.Mutex
	nodes map[string]*carried // by interface
}

// carried is what runs for a node.
type carried struct {
	Node
	table   *table // nil for an endpoint's
	proxies map[spot]carrier
	led     map[netip.AddrPort]bool // targets, and whether their connections end with their registration
}

// spot is a port of a node.
type spot struct {
	port int
	udp  bool
}

// carrier is what carries a port in user space.
type carrier interface {
	// end ends what there is with these targets.
	end(targets map[netip.AddrPort]bool)
	connections() map[netip.AddrPort]int
	measure(m *Measured)
	// drain takes nothing new and waits for what there is, or ctx; stop does not wait.
	drain(ctx context.Context)
	stop()
}

// Apply carries exactly these nodes.
func (f *Flow) Apply(s *balancer.Snapshot, nodes []Node, listen Listen) {
	pools := map[string]*balancer.Pool{}
	for n := range s.Pools {
		pools[s.Pools[n].Group.ARN] = &s.Pools[n]
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.nodes == nil {
		f.nodes = map[string]*carried{}
	}
	wanted := map[string]bool{}
	for n := range nodes {
		wanted[nodes[n].InterfaceID] = true
		c, err := f.carry(&nodes[n])
		if err == nil {
			err = f.update(s, c, pools, from(&nodes[n], nodes), listen)
		}
		if err != nil {
			f.Log.Error("a node cannot be served", "balancer", nodes[n].Front.Balancer.Name, "interface", nodes[n].InterfaceID, "err", err)
		}
	}
	for id, c := range f.nodes {
		if !wanted[id] {
			c.close()
			delete(f.nodes, id)
		}
	}
}

// from is the node from whose network a node's targets are reached: itself, and for an
// endpoint's the balancer's own, of the same zone if there is one.
func from(n *Node, all []Node) *Node {
	if n.Endpoint == "" {
		return n
	}
	var best *Node
	for i := range all {
		if o := &all[i]; o.Endpoint == "" && o.Front.Balancer.ARN == n.Front.Balancer.ARN && (best == nil || o.Zone == n.Zone && best.Zone != n.Zone) {
			best = o
		}
	}
	return best
}

func (f *Flow) carry(n *Node) (*carried, error) {
	have := f.nodes[n.InterfaceID]
	if have != nil && have.Space == n.Space {
		have.Node = *n
		return have, nil
	}
	if have != nil {
		have.close()
	}
	c := &carried{Node: *n, proxies: map[spot]carrier{}}
	if n.Endpoint == "" {
		var err error
		if c.table, err = openTable(n.Space, n.Address); err != nil {
			return nil, err
		}
	}
	f.nodes[n.InterfaceID] = c
	return c, nil
}

func (f *Flow) update(s *balancer.Snapshot, c *carried, pools map[string]*balancer.Pool, via *Node, listen Listen) error {
	if via == nil {
		return nil // the balancer's node is not there yet
	}
	ch := &choice{front: c.Front, node: &via.Node, pools: pools, usable: f.Usable}
	if c.table != nil {
		if err := c.table.set(ch.ports(), idleOf(c.Front)); err != nil {
			return err
		}
	}
	f.splice(s, c, ch, via, listen)
	return f.endLost(c, ch)
}

// idleOf is how long a connection may say nothing, in seconds: the longest of the
// listeners', for the kernel knows one for the node.
func idleOf(front *balancer.Front) int {
	longest := 0
	for _, l := range front.Listeners {
		longest = max(longest, idle(&l.Listener))
	}
	return cmp.Or(longest, defaultIdle)
}

func idle(l *balancer.Listener) int {
	return cmp.Or(int(l.Seconds(balancer.TCPIdleTimeout)/time.Second), defaultIdle)
}

// splice runs a proxy for each listener that the kernel does not carry, and for each
// one of an endpoint's.
func (f *Flow) splice(s *balancer.Snapshot, c *carried, ch *choice, via *Node, listen Listen) {
	wanted := map[spot]bool{}
	for n := range c.Front.Listeners {
		l := &c.Front.Listeners[n].Listener
		groups := ch.groups(l)
		if c.Endpoint == "" && (l.Protocol == protocolUDP || !Spliced(l, groups)) {
			continue
		}
		way, err := wayOf(s, l, groups, ch, via, c.Endpoint)
		if err == nil {
			way.keep(bookOf(f.Access, &c.Node, l))
		}
		for _, protocol := range protocolsOf(l.Protocol) {
			at := spot{l.Port, protocol == unix.IPPROTO_UDP}
			switch {
			case err != nil:
			case at.udp && c.Endpoint != "":
				err = c.relay(f.Log, at, way)
			case !at.udp:
				err = c.proxy(f.Log, at, way, listen)
			}
			wanted[at] = err == nil
		}
		if err != nil {
			f.Log.Error("a listener cannot be served", "listener", l.ARN, "err", err)
		}
	}
	for at, p := range c.proxies {
		if !wanted[at] {
			p.stop()
			delete(c.proxies, at)
		}
	}
}

func (c *carried) proxy(log *slog.Logger, at spot, w *way, listen Listen) error {
	l, err := listen(&c.Node, at.port)
	if err != nil {
		return err
	}
	if have, ok := c.proxies[at].(*proxy); ok && have.listener == l {
		have.way.Store(w)
		return nil
	}
	c.proxies[at] = serve(l, w, log)
	return nil
}

func (c *carried) relay(log *slog.Logger, at spot, w *way) error {
	if have, ok := c.proxies[at].(*relay); ok {
		have.way.Store(w)
		return nil
	}
	socket, err := listenUDP(&c.Node, at.port)
	if err == nil {
		c.proxies[at] = relayTo(socket, w, log)
	}
	return err
}

// endLost ends the connections to targets that are led to no more, where their group
// wants that.
func (f *Flow) endLost(c *carried, ch *choice) error {
	now := map[netip.AddrPort]bool{}
	lost := map[netip.AddrPort]bool{}
	for n := range c.Front.Listeners {
		for _, g := range ch.groups(&c.Front.Listeners[n].Listener) {
			for _, t := range g.pool.Targets {
				healthy := f.Usable == nil || f.Usable(g.pool.Group.ARN, t.Key)
				switch {
				case healthy || t.Draining:
					now[t.Address] = g.pool.Group.Enabled(balancer.ConnectionTerminates)
				case g.pool.Group.Enabled(balancer.UnhealthyTermination) && led(c, t.Address):
					lost[t.Address] = true
				}
			}
		}
	}
	for at, ends := range c.led {
		if _, still := now[at]; !still && ends {
			lost[at] = true
		}
	}
	c.led = now
	for _, p := range c.proxies {
		p.end(lost)
	}
	if c.table == nil {
		return nil
	}
	return end(c.Space, lost)
}

func led(c *carried, at netip.AddrPort) bool {
	_, ok := c.led[at]
	return ok
}

func (c *carried) close() {
	for _, p := range c.proxies {
		p.stop()
	}
	if c.table != nil {
		c.table.close()
	}
}

// Connections counts what is open to targets, over all nodes.
func (f *Flow) Connections() map[netip.AddrPort]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[netip.AddrPort]int{}
	for _, c := range f.nodes {
		if c.table != nil {
			some, err := connections(c.Space)
			if err != nil {
				f.Log.Error("connections cannot be counted", "interface", c.InterfaceID, "err", err)
			}
			for at, n := range some {
				out[at] += n
			}
		}
		for _, p := range c.proxies {
			for at, n := range p.connections() {
				out[at] += n
			}
		}
	}
	return out
}

// Measured is what went through a node.
type Measured struct {
	Node  Node
	New   uint64 // connections, or flows of packets
	Bytes uint64
	Open  int
	TLS   uint64 // of New
}

// Measure gives what went through since it was last asked.
func (f *Flow) Measure() []Measured {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Measured
	for _, c := range f.nodes {
		m := Measured{Node: c.Node}
		if c.table != nil {
			for _, n := range c.table.take() {
				m.New, m.Bytes = m.New+n.Packets, m.Bytes+n.Bytes
			}
			some, _ := connections(c.Space)
			for _, n := range some {
				m.Open += n
			}
		}
		for _, p := range c.proxies {
			p.measure(&m)
		}
		out = append(out, m)
	}
	return out
}

// Drain takes nothing new in user space and returns when what there is has ended, or
// ctx. What the kernel carries goes on by itself.
func (f *Flow) Drain(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.nodes {
		for _, p := range c.proxies {
			p.drain(ctx)
		}
		if c.table != nil {
			c.table.close()
		}
	}
	clear(f.nodes)
}
