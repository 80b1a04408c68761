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

func (q *queue) put(c net.Conn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		c.Close()
		return
	}
	q.waits = append(q.waits, c)
	q.some.Signal()
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

// Close implements net.Listener.
func (q *queue) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range q.waits {
		c.Close()
	}
	q.waits, q.closed = nil, true
	q.some.Broadcast()
	return nil
}

// Addr implements net.Listener.
func (q *queue) Addr() net.Addr { return &net.TCPAddr{} }
