package web

import (
	"context"
	"crypto/tls"
	"errors"
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

// front is one listening socket at work.
type front struct {
	engine   *Engine
	listener string // ARN
	node     string // interface
	server   *http.Server
	open     atomic.Int64
}

// Serve takes requests for a listener at a node until l is closed, or the engine is
// drained.
func (e *Engine) Serve(l net.Listener, listenerARN, node string) error {
	f := &front{engine: e, listener: listenerARN, node: node}
	at := e.world.Load().listeners[listenerARN]
	if at == nil {
		return errors.New("the listener is not in the snapshot")
	}
	f.server = &http.Server{
		Handler: f, ReadHeaderTimeout: headPatience, IdleTimeout: at.balancer.Seconds(balancer.IdleTimeout), MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(e.Log.Handler(), slog.LevelDebug), ConnState: f.count, ConnContext: f.remember, Protocols: new(http.Protocols),
	}
	f.server.Protocols.SetHTTP1(true)
	f.server.Protocols.SetHTTP2(at.balancer.Enabled(balancer.HTTP2))
	e.mu.Lock()
	if e.drained {
		e.mu.Unlock()
		return http.ErrServerClosed
	}
	e.fronts[f] = true
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.fronts, f)
	}()
	return f.serve(l, at)
}

// serve returns when the listener is closed; requests that go on meanwhile end by
// themselves.
func (f *front) serve(l net.Listener, at *listener) (err error) {
	if at.Protocol != "HTTPS" {
		return f.server.Serve(l)
	}
	f.server.TLSConfig = &tls.Config{NextProtos: protocols(at), GetConfigForClient: f.tlsFor}
	return f.server.ServeTLS(l, "", "")
}

func protocols(l *listener) []string {
	if l.balancer.Enabled(balancer.HTTP2) {
		return []string{"h2", "http/1.1"}
	}
	return []string{"http/1.1"}
}

// now is the listener as it is at the moment; nil when it is gone.
func (f *front) now() *listener { return f.engine.world.Load().listeners[f.listener] }

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
func (f *front) count(_ net.Conn, state http.ConnState) {
	l := f.now()
	switch state {
	case http.StateNew:
		f.open.Add(1)
		if l != nil {
			f.engine.counts.add(l.balancer.ARN, "", l.zones[f.node], "NewConnectionCount", 1)
		}
	case http.StateClosed, http.StateHijacked:
		f.open.Add(-1)
	}
	if l != nil {
		f.engine.counts.level(l.balancer.ARN, f.node+f.listener, f.open.Load())
	}
}

func (f *front) drain(ctx context.Context) {
	if err := f.server.Shutdown(ctx); err != nil {
		f.server.Close()
	}
}
