package network

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/network/space"
)

// waste is what a torn down task leaves to remove.
type waste struct {
	router  *Router
	path    string // of the namespace; empty when it is removed
	address netip.Addr
}

// sweeper removes, behind the callers' backs, what takes the kernel long. It lets
// go of namespaces and never deletes a link: the kernel then removes namespaces
// and their veths in batches without stopping set-ups, where deleting one link
// holds everybody up for tens of milliseconds. Connections are forgotten in
// batches too, so that their table is read once for many.
type sweeper struct {
	host *host
	log  *slog.Logger

	mu     sync.Mutex
	heap   []waste
	wake   chan struct{}
	closed chan struct{} // closed to end it
	ended  chan struct{}
}

func newSweeper(h *host, log *slog.Logger) *sweeper {
	s := &sweeper{host: h, log: log, wake: make(chan struct{}, 1), closed: make(chan struct{}), ended: make(chan struct{})}
	go s.run()
	return s
}

func (s *sweeper) sweep(w waste) {
	s.mu.Lock()
	s.heap = append(s.heap, w)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// close finishes what was given to sweep. Closing again does nothing.
func (s *sweeper) close() {
	s.mu.Lock()
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	s.mu.Unlock()
	<-s.ended
}

func (s *sweeper) run() {
	defer close(s.ended)
	for {
		select {
		case <-s.wake:
			s.pause()
			s.empty()
		case <-s.closed:
			s.empty()
			return
		}
	}
}

// gathering is how long waste may lie. Removing one namespace stalls set-ups for
// about as long as removing many.
const gathering = 500 * time.Millisecond

func (s *sweeper) pause() {
	enough := time.NewTimer(gathering)
	defer enough.Stop()
	select {
	case <-enough.C:
	case <-s.closed:
	}
}

func (s *sweeper) empty() {
	s.mu.Lock()
	heap := s.heap
	s.heap = nil
	s.mu.Unlock()
	gone := map[*Router]addressSet{nil: {}}
	for _, w := range heap {
		if err := space.Remove(w.path); err != nil {
			s.log.Warn("the namespace of a stopped task was not removed", "err", err)
		}
		if gone[w.router] == nil {
			gone[w.router] = addressSet{}
		}
		gone[w.router][w.address], gone[nil][w.address] = true, true
	}
	for r, addresses := range gone {
		if len(addresses) == 0 {
			continue
		}
		links := s.host.links
		if r != nil {
			links = r.links
		}
		// Otherwise a later owner of the address would receive what was meant for
		// this one, UDP above all.
		if _, err := links.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, addresses); err != nil {
			s.log.Warn("connections of stopped tasks were not forgotten", "err", err)
		}
	}
}

// addressSet matches connections from or to its members.
type addressSet map[netip.Addr]bool

// MatchConntrackFlow is netlink's question whether to delete a connection.
func (s addressSet) MatchConntrackFlow(flow *netlink.ConntrackFlow) bool {
	from, _ := netip.AddrFromSlice(flow.Forward.SrcIP)
	behind, _ := netip.AddrFromSlice(flow.Reverse.SrcIP)
	return s[from.Unmap()] || s[behind.Unmap()]
}
