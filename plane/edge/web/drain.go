package web

import (
	"context"
	"net"
	"sync"
	"time"
)

// fade forgets the front once its last request has been answered: its socket is closed.
func (f *front) fade() {
	f.settle(context.Background())
	f.retire()
	_ = f.second.Shutdown(context.Background()) // it waits; Drain ends it sooner
	f.empty(context.Background())
	f.engine.mu.Lock()
	defer f.engine.mu.Unlock()
	delete(f.engine.fronts, f)
}

// drain waits for requests and for connections in another protocol, until ctx ends.
func (f *front) drain(ctx context.Context) {
	f.settle(ctx)
	f.retire()
	if err := f.second.Shutdown(ctx); err != nil {
		f.second.Close()
	}
	if !f.empty(ctx) {
		for _, s := range f.all() {
			s.Close()
		}
	}
	f.upgraded.wait(ctx)
}

// settling is how long clients that keep a connection have to send one more request on
// it, which is answered as the last.
const settling = 10 * time.Second

// settle takes no new connections and lets each one end with its next answer, for a
// while: what ends a connection at once may drop a request that has just come. Of the
// time that ctx leaves it takes at most a quarter.
func (f *front) settle(ctx context.Context) {
	f.closing.Store(true)
	f.socket.Close()
	patience := settling
	if until, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(until)/4)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f.empty(ctx)
}

// empty waits until there is no connection; false when ctx ends before.
func (f *front) empty(ctx context.Context) bool {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for f.open.Load() > 0 {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
	return true
}

// retire ends each connection of HTTP/1 with the request at hand.
func (f *front) retire() {
	f.mu.Lock()
	f.retired = true
	f.mu.Unlock()
	for _, s := range f.all() {
		s.retire()
	}
}

func (f *front) all() (streams []*stream1) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.streams {
		streams = append(streams, s)
	}
	return streams
}

// queue gives net/http the connections that speak HTTP/2, as if it had taken them.
type queue struct {
	at     net.Addr
	next   chan net.Conn
	closed chan struct{}
	close  func()
}

func newQueue(at net.Addr) *queue {
	q := &queue{at: at, next: make(chan net.Conn), closed: make(chan struct{})}
	q.close = sync.OnceFunc(func() { close(q.closed) })
	return q
}

// add gives a connection; false when no more are taken.
func (q *queue) add(c net.Conn) bool {
	select {
	case q.next <- c:
		return true
	case <-q.closed:
		return false
	}
}

// Accept implements net.Listener.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.next:
		return c, nil
	case <-q.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (q *queue) Close() error {
	q.close()
	return nil
}

// Addr implements net.Listener.
func (q *queue) Addr() net.Addr { return q.at }
