package web

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// upstream is a connection to a target, in HTTP/1.1.
type upstream struct {
	net.Conn
	source   *wire.Source
	sink     *wire.Sink
	deadline deadline
	used     bool // it has carried a request before
	node     string
	since    time.Time // when it became idle
}

func (e *Engine) newUpstream(c net.Conn, node string) *upstream {
	c = wire.NewSocket(c)
	return &upstream{Conn: c, source: wire.NewSource(c, &e.buffers), sink: wire.NewSink(c, &e.buffers), node: node}
}

// alive gives the connection d from now to say or take something.
func (u *upstream) alive(now time.Time, d time.Duration) { _ = u.deadline.allow(now, d, u.SetDeadline) }

// cut ends what waits for the connection.
func (u *upstream) cut() { _ = u.SetDeadline(past) }

// end closes the connection for good.
func (u *upstream) end() {
	u.Close()
	u.source.Drop()
	u.sink.Drop()
}

const (
	// maxIdle bounds what is kept for one target.
	maxIdle = 256
	// idleLife is shorter than common servers keep idle connections: 60 s of many.
	idleLife = 50 * time.Second
	// moment is shorter than any server waits before it ends an idle connection.
	moment = 2 * time.Millisecond
)

// idle are the connections to a target that wait for a request, by the node they lead
// from; the last one used is taken first.
type idle struct {
	mu     sync.Mutex
	conns  []*upstream
	closed bool
}

// take gives a live connection from the node; nil when there is none. Where a request may
// be told twice, a connection that was used a moment ago is taken for live.
func (i *idle) take(node string, now time.Time, twice bool) *upstream {
	for {
		u := i.last(node)
		if u == nil {
			return nil
		}
		age := now.Sub(u.since)
		if twice && age < moment || age < idleLife && u.live() {
			u.used = true
			return u
		}
		u.end()
	}
}

func (i *idle) last(node string) *upstream {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n := len(i.conns) - 1; n >= 0; n-- {
		if u := i.conns[n]; u.node == node {
			copy(i.conns[n:], i.conns[n+1:])
			i.conns[len(i.conns)-1] = nil
			i.conns = i.conns[:len(i.conns)-1]
			return u
		}
	}
	return nil
}

func (i *idle) put(u *upstream, now time.Time) {
	u.source.Rest()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed || len(i.conns) >= maxIdle {
		u.end()
		return
	}
	u.since = now
	i.conns = append(i.conns, u)
}

func (i *idle) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	for _, u := range i.conns {
		u.end()
	}
	i.conns = nil
}

// live tells whether nobody has ended the connection and nothing has come by it.
func (u *upstream) live() bool {
	if len(u.source.Buffered()) > 0 {
		return false
	}
	c, ok := u.Conn.(syscall.Conn)
	if !ok {
		return true // TLS: a write will tell
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	live := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		live = errors.Is(err, syscall.EAGAIN)
	})
	return err == nil && live
}
