package web

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// stream2 is a client's request over HTTP/2, which net/http reads and writes.
type stream2 struct {
	engine  *Engine
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	body    io.ReadCloser
	lent    *[]byte // what parts are read to; nil before the first
	idle    time.Duration
	uncut   func() bool

	mu    sync.Mutex
	asked bool // the client was asked for its body
	over  bool // nothing of net/http's may be called any more
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	world := f.engine.world.Load()
	l := world.listeners[f.place]
	if l == nil { // it was removed while this connection lived
		http.Error(w, "", http.StatusServiceUnavailable)
		return
	}
	s := &stream2{engine: f.engine, w: w, r: r, control: http.NewResponseController(w), idle: l.idle, body: r.Body, uncut: func() bool { return true }}
	r.Body = s
	defer s.giveBack()
	conn, _ := r.Context().Value(connKey{}).(*connection)
	x := &exchange{}
	readHTTP2(&x.asked, r)
	x.serve(f, world, l, conn, s)
}

type connKey struct{}

// readHTTP2 makes a request of net/http's one of ours.
func readHTTP2(to *wire.Request, r *http.Request) {
	*to = wire.Request{
		Method: r.Method, Target: r.RequestURI, Proto: r.Proto, Major: r.ProtoMajor, Minor: r.ProtoMinor,
		Host: r.Host, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Length: r.ContentLength,
		Fields: to.Fields,
	}
	if p := r.RequestURI; p != "" && p[0] == '/' {
		to.Path = p[:len(p)-len(queryOf(p))]
	}
	for name, values := range r.Header {
		if name == "Content-Length" || name == "Transfer-Encoding" {
			continue // the stream frames the body
		}
		for _, v := range values {
			to.Fields.Add(name, v)
		}
	}
	if r.ContentLength > 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		to.Odd = "UndefinedContentLengthSemantics"
	}
}

func queryOf(target string) string {
	for n := range len(target) {
		if target[n] == '?' {
			return target[n:]
		}
	}
	return ""
}

// Read reads the body. Who forwards it over HTTP/2 may call it when all is over.
func (s *stream2) Read(p []byte) (int, error) {
	if !s.listen() {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := s.body.Read(p)
	if err == io.EOF {
		s.listened()
	}
	return n, err
}

// Close implements io.Closer.
func (s *stream2) Close() error { return s.body.Close() }

// listen gives the client as long as it may idle for its next bytes; false when the
// request is over.
func (s *stream2) listen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	if !s.asked {
		s.asked = true
		s.speak() // the client may wait to be told to continue
	}
	_ = s.control.SetReadDeadline(time.Now().Add(s.idle))
	return true
}

// listened leaves no deadline: the answer may take longer.
func (s *stream2) listened() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		_ = s.control.SetReadDeadline(time.Time{})
	}
}

func (s *stream2) part(pause func() error) ([]byte, error) {
	if s.lent == nil {
		s.lent = s.engine.buffers.Take()
	}
	if err := pause(); err != nil {
		return nil, err
	}
	n, err := s.Read(*s.lent)
	if n > 0 {
		return (*s.lent)[:n], nil // an error comes again
	}
	return nil, err
}

func (s *stream2) whole() ([]byte, bool) { return nil, false }

func (s *stream2) trailer() wire.Fields { return fieldsOf(s.r.Trailer) }

func (s *stream2) begin(status int, _ string, h wire.Fields, length int64) error {
	to := s.w.Header()
	for n := range h {
		to.Add(h[n].Name, h[n].Value)
	}
	if length >= 0 && status != http.StatusNoContent && status != http.StatusNotModified {
		to.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	s.speak()
	s.w.WriteHeader(status)
	return nil
}

func (s *stream2) write(part []byte) error {
	s.speak()
	_, err := s.w.Write(part)
	return err
}

func (s *stream2) flush() error { return s.control.Flush() }

func (s *stream2) end(trailer wire.Fields) error {
	h := s.w.Header()
	for n := range trailer {
		h.Add(http.TrailerPrefix+trailer[n].Name, trailer[n].Value)
	}
	return nil
}

func (s *stream2) abort() { panic(http.ErrAbortHandler) }

// speak gives the client as long as it may idle to take what is written next.
func (s *stream2) speak() { _ = s.control.SetWriteDeadline(time.Now().Add(s.idle)) }

func (s *stream2) deaf() { _ = s.control.SetReadDeadline(time.Unix(1, 0)) }

func (s *stream2) context() context.Context { return s.r.Context() }

func (s *stream2) gone() bool { return s.r.Context().Err() != nil }

func (s *stream2) watch(u *upstream) {
	s.uncut()
	if u != nil {
		s.uncut = context.AfterFunc(s.r.Context(), u.cut)
	}
}

func (s *stream2) request() (*http.Request, error) { return s.r, nil }

func (s *stream2) hijack() (net.Conn, io.Reader) { return nil, nil }

func (s *stream2) giveBack() {
	s.uncut()
	if s.lent != nil {
		s.engine.buffers.Give(s.lent)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
}

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
