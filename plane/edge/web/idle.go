package web

import (
	"bufio"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// upstream is a connection to a target, in HTTP/1.1.
type upstream struct {
	net.Conn
	reader *bufio.Reader
	writer *bufio.Writer
	used   bool // it has carried a request before
	node   string
	since  time.Time // when it became idle
}

const (
	bufferSize = 16 << 10
	// maxIdle bounds what is kept for one target.
	maxIdle = 256
	// idleLife is shorter than common servers keep idle connections: 60 s of many.
	idleLife = 50 * time.Second
)

// idle are the connections to a target that wait for a request, by the node they lead
// from; the last one used is taken first.
type idle struct {
	mu     sync.Mutex
	conns  []*upstream
	closed bool
}

// take gives a live connection from the node; nil when there is none.
func (i *idle) take(node string, now time.Time) *upstream {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n := len(i.conns) - 1; n >= 0; n-- {
		u := i.conns[n]
		if u.node != node {
			continue
		}
		i.conns = append(i.conns[:n], i.conns[n+1:]...)
		if now.Sub(u.since) < idleLife && u.live() {
			u.used = true
			return u
		}
		u.Close()
	}
	return nil
}

func (i *idle) put(u *upstream, now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed || len(i.conns) >= maxIdle {
		u.Close()
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
		u.Close()
	}
	i.conns = nil
}

// live tells whether nobody has ended the connection and nothing has come by it.
func (u *upstream) live() bool {
	if u.reader.Buffered() > 0 {
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
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		live = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err == nil && live
}

// borrow gives a buffer, which goes back to e.buffers.
func (e *Engine) borrow() *[]byte {
	if b, ok := e.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, bufferSize)
	return &b
}
