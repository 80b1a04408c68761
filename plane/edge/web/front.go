package web

import (
	"context"
	"crypto/tls"
	"errors"
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
	upgraded upgraded
	open     atomic.Int64 // connections, of HTTP/2 as well
	closing  atomic.Bool  // the socket is closed

	mu      sync.Mutex
	streams map[carried]bool
	retired bool // connections end with the request at hand
}

// Serve takes requests at a port of a node, for the listener that has it at the moment,
// until l is closed or the engine is drained.
func (e *Engine) Serve(l net.Listener, node string, port int) error {
	f := &front{engine: e, place: place{node, port}, socket: l, streams: map[carried]bool{}}
	e.mu.Lock()
	if e.drained {
		e.mu.Unlock()
		return http.ErrServerClosed
	}
	e.fronts[f] = true
	e.mu.Unlock()
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
			f.opened()
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
			f.closed()
			return
		}
		if secure.ConnectionState().NegotiatedProtocol == "h2" {
			f.carry(f.newConnection2(secure))
			return
		}
		c = secure
	}
	f.carry(f.newStream1(c))
}

// carried is a client's connection.
type carried interface {
	run()    // until it ends
	retire() // takes no other request
	drop()   // closes it, before run or after
	Close() error
}

func (f *front) carry(c carried) {
	if f.enter(c) {
		c.run()
	} else {
		c.drop()
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

// countFailed counts a connection that should have come to be in TLS and did not.
func (f *front) countFailed(l *listener) {
	f.engine.counts.add(subject{l.balancer.ARN, "", l.zones[f.node]}, measure{"ClientTLSNegotiationErrorCount", 1})
}

// opened and closed follow how many connections there are.
func (f *front) opened() {
	if l := f.now(); l != nil {
		f.engine.counts.add(subject{l.balancer.ARN, "", l.zones[f.node]}, measure{"NewConnectionCount", 1})
	}
	f.count(1)
}

func (f *front) closed() { f.count(-1) }

func (f *front) count(by int64) {
	now := f.open.Add(by)
	if l := f.now(); l != nil {
		f.engine.counts.level(l.balancer.ARN, f.place, now)
	}
}

// enter keeps a connection, unless all are to end.
func (f *front) enter(c carried) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.streams[c] = true
	return !f.retired
}

// forget is told of each connection once it is closed, or goes on in another protocol.
func (f *front) forget(c carried) {
	f.mu.Lock()
	delete(f.streams, c)
	f.mu.Unlock()
	f.closed()
}
