package web

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// stream1 is a client's connection over HTTP/1: one request after the other.
//
// While requests come it has a goroutine whose stack is large and a buffer; once it has
// been quiet for a moment, it waits in a goroutine of its own with neither.
type stream1 struct {
	*front
	connection
	source  *wire.Source
	sink    *wire.Sink
	reading deadline
	writing deadline
	first   [1]byte // of a request that ends the rest

	x       *exchange // of the request at hand
	body    wire.Body // its body
	posted  bool      // the request before it was a POST
	chunked bool      // its answer is
	keep    bool      // the connection goes on after it
	said    bool      // its answer was, to the end
	now     time.Time // at the end of the request before

	mu        sync.Mutex
	busy      bool // a request is at hand
	over      bool // no other one is taken
	begun     bool // an answer is
	continues bool // the client waits to be told to go on with its body
	deafened  bool // nothing more of it is read
	away      bool // the client has gone away
	aborted   bool // the answer has no end
	hijacked  bool
	looking   bool // look will be called
	watched   *upstream
	timer     *time.Timer // of look; nil before the first
	ctx       context.Context
	cancel    context.CancelFunc
}

func (f *front) newStream1(c net.Conn) *stream1 {
	s := &stream1{front: f, connection: f.connected(c), source: wire.NewSource(c, &f.engine.buffers), sink: wire.NewSink(c, &f.engine.buffers)}
	f.greet(&s.connection, nil)
	return s
}

// quiet is how long a connection is ready for the next request at once, at the least and
// at the most.
const (
	quiet     = 20 * time.Millisecond
	mostQuiet = 3 * quiet
)

// run takes requests until the connection ends, or rests.
func (c *stream1) run() {
	for now := time.Now(); ; now = c.now {
		err := c.await(now)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && !c.ending():
			c.source.Rest()
			go c.rest()
			return
		case err != nil || !c.take():
			c.drop()
			return
		}
	}
}

// await waits for the first bytes of a request.
func (c *stream1) await(now time.Time) error {
	for {
		if c.posted { // clients of old say one line end too many (RFC 9112, 2.2)
			for b := c.source.Buffered(); len(b) > 0 && (b[0] == '\r' || b[0] == '\n'); b = b[1:] {
				c.source.Take(1)
			}
		}
		if len(c.source.Buffered()) > 0 {
			return nil
		}
		if err := c.reading.between(now, quiet, mostQuiet, c.SetReadDeadline); err != nil {
			return err
		}
		if c.ending() { // what ends connections may have come before the deadline
			return net.ErrClosed
		}
		if err := c.source.Fill(); err != nil {
			return err
		}
	}
}

// rest waits without a buffer.
func (c *stream1) rest() {
	c.lookAway()
	c.reading.forget()
	_ = c.SetReadDeadline(time.Now().Add(c.front.idle()))
	if c.ending() {
		c.drop()
		return
	}
	if n, err := c.Read(c.first[:]); err != nil || n == 0 {
		c.drop()
		return
	}
	c.wake()
}

// wake goes on; it is no part of rest, whose stack is small.
//
//go:noinline
func (c *stream1) wake() {
	c.source.Begin(c.first[0])
	c.run()
}

// take takes a request and tells whether another may follow.
func (c *stream1) take() (more bool) {
	if !c.enter() {
		return false
	}
	world := c.front.engine.world.Load()
	l := world.listeners[c.place]
	x := c.front.engine.exchange()
	defer c.front.engine.forget(x)
	c.x = x
	err := x.asked.Read(c.source, c.patience())
	switch {
	case l == nil: // it was removed while this connection lived
		_, _ = io.WriteString(c, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		return false
	case err != nil:
		c.refuse(world, l, err)
		return false
	}
	c.body.Of(&x.asked, c.source)
	c.continues = x.asked.Minor == 1 && x.asked.Length != 0 && x.asked.Fields.Names("Expect", "100-continue")
	x.serve(c.front, world, l, &c.connection, c)
	c.posted = x.asked.Method == "POST"
	return c.leave()
}

// patience has the whole head come within the time that a client may idle.
func (c *stream1) patience() func() error {
	waits := false
	return func() error {
		if waits {
			return nil
		}
		waits = true
		c.reading.forget()
		return c.SetReadDeadline(time.Now().Add(c.front.idle()))
	}
}

// refuse answers what is no request.
func (c *stream1) refuse(w *world, l *listener, err error) {
	if c.x.reject(c.front, w, l, &c.connection, c, err) {
		c.linger()
	}
}
