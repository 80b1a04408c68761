package web

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/web/wire"
)

// place is where a listener takes connections.
type place struct {
	node string // interface
	port int
}

// front is one listening socket at work.
type front struct {
	engine *Engine
	place
	socket   net.Listener
	second   *http.Server // of HTTP/2
	queue    *queue       // of connections for it
	upgraded upgraded
	open     atomic.Int64 // connections, of HTTP/2 as well
	closing  atomic.Bool  // the socket is closed

	mu      sync.Mutex
	streams map[*stream1]bool
	retired bool // connections end with the request at hand
}

// Serve takes requests at a port of a node, for the listener that has it at the moment,
// until l is closed or the engine is drained.
func (e *Engine) Serve(l net.Listener, node string, port int) error {
	f := &front{engine: e, place: place{node, port}, socket: l, streams: map[*stream1]bool{}, queue: newQueue(l.Addr())}
	f.second = &http.Server{
		Handler: f, ReadHeaderTimeout: f.idle(), IdleTimeout: f.idle(), MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(e.Log.Handler(), slog.LevelDebug), ConnState: f.countSecond, ConnContext: f.remember,
		TLSConfig: &tls.Config{NextProtos: []string{"h2"}},
	}
	e.mu.Lock()
	if e.drained {
		e.mu.Unlock()
		return http.ErrServerClosed
	}
	e.fronts[f] = true
	e.mu.Unlock()
	go func() { _ = f.second.Serve(f.queue) }()
	err := f.accept()
	go f.fade()
	return err
}

// accept takes connections until the socket is closed. For want of files or memory one
// may have to wait.
func (f *front) accept() error {
	for {
		c, err := f.socket.Accept()
		switch {
		case err == nil:
			f.count(c, http.StateNew)
			go f.take(c)
		case passes(err):
			f.engine.Log.Warn("a connection cannot be taken yet", "err", err)
			<-time.After(acceptAgain)
		default:
			return err
		}
	}
}

// acceptAgain is after what time a socket is asked again that could not give a
// connection.
const acceptAgain = 5 * time.Millisecond

func passes(err error) bool {
	for _, n := range [...]syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, n) {
			return true
		}
	}
	return false
}

// take leads a connection to who speaks its version of HTTP, over TLS or not, as the
// listener says at the moment.
func (f *front) take(c net.Conn) {
	c = wire.NewSocket(c)
	if l := f.now(); l != nil && l.tls != nil {
		secure := tls.Server(&arrived{c, f.engine.Now()}, l.tls)
		ctx, cancel := context.WithTimeout(context.Background(), l.idle)
		err := secure.HandshakeContext(ctx)
		cancel()
		if err != nil {
			f.countFailed(l)
			conn := f.connected(secure)
			f.greet(&conn, err)
			secure.Close()
			f.count(c, http.StateClosed)
			return
		}
		if secure.ConnectionState().NegotiatedProtocol == "h2" {
			if !f.queue.add(secure) {
				secure.Close()
				f.count(c, http.StateClosed)
			}
			return
		}
		c = secure
	}
	s := f.newStream1(c)
	if f.enter(s) {
		s.run()
	} else {
		s.drop()
	}
}

// idle is how long a connection may wait for its next request.
func (f *front) idle() time.Duration {
	if l := f.now(); l != nil {
		return l.settings.idle
	}
	return time.Minute
}

func protocols(l *listener) []string {
	if l.balancer.Enabled(balancer.HTTP2) {
		return []string{"h2", "http/1.1"}
	}
	return []string{"http/1.1"}
}

// now is the listener as it is at the moment; nil when there is none.
func (f *front) now() *listener { return f.engine.world.Load().listeners[f.place] }

func (f *front) remember(ctx context.Context, c net.Conn) context.Context {
	conn := f.connected(c)
	f.greet(&conn, nil)
	return context.WithValue(ctx, connKey{}, &conn)
}

// countFailed counts a connection that should have come to be in TLS and did not.
func (f *front) countFailed(l *listener) {
	f.engine.counts.add(subject{l.balancer.ARN, "", l.zones[f.node]}, measure{"ClientTLSNegotiationErrorCount", 1})
}

// count follows how many connections there are.
func (f *front) count(_ net.Conn, state http.ConnState) {
	l := f.now()
	switch state {
	case http.StateNew:
		f.open.Add(1)
		if l != nil {
			f.engine.counts.add(subject{l.balancer.ARN, "", l.zones[f.node]}, measure{"NewConnectionCount", 1})
		}
	case http.StateClosed, http.StateHijacked:
		f.open.Add(-1)
	default:
		return
	}
	if l != nil {
		f.engine.counts.level(l.balancer.ARN, f.place, f.open.Load())
	}
}

// countSecond follows the connections of HTTP/2, which were counted when they came.
func (f *front) countSecond(c net.Conn, state http.ConnState) {
	if state != http.StateNew {
		f.count(c, state)
	}
}

// enter keeps a connection, unless all are to end.
func (f *front) enter(s *stream1) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.streams[s] = true
	return !f.retired
}

// forget is told of each connection once it is closed, or goes on in another protocol.
func (f *front) forget(s *stream1) {
	f.mu.Lock()
	delete(f.streams, s)
	f.mu.Unlock()
	f.count(s, http.StateClosed)
}
