package connect

import (
	"net"
	"sync"
)

// queue is a listener whose connections were accepted elsewhere.
type queue struct {
	mu     sync.Mutex
	some   *sync.Cond
	waits  []net.Conn
	closed bool
}

func newQueue() *queue {
	q := &queue{}
	q.some = sync.NewCond(&q.mu)
	return q
}

// put adds a connection; a queue that is closed closes it.
func (q *queue) put(c net.Conn) {
	if !q.add(c) {
		c.Close()
	}
}

func (q *queue) add(c net.Conn) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.waits = append(q.waits, c)
	q.some.Signal()
	return true
}

// Accept implements net.Listener.
func (q *queue) Accept() (net.Conn, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waits) == 0 && !q.closed {
		q.some.Wait()
	}
	if q.closed {
		return nil, net.ErrClosed
	}
	c := q.waits[0]
	q.waits = q.waits[1:]
	return c, nil
}

// Close implements net.Listener. It closes what nobody has accepted.
func (q *queue) Close() error {
	q.mu.Lock()
	left := q.waits
	q.waits, q.closed = nil, true
	q.some.Broadcast()
	q.mu.Unlock()
	for _, c := range left {
		c.Close()
	}
	return nil
}

// Addr implements net.Listener.
func (q *queue) Addr() net.Addr { return &net.TCPAddr{} }
