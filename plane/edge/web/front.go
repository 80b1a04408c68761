package web

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// Limits of requests, as AWS documents them.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
const (
	maxHeader = 64 << 10 // all lines of a request
	maxLine   = 16 << 10 // one header, and the request line
)

// headPatience is how long a client may take for a request's head: slower ones hold
// connections on purpose.
const headPatience = 60 * time.Second

// place is where a listener takes connections.
type place struct {
	node string // interface
	port int
}

// front is one listening socket at work.
type front struct {
	engine *Engine
	place
	server   *http.Server
	open     atomic.Int64
	upgraded upgraded
	socket   net.Listener
	closing  atomic.Bool
}

// Serve takes requests at a port of a node, for the listener that has it at the moment,
// until l is closed or the engine is drained.
func (e *Engine) Serve(l net.Listener, node string, port int) error {
	f := &front{engine: e, place: place{node, port}, socket: l}
	f.server = &http.Server{
		Handler: f, ReadHeaderTimeout: headPatience, IdleTimeout: f.idle(), MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(e.Log.Handler(), slog.LevelDebug), ConnState: f.count, ConnContext: f.remember,
		TLSConfig: &tls.Config{NextProtos: []string{"h2", "http/1.1"}}, // so that it takes both; gate decides
	}
	e.mu.Lock()
	if e.drained {
		e.mu.Unlock()
		return http.ErrServerClosed
	}
	e.fronts[f] = true
	e.mu.Unlock()
	err := f.server.Serve(&gate{l, f})
	go f.fade()
	return err
}

// idle is how long a connection may wait for its next request.
func (f *front) idle() time.Duration {
	if l := f.now(); l != nil {
		return l.balancer.Seconds(balancer.IdleTimeout)
	}
	return time.Minute
}

// gate takes connections in TLS or not, as the listener says at the moment.
type gate struct {
	net.Listener
	front *front
}

func (g *gate) Accept() (net.Conn, error) {
	c, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if l := g.front.now(); l != nil && l.tls != nil {
		return tls.Server(c, l.tls), nil
	}
	return c, nil
}

// fade forgets the front once its last request has been answered: its socket is closed.
func (f *front) fade() {
	f.settle(context.Background())
	_ = f.server.Shutdown(context.Background()) // it waits; Drain ends it sooner
	f.engine.mu.Lock()
	defer f.engine.mu.Unlock()
	delete(f.engine.fronts, f)
}

func protocols(l *listener) []string {
	if l.balancer.Enabled(balancer.HTTP2) {
		return []string{"h2", "http/1.1"}
	}
	return []string{"http/1.1"}
}

// now is the listener as it is at the moment; nil when there is none.
func (f *front) now() *listener { return f.engine.world.Load().listeners[f.place] }

type connKey struct{}

// connection is what is known of a client's connection.
type connection struct {
	net.Conn
	began time.Time
	trace string // its id, in the logs
}

func (f *front) remember(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, &connection{Conn: c, began: f.engine.Now(), trace: "TID_" + hexID(16)})
}

// count follows how many connections there are.
func (f *front) count(c net.Conn, state http.ConnState) {
	l := f.now()
	switch state {
	case http.StateNew:
		f.open.Add(1)
		if l != nil {
			f.engine.counts.add(l.balancer.ARN, "", l.zones[f.node], "NewConnectionCount", 1)
		}
	case http.StateClosed, http.StateHijacked:
		f.open.Add(-1)
		if l != nil && state == http.StateClosed && !agreed(c) {
			f.engine.counts.add(l.balancer.ARN, "", l.zones[f.node], "ClientTLSNegotiationErrorCount", 1)
		}
	}
	if l != nil {
		f.engine.counts.level(l.balancer.ARN, f.place, f.open.Load())
	}
}

// agreed tells whether a connection that should be in TLS came to be so.
func agreed(c net.Conn) bool {
	secure, ok := c.(*tls.Conn)
	return !ok || secure.ConnectionState().HandshakeComplete
}

// drain waits for requests and for connections in another protocol, until ctx ends.
func (f *front) drain(ctx context.Context) {
	f.settle(ctx)
	if err := f.server.Shutdown(ctx); err != nil {
		f.server.Close()
	}
	f.upgraded.wait(ctx)
}

// settling is how long clients that keep a connection have to send one more request on
// it, which is answered as the last.
const settling = 10 * time.Second

// settle takes no new connections and lets each one end with its next answer, for a
// while: the server's own shutdown drops a request that has just come. Of the time that
// ctx leaves it takes at most a quarter.
func (f *front) settle(ctx context.Context) {
	f.closing.Store(true)
	f.socket.Close()
	patience := settling
	if until, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(until)/4)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for f.open.Load() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
