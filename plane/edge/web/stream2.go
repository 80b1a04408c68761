package web

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/plane/edge/web/stream"
	"github.com/berthhq/berth/plane/edge/web/wire"
)

// connection2 is a client's connection over HTTP/2: many requests at once.
type connection2 struct {
	*front
	connection
	streams *stream.Conn
}

func (f *front) newConnection2(c net.Conn) *connection2 {
	out := &connection2{front: f, connection: f.connected(c)}
	f.greet(&out.connection, nil)
	idle := f.idle()
	out.streams = stream.New(c, stream.Options{Buffers: &f.engine.buffers, Workers: f.engine.workers, Idle: idle, Patience: idle, Serve: out.serve})
	return out
}

// run takes requests until the connection ends.
func (c *connection2) run() {
	c.streams.Serve()
	c.front.forget(c)
}

// retire takes no other requests.
func (c *connection2) retire() { c.streams.Drain() }

// drop closes the connection for good.
func (c *connection2) drop() {
	c.streams.Close()
	c.front.forget(c)
}

// serve answers a request.
func (c *connection2) serve(from *stream.Stream) {
	s := &stream2{Stream: from, conn: c}
	world := c.front.engine.world.Load()
	l := world.listeners[c.place]
	if l == nil { // it was removed while this connection lived
		from.Begin(http.StatusServiceUnavailable, nil)
		_ = from.End(nil)
		return
	}
	x := c.front.engine.exchange()
	defer func() {
		if !x.shared {
			c.front.engine.forget(x)
		}
	}()
	x.asked = from.Request
	s.asked = &x.asked
	if x.asked.Length > 0 && (x.asked.Method == http.MethodGet || x.asked.Method == http.MethodHead) {
		x.asked.Odd = "UndefinedContentLengthSemantics"
	}
	if c.front.engine.Now().Sub(c.began) > l.keepAlive {
		c.streams.Drain()
	}
	if from.Fault != nil {
		x.reject(c.front, world, l, &c.connection, s, from.Fault)
		return
	}
	x.serve(c.front, world, l, &c.connection, s)
}

// stream2 is a request over HTTP/2.
type stream2 struct {
	*stream.Stream
	conn  *connection2
	asked *wire.Request
	rest  []byte      // of a part that was read
	ends  http.Header // trailers that were announced; nil for none
}

var _ client = (*stream2)(nil)

func (s *stream2) part(pause func() error) ([]byte, error) { return s.Part(pause) }
func (s *stream2) trailer() wire.Fields                    { return s.Trailer() }
func (s *stream2) write(part []byte) error                 { return s.Write(part) }
func (s *stream2) flush() error                            { return s.Flush() }
func (s *stream2) end(trailer wire.Fields) error           { return s.End(trailer) }
func (s *stream2) abort()                                  { s.Abort() }
func (s *stream2) deaf()                                   { s.Deaf() }
func (s *stream2) context() context.Context                { return s.Context() }
func (s *stream2) gone() bool                              { return s.Gone() }
func (s *stream2) hijack() (net.Conn, io.Reader)           { return nil, nil }

func (s *stream2) whole() ([]byte, bool) {
	if s.asked.Length < 0 {
		return nil, false
	}
	return s.Whole()
}

func (s *stream2) watch(u *upstream) {
	if u == nil {
		s.OnGone(nil)
	} else {
		s.OnGone(u.cut)
	}
}

func (s *stream2) begin(status int, _ string, h wire.Fields, length int64) error {
	if length >= 0 && status != http.StatusNoContent && status != http.StatusNotModified {
		h.Add("content-length", strconv.FormatInt(length, 10))
	}
	if !h.Has("Date") {
		h.Add("date", time.Now().UTC().Format(http.TimeFormat))
	}
	s.Begin(status, h)
	return nil
}

func (s *stream2) request() (*http.Request, error) {
	r, err := requestOf(s.asked, &s.conn.connection, s.Context())
	if err != nil {
		return nil, err
	}
	for _, names := range s.asked.Fields.Values("Trailer") {
		for name := range strings.SplitSeq(names, ",") {
			if s.ends == nil {
				s.ends = http.Header{}
			}
			s.ends[http.CanonicalHeaderKey(strings.TrimSpace(name))] = nil
		}
	}
	r.Body, r.Trailer = s, s.ends
	return r, nil
}

// Read reads the body. Who forwards it over HTTP/2 may call it when all is over.
func (s *stream2) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		part, err := s.Part(nil)
		if err == io.EOF {
			s.finish()
		}
		if err != nil {
			return 0, err
		}
		s.rest = part
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// finish has the trailers that were announced.
func (s *stream2) finish() {
	for _, f := range s.Trailer() {
		if name := http.CanonicalHeaderKey(f.Name); s.ends != nil {
			if _, announced := s.ends[name]; announced {
				s.ends[name] = append(s.ends[name], f.Value)
			}
		}
	}
}

// Close implements io.Closer.
func (s *stream2) Close() error { return nil }

// fieldsOf are the fields of a header of net/http.
func fieldsOf(h http.Header) (fs wire.Fields) {
	for name, values := range h {
		for _, v := range values {
			fs.Add(name, v)
		}
	}
	return fs
}

// headerOf makes a header of net/http.
func headerOf(fs wire.Fields) http.Header {
	h := make(http.Header, len(fs))
	for n := range fs {
		h.Add(fs[n].Name, fs[n].Value)
	}
	return h
}
