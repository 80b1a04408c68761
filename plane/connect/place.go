package connect

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/discovery"
)

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
