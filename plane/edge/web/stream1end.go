package web

import (
	"crypto/tls"
	"io"
	"net"
	"time"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// enter begins a request, unless the connection is to end.
func (c *stream1) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.busy = true
	c.lookOut()
	return true
}

// leave ends the request at hand and tells whether another may follow.
func (c *stream1) leave() (more bool) {
	c.mu.Lock()
	c.busy, c.begun = false, false
	more = c.keep && c.said && !c.over && !c.away && !c.deafened && !c.hijacked
	silent := c.aborted || c.hijacked || c.away
	c.mu.Unlock()
	read := c.x.ended.Load()
	c.now, c.x, c.said = c.x.now, nil, false
	if !read && !silent {
		c.linger()
	}
	return more && read
}

// ending tells whether no other request is taken.
func (c *stream1) ending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over
}

// retire takes no other request; a client that asks nothing is left at once.
func (c *stream1) retire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if !c.busy {
		_ = c.SetReadDeadline(past)
	}
}

// drop closes the connection for good.
func (c *stream1) drop() {
	c.mu.Lock()
	hijacked := c.hijacked
	c.over, c.busy = true, false
	if c.cancel != nil {
		c.cancel()
	}
	c.mu.Unlock()
	c.source.Drop()
	c.sink.Drop()
	if !hijacked {
		c.Close()
		c.front.forget(c)
	}
}

// abort implements client.
func (c *stream1) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aborted = true
	if t := tcp(c.Conn); t != nil {
		_ = t.SetLinger(0) // a reset tells that it was not the end
	}
}

// lingering is how long a client may take to hear an answer before its connection ends,
// although it still sends: a reset would have it lose the answer.
const lingering = 500 * time.Millisecond

// linger lets the client hear the answer to its end.
func (c *stream1) linger() {
	if c.sink.Flush() != nil {
		return
	}
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
	t := tcp(c.Conn)
	if t == nil || t.SetReadDeadline(time.Now().Add(lingering)) != nil {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(t, 16*wire.BufferSize))
}

// tcp is what is below a connection; nil for something else.
func tcp(c net.Conn) *net.TCPConn {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if a, ok := c.(*arrived); ok {
		c = a.Conn
	}
	if s, ok := c.(*wire.Socket); ok {
		return s.TCPConn
	}
	t, _ := c.(*net.TCPConn)
	return t
}

// hijack implements client.
func (c *stream1) hijack() (net.Conn, io.Reader) {
	c.mu.Lock()
	c.hijacked = true
	c.mu.Unlock()
	c.front.forget(c)
	return c.Conn, c.source
}
