// Package stream serves HTTP/2 connections, strictly by RFC 9113: frames, streams, flow
// control, and what a client may not do. What a request means is not its matter.
//
// One goroutine reads a connection. Each request has one of its own, which writes its
// answer itself; what several have to say goes out in one write.
package stream

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/net/http2"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// ErrGone says that the client took its request back, or that its connection ended.
var ErrGone = errors.New("the client is gone")

// errReset says that we ended the stream.
var errReset = errors.New("the stream was reset")

// Stream is one request and its answer. Its methods are for the goroutine that serves it,
// but for Deaf, Context and Gone, which are for any.
type Stream struct {
	Request wire.Request
	// Fault is why the request is to be refused; nil for none.
	Fault *wire.Fault

	conn    *Conn
	id      uint32
	began   time.Time
	expects bool // to be told to continue before it sends its body
	begun   bool // the answer
	status  int  // of the head that is not sent yet; 0 for none
	fields  wire.Fields
	spare   []byte

	// What follows is conn.mu's.
	in       []byte // what came of the body and was not taken
	owed     int    // what was taken, and the client was not told that it may send again
	room     int64  // what the client may still send
	declared int64  // what must still come by its Content-Length; -1 unknown
	ended    bool   // by the client: nothing more comes
	said     bool   // the whole answer was
	deaf     bool
	window   int64 // what the client takes, the connection's window aside
	trailer  wire.Fields
	err      error // why it is over
	changed  chan struct{}
	cancel   context.CancelFunc
	ctx      context.Context
	onGone   func()
}

// Part is the next part of the body, which holds until the next call; io.EOF at its end.
// pause is called before it waits for more; nil for nothing.
func (s *Stream) Part(pause func() error) ([]byte, error) {
	if s.expects && !s.begun {
		s.expects = false // RFC 9110, 10.1.1
		if err := s.conn.sendContinue(s.id); err != nil {
			return nil, err
		}
	}
	c := s.conn
	c.mu.Lock()
	for {
		switch {
		case s.deaf:
			c.mu.Unlock()
			return nil, os.ErrDeadlineExceeded
		case len(s.in) > 0:
			part := s.in
			s.in, s.spare = s.spare[:0], part
			own, whole := s.give(len(part))
			c.mu.Unlock()
			return part, c.sendWindows(s.id, own, whole)
		case s.ended:
			c.mu.Unlock()
			return nil, io.EOF
		case s.err != nil:
			c.mu.Unlock()
			return nil, s.err
		}
		if err := s.wait(pause); err != nil {
			return nil, err
		}
	}
}

// wait waits for a change, with conn.mu, which it lets go of meanwhile; with an error it
// comes back without it.
func (s *Stream) wait(pause func() error) error {
	c := s.conn
	c.mu.Unlock()
	if pause != nil {
		if err := pause(); err != nil {
			return err
		}
	}
	late := time.NewTimer(c.Patience)
	defer late.Stop()
	select {
	case <-s.changed:
	case <-late.C:
		return os.ErrDeadlineExceeded
	}
	c.mu.Lock()
	return nil
}

// wake tells who waits of a change, with conn.mu.
func (s *Stream) wake() {
	select {
	case s.changed <- struct{}{}:
	default: // it was told, and has not looked yet
	}
}

// Whole is the rest of the body if all of it has come.
func (s *Stream) Whole() ([]byte, bool) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if !s.ended || s.deaf {
		return nil, false
	}
	part := s.in
	s.in, s.spare = nil, part
	s.conn.owed += len(part)
	return part, true
}

// Trailer is what came behind the body, once it has ended.
func (s *Stream) Trailer() wire.Fields {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.trailer
}

// Deaf takes no more of the body: who waits for it waits no longer.
func (s *Stream) Deaf() {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.deaf = true
	s.wake()
}

// Gone tells whether the client went away.
func (s *Stream) Gone() bool {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.err != nil
}

// Context ends when the client goes away, or the request has been served.
func (s *Stream) Context() context.Context {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.ctx == nil {
		s.ctx, s.cancel = context.WithCancel(context.Background())
		if s.err != nil {
			s.cancel()
		}
	}
	return s.ctx
}

// OnGone has cut called when the client goes away, in place of what was to be called; nil
// for nothing.
func (s *Stream) OnGone(cut func()) {
	s.conn.mu.Lock()
	s.onGone = cut
	gone := s.err != nil
	s.conn.mu.Unlock()
	if gone && cut != nil {
		cut()
	}
}

// Begin says the head of the answer, which goes with what follows it. The fields hold until
// then.
func (s *Stream) Begin(status int, fields wire.Fields) {
	s.begun, s.status, s.fields = true, status, fields
}

// head sends the head, if it was not: the last frame of the answer where nothing follows.
func (s *Stream) head(last bool) (sent bool) {
	if s.status == 0 {
		return false
	}
	s.conn.sendHead(s.id, s.status, s.fields, last)
	s.status, s.fields = 0, nil
	return true
}

// Write sends a part of the answer's body as the client takes it.
func (s *Stream) Write(part []byte) error {
	s.head(false)
	for len(part) > 0 {
		n, err := s.take(len(part))
		if err != nil {
			return err
		}
		if err := s.conn.send(http2.FrameData, 0, s.id, part[:n]); err != nil {
			return err
		}
		part = part[n:]
	}
	return nil
}

// take waits until the client takes something of n bytes.
func (s *Stream) take(n int) (int, error) {
	c := s.conn
	c.mu.Lock()
	for {
		if s.err != nil {
			c.mu.Unlock()
			return 0, s.err
		}
		if free := min(int64(n), s.window, c.window, maxPayload); free > 0 {
			s.window -= free
			c.window -= free
			c.mu.Unlock()
			return int(free), nil
		}
		if err := s.wait(c.flush); err != nil {
			return 0, err
		}
	}
}

// Flush sends what was written.
func (s *Stream) Flush() error {
	s.head(false)
	return s.conn.flush()
}

// End ends the answer.
func (s *Stream) End(trailer wire.Fields) error {
	s.conn.mu.Lock()
	s.said = true
	s.conn.mu.Unlock()
	switch {
	case len(trailer) > 0:
		s.head(false)
		return s.conn.sendTrailer(s.id, trailer)
	case s.head(true):
		return s.conn.flush()
	}
	return s.conn.sendNow(http2.FrameData, http2.FlagDataEndStream, s.id, nil)
}

// Abort ends the stream so that nobody takes half an answer for a whole.
func (s *Stream) Abort() {
	if !s.Gone() {
		s.conn.reset(s, http2.ErrCodeInternal)
	}
}

// over ends the stream for whoever serves it, with conn.mu. What it returns is to be
// called without.
func (s *Stream) over(err error) (cut func()) {
	if s.err != nil {
		return nil
	}
	s.err = err
	s.wake()
	if s.cancel != nil {
		s.cancel()
	}
	cut, s.onGone = s.onGone, nil
	return cut
}
