package web

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// overHTTP2 has a target answer over HTTP/2, gRPC included: one connection of the node
// carries many requests.
func (x *exchange) overHTTP2(p *pool, t *target, stuck stay) error {
	path, query, _ := strings.Cut(x.out.target, "?")
	scheme := strings.ToLower(p.Group.Protocol)
	ctx, cancel := context.WithCancel(x.client.context())
	defer cancel()
	idle := time.AfterFunc(x.l.idle, cancel)
	defer idle.Stop()
	said, err := x.client.request()
	if err != nil {
		return err
	}
	body := &told{ReadCloser: said.Body, x: x, moved: func() { idle.Reset(x.l.idle) }}
	r := (&http.Request{
		Method: x.asked.Method, URL: &url.URL{Scheme: scheme, Host: t.address, Path: path, RawQuery: query},
		Header: headerOf(x.out.fields), Host: x.out.host, Body: body, ContentLength: x.asked.Length, Trailer: said.Trailer,
	}).WithContext(ctx)
	if unescaped, err := url.PathUnescape(path); err == nil {
		r.URL.Path, r.URL.RawPath = unescaped, path
	}
	if x.asked.Length == 0 {
		r.Body = nil
	}
	asked := time.Now()
	answer, err := x.carrier(p, t).RoundTrip(r)
	if err != nil {
		switch {
		case body.failed() != nil:
			return ofClient(body.failed())
		case ctx.Err() != nil && !x.client.gone():
			return context.DeadlineExceeded
		}
		return err
	}
	x.to.waited, x.to.status = time.Since(asked), answer.StatusCode
	return x.answerHTTP2(answer, stuck, func() { idle.Reset(x.l.idle) })
}

// told is a request's body as net/http reads it.
type told struct {
	io.ReadCloser
	x     *exchange
	moved func() // is told of each part

	mu  sync.Mutex
	err error // the client's, when reading failed; nil at its end
}

func (b *told) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.x.got.Add(int64(n))
	if n > 0 {
		b.moved()
	}
	switch {
	case err == io.EOF:
		b.x.ended.Store(true)
	case err != nil:
		b.mu.Lock()
		defer b.mu.Unlock()
		b.err = err
	}
	return n, err
}

// failed is why reading failed; nil when it did not.
func (b *told) failed() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// answerHTTP2 passes on what comes at once: an answer of HTTP/2 is a stream.
func (x *exchange) answerHTTP2(a *http.Response, stuck stay, alive func()) error {
	defer a.Body.Close()
	length := a.ContentLength
	if kind := a.Header.Get("Content-Type"); kind == "" || begins(kind, "application/grpc") {
		length = -1
	}
	a.Header.Del("Content-Length")
	x.heard(fieldsOf(a.Header), stuck)
	began := time.Now()
	defer func() { x.to.answered = time.Since(began) }()
	if err := x.begin(a.StatusCode, "", length); err != nil {
		return err
	}
	if a.ContentLength == 0 { // gRPC tells an answer that is only a head from one with an empty body
		return nil
	}
	lent := x.engine.buffers.Take()
	defer x.engine.buffers.Give(lent)
	err := x.stream(func() ([]byte, error) {
		if length < 0 { // it may be waited for: what there is goes on
			if err := x.client.flush(); err != nil {
				return nil, ofClientWriting(err)
			}
		}
		n, err := a.Body.Read(*lent)
		alive()
		return (*lent)[:n], err
	})
	if err != nil {
		return err
	}
	return ofClientWriting(x.client.end(fieldsOf(a.Trailer)))
}

// carrier is the target's HTTP/2 client of this node.
func (x *exchange) carrier(p *pool, t *target) http.RoundTripper {
	if have, ok := t.h2.Load(x.node); ok {
		return have.(http.RoundTripper)
	}
	node, engine, secure := x.node, x.engine, p.Group.Protocol == "HTTPS"
	c := &http2.Transport{
		AllowHTTP: true, DisableCompression: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // of targets, as on AWS
		ReadIdleTimeout: pingAfter, PingTimeout: pingPatience, IdleConnTimeout: idleLife,
		DialTLSContext: func(ctx context.Context, _, _ string, c *tls.Config) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connectPatience)
			defer cancel()
			conn, err := engine.Dial(ctx, node, t.current.Load().Address)
			if err != nil {
				return nil, &refusedError{err}
			}
			if !secure {
				return conn, nil
			}
			s := tls.Client(conn, c)
			if err := s.HandshakeContext(ctx); err != nil {
				return nil, errors.Join(&refusedError{err}, conn.Close())
			}
			return s, nil
		},
	}
	have, _ := t.h2.LoadOrStore(x.node, http.RoundTripper(c))
	return have.(http.RoundTripper)
}

// A connection that carries nothing for so long is asked whether it still lives.
const (
	pingAfter    = 15 * time.Second
	pingPatience = 5 * time.Second
)
