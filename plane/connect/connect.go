// Package connect carries the calls of Service Connect's clients to the endpoints of a
// service: TCP by splicing, HTTP by request. It takes endpoints in turn, tries others
// when one fails, and leaves out those that fail often.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect.html
//
// A Proxy carries the calls of one client to one service. A Node has those of all tasks
// of a host: it gives the names that they call addresses in their routers, listens
// there, and knows who calls.
package connect

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Protocols of a service, as appProtocol names them; empty is TCP.
const (
	TCP   = ""
	HTTP  = "http"
	HTTP2 = "http2"
	GRPC  = "grpc"
)

// retries is how often another endpoint is tried.
const retries = 2

// maxClients is how many connections one client has to a service at a time, as Envoy's:
// none may take what all others need. More are closed at once.
const maxClients = 1024

// connectPatience is how long an endpoint may take to accept a connection.
const connectPatience = time.Second

// Config is what a Proxy is made of.
type Config struct {
	Protocol string
	// Idle ends a connection on which nothing happens, Request a request that is not
	// answered; 0 for Service Connect's defaults, negative for never.
	Idle, Request time.Duration
	// Dial connects to an endpoint; nil means the process's own network.
	Dial func(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	Now  func() time.Time // nil means time.Now
	Log  *slog.Logger
}

// Service Connect's defaults.
const (
	idleTCP        = time.Hour
	idleHTTP       = 5 * time.Minute
	requestTimeout = 15 * time.Second
)

// Proxy carries calls to one service.
type Proxy struct {
	Config
	Ring

	web     *http.Server // of the HTTP protocols; it takes what is in the queue
	queue   *queue
	client  *http.Transport
	mu      sync.Mutex
	clients int                // connections of the client
	open    map[io.Closer]bool // spliced connections
	closed  bool
	running sync.WaitGroup
}

// New makes a Proxy without endpoints.
func New(c Config) *Proxy {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Dial == nil {
		c.Dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", to.String())
		}
	}
	if c.Request == 0 {
		c.Request = requestTimeout
	}
	if c.Idle == 0 {
		c.Idle = idleHTTP
		if c.Protocol == TCP {
			c.Idle = idleTCP
		}
	}
	p := &Proxy{Config: c, open: map[io.Closer]bool{}}
	if c.Protocol != TCP {
		p.openWeb()
	}
	return p
}

// Set replaces the endpoints. To one that is gone nothing is sent any more: what was on
// the way goes on.
func (p *Proxy) Set(list []netip.AddrPort) {
	if gone := p.Ring.Set(list); gone && p.client != nil {
		p.client.CloseIdleConnections()
	}
}

// Carry takes a client's connection. It returns at once.
func (p *Proxy) Carry(c net.Conn) {
	switch {
	case !p.enter(c):
		c.Close()
	case p.web != nil:
		p.queue.put(&counted{Conn: c, end: sync.OnceFunc(p.leave)})
	}
}

// enter counts a client's connection in, and begins to splice it where that is what is to
// be done; false when it can't be carried.
func (p *Proxy) enter(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.clients == maxClients {
		return false
	}
	p.clients++
	if p.web == nil {
		p.running.Go(func() {
			defer p.leave()
			p.splice(c)
		})
	}
	return true
}

func (p *Proxy) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients--
}

// counted is a client's connection that says when it is closed.
type counted struct {
	net.Conn
	end func()
}

func (c *counted) Close() error {
	defer c.end()
	return c.Conn.Close()
}

// Close ends all connections, and waits for those of TCP.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	var errs []error
	for c := range p.open {
		if err := c.Close(); !errors.Is(err, net.ErrClosed) { // by its idle time, say
			errs = append(errs, err)
		}
	}
	p.mu.Unlock()
	if p.web != nil {
		errs = append(errs, p.web.Close())
		p.client.CloseIdleConnections()
	}
	p.running.Wait()
	return errors.Join(errs...)
}

// keep notes what Close closes; false once the proxy is closed.
func (p *Proxy) keep(c io.Closer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.open[c] = true
	}
	return !p.closed
}

func (p *Proxy) drop(c io.Closer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
}

// errNoEndpoint says that nobody serves.
var errNoEndpoint = errors.New("the service has no endpoints")

// connect connects to the endpoint whose turn it is, or to another when that fails.
func (p *Proxy) connect(ctx context.Context, tried []netip.AddrPort) (c net.Conn, at netip.AddrPort, err error) {
	err = errNoEndpoint
	for range retries + 1 {
		a, ok := p.Pick(p.Now(), tried)
		if !ok {
			break
		}
		tried = append(tried, a)
		within, cancel := context.WithTimeout(ctx, connectPatience)
		c, err = p.Dial(within, a)
		cancel()
		if err == nil {
			return c, a, nil
		}
		p.Report(a, p.Now(), false)
	}
	return nil, at, err
}
