package web

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

// overHTTP2 has a target answer over HTTP/2, gRPC included: one connection of the node
// carries many requests.
func (x *exchange) overHTTP2(p *pool, t *target, out *head, stuck func(http.Header, *http.Response)) error {
	path, query, _ := strings.Cut(out.target, "?")
	scheme := strings.ToLower(p.Group.Protocol)
	r := (&http.Request{
		Method: x.r.Method, URL: &url.URL{Scheme: scheme, Host: t.current.Load().Address.String(), Opaque: "", Path: path, RawQuery: query},
		Header: out.header, Host: out.host, Body: x.r.Body, ContentLength: x.r.ContentLength, Trailer: x.r.Trailer,
	}).WithContext(x.r.Context())
	if unescaped, err := url.PathUnescape(path); err == nil {
		r.URL.Path, r.URL.RawPath = unescaped, path
	}
	if x.r.ContentLength == 0 {
		r.Body = nil
	}
	ctx, cancel := context.WithCancel(x.r.Context())
	defer cancel()
	idle := time.AfterFunc(x.idleTimeout(), cancel)
	defer idle.Stop()
	x.body.moved = func() { idle.Reset(x.idleTimeout()) }
	asked := time.Now()
	answer, err := x.carrier(p, t).RoundTrip(r.WithContext(ctx))
	if err != nil {
		switch {
		case x.body.err != nil:
			return ofClient(x.body.err)
		case ctx.Err() != nil && x.r.Context().Err() == nil:
			return context.DeadlineExceeded
		}
		return err
	}
	x.to.waited, x.to.status = time.Since(asked), answer.StatusCode
	return x.answerHTTP2(answer, stuck, func() { idle.Reset(x.idleTimeout()) })
}

// answerHTTP2 passes on what comes at once: an answer of HTTP/2 is a stream.
func (x *exchange) answerHTTP2(a *http.Response, stuck func(http.Header, *http.Response), alive func()) error {
	bare := a.ContentLength == 0 // gRPC tells an answer that is only a head from one with an empty body
	if a.Header.Get("Content-Type") == "" || a.ContentLength < 0 || strings.HasPrefix(a.Header.Get("Content-Type"), "application/grpc") {
		a.ContentLength = -1
	}
	defer a.Body.Close()
	x.head(a, stuck)
	x.w.WriteHeader(a.StatusCode)
	if bare {
		return nil
	}
	if err := x.stream(a, alive); err != nil {
		return err
	}
	x.trailers(a)
	return nil
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
