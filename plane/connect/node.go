package connect

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

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

// place is a router with what serves there.
type place struct {
	Router
	node      *Node
	listeners map[netip.AddrPort]net.Listener
	proxies   map[call]*carrier
	running   sync.WaitGroup
}

// call is who calls what.
type call struct {
	task    string
	address netip.Addr // of the container, where it has its own
	service string     // id
}

// carrier is a Proxy and what it was made for.
type carrier struct {
	*Proxy
	made discovery.Connect
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

// listen listens where the tasks of the router call, and nowhere else. n.mu is held.
func (p *place) listen(vpc string) error {
	want := map[netip.AddrPort]bool{}
	for i := range p.node.meshes {
		m := &p.node.meshes[i]
		for j := range m.Services {
			if m.VPCID == vpc {
				want[p.node.at(m, &m.Services[j])] = true
			}
		}
	}
	var errs []error
	for at, l := range p.listeners {
		if !want[at] {
			errs = append(errs, l.Close())
			delete(p.listeners, at)
		}
	}
	for at := range want {
		if p.listeners[at] != nil {
			continue
		}
		l, err := p.Listen(context.Background(), at.String())
		if err != nil {
			errs = append(errs, err)
			continue
		}
		p.listeners[at] = l
		p.running.Go(func() { p.accept(l, at) })
	}
	return errors.Join(errs...)
}

// at is where a service of a mesh is called.
func (n *Node) at(m *discovery.Mesh, s *discovery.Called) netip.AddrPort {
	return netip.AddrPortFrom(n.book.address(m.NamespaceID, s.Alias), uint16(s.Port))
}

func (p *place) accept(l net.Listener, at netip.AddrPort) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if err := p.take(c, at); err != nil {
			p.node.log.Debug("a call was refused", "at", at, "client", c.RemoteAddr(), "err", err)
			c.Close()
		}
	}
}

var errStranger = errors.New("the caller is in no namespace that has the name")

// take hands a connection to the proxy of its caller.
func (p *place) take(c net.Conn, at netip.AddrPort) error {
	task, err := p.Caller(c)
	if err != nil {
		return err
	}
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return err
	}
	p.node.mu.Lock()
	defer p.node.mu.Unlock()
	m := p.node.circles[task]
	if m == nil || p.proxies == nil {
		return errStranger
	}
	for i := range m.Services {
		if s := &m.Services[i]; p.node.at(m, s) == at {
			p.carrier(call{task, from.Addr().Unmap(), s.ID}, s).Carry(c)
			return nil
		}
	}
	return errStranger
}

// carrier is the proxy of a call, made at the first.
func (p *place) carrier(who call, s *discovery.Called) *carrier {
	have := p.proxies[who]
	if have == nil {
		have = &carrier{made: s.Connect, Proxy: New(Config{
			Protocol: s.Protocol, Idle: seconds(s.Idle), Request: seconds(s.Request), Log: p.node.log,
			Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) { return p.Dial(ctx, who.address, to) },
		})}
		have.Set(s.Endpoints)
		p.proxies[who] = have
	}
	return have
}

// seconds is a time of Config: there 0 is the default, and never is less.
func seconds(n *int) time.Duration {
	switch {
	case n == nil:
		return 0
	case *n == 0:
		return -1
	}
	return time.Duration(*n) * time.Second
}

// refresh tells the proxies what their services are now; those of tasks that are gone,
// and of services that are others now, end. n.mu is held.
func (p *place) refresh() {
	for who, c := range p.proxies {
		m := p.node.circles[who.task]
		i := -1
		if m != nil {
			i = slices.IndexFunc(m.Services, func(s discovery.Called) bool { return s.ID == who.service })
		}
		if i >= 0 && c.fits(&m.Services[i].Connect) {
			c.Set(m.Services[i].Endpoints)
			continue
		}
		delete(p.proxies, who)
		p.running.Go(func() {
			if err := c.Close(); err != nil {
				p.node.log.Debug("a proxy did not end well", "service", who.service, "err", err)
			}
		})
	}
}

// fits tells whether the proxy still does what a service wants of it.
func (c *carrier) fits(now *discovery.Connect) bool {
	return c.made.Protocol == now.Protocol && seconds(c.made.Idle) == seconds(now.Idle) && seconds(c.made.Request) == seconds(now.Request)
}
