package connect

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/berthhq/berth/domain/discovery"
)

// Router joins the tasks of one VPC, or those in bridge mode, on this host.
type Router interface {
	// Listen opens a TCP listener at an address that its tasks can call.
	Listen(ctx context.Context, address string) (net.Listener, error)
	// Caller is the ARN of the task that a connection comes from.
	Caller(c net.Conn) (string, error)
	// At is the ARN of the task that has an address; empty when none has.
	At(a netip.Addr) string
	// Dial connects in the name of the task that has the address.
	Dial(ctx context.Context, as netip.Addr, to netip.AddrPort) (net.Conn, error)
}

// Node carries the calls of all tasks of a host.
type Node struct {
	log  *slog.Logger
	book *book

	mu      sync.Mutex
	meshes  []discovery.Mesh
	circles map[string]*discovery.Mesh // by ARN of a task that is in it
	places  map[string]*place          // routers, by VPC; bridge mode's under ""
}

// OpenNode opens the node that keeps what it was told, and the addresses that it gave
// out, in the file at path, which need not be there yet.
func OpenNode(path string, log *slog.Logger) (*Node, error) {
	b, err := openBook(path)
	if err != nil {
		return nil, err
	}
	n := &Node{log: log, book: b, places: map[string]*place{}}
	n.learn(b.Meshes)
	return n, nil
}

// Learn takes what tasks may call in place of what it was told before. It is in force
// when Learn returns, an error notwithstanding.
func (n *Node) Learn(meshes []discovery.Mesh) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.learn(meshes)
	var errs []error
	for vpc, p := range n.places {
		errs = append(errs, p.listen(vpc))
		p.refresh()
	}
	return errors.Join(append(errs, n.book.keep(meshes))...)
}

func (n *Node) learn(meshes []discovery.Mesh) {
	n.meshes, n.circles = meshes, map[string]*discovery.Mesh{}
	for i := range meshes {
		for _, task := range meshes[i].Tasks {
			n.circles[task] = &meshes[i]
		}
		for j := range meshes[i].Services {
			n.book.address(meshes[i].NamespaceID, meshes[i].Services[j].Alias)
		}
	}
}

// Serve begins to carry the calls of a router's tasks; what it returns ends that.
func (n *Node) Serve(vpc string, r Router) *Served {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := &place{Router: r, node: n, listeners: map[netip.AddrPort]net.Listener{}, proxies: map[call]*carrier{}}
	n.places[vpc] = p
	if err := p.listen(vpc); err != nil {
		n.log.Error("some names of Service Connect do not answer", "vpc", vpc, "err", err)
	}
	return &Served{n, vpc}
}

// Served is a router that a node carries calls for.
type Served struct {
	node *Node
	vpc  string
}

// Close ends it, with all connections.
func (s *Served) Close() error {
	s.node.mu.Lock()
	p := s.node.places[s.vpc]
	delete(s.node.places, s.vpc)
	var errs []error
	for _, l := range p.listeners {
		errs = append(errs, l.Close())
	}
	carriers := p.proxies
	p.proxies = nil
	s.node.mu.Unlock()
	for _, c := range carriers {
		errs = append(errs, c.Close())
	}
	p.running.Wait()
	return errors.Join(errs...)
}

// Name is what a name is to the task of a router that has the address; nil when it may
// not call it.
func (n *Node) Name(vpc string, asker netip.Addr, name string) *discovery.Name {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.places[vpc]
	if p == nil || len(n.circles) == 0 {
		return nil
	}
	m := n.circles[p.At(asker)]
	if m == nil || !slices.ContainsFunc(m.Services, func(s discovery.Called) bool { return s.Alias == name }) {
		return nil
	}
	return &discovery.Name{Name: name, TTL: nameTTL, Addresses: []netip.Addr{n.book.address(m.NamespaceID, name)}}
}

// nameTTL is how many seconds clients keep the address of a name. It never changes.
const nameTTL = 60

// at is where a service of a mesh is called.
func (n *Node) at(m *discovery.Mesh, s *discovery.Called) netip.AddrPort {
	return netip.AddrPortFrom(n.book.address(m.NamespaceID, s.Alias), uint16(s.Port))
}
