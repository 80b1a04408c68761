package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/net/http2"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/ssl"
)

// fault is why a target is not well, as the API codes and words it.
type fault struct{ reason, detail string }

func failed() *fault { return &fault{"Target.FailedHealthChecks", "Health checks failed"} }

// check asks once; nil is well.
func check(ctx context.Context, w *Watched) *fault {
	hc := &w.Group.HealthCheck
	ctx, cancel := context.WithTimeout(ctx, seconds(hc.Timeout))
	defer cancel()
	at := w.Target.Address
	if port, err := strconv.ParseUint(hc.Port, 10, 16); err == nil && hc.Port != balancer.TrafficPort {
		at = netip.AddrPortFrom(at.Addr(), uint16(port))
	}
	switch hc.Protocol {
	case "HTTP", "HTTPS":
		return get(ctx, w, at)
	}
	c, err := w.Space.Dial(ctx, at)
	if err != nil {
		return faultOf(err)
	}
	defer c.Close()
	if hc.Protocol != "SSL" {
		return nil
	}
	if err := tls.Client(c, ssl.Back(nil)).HandshakeContext(ctx); err != nil {
		return faultOf(err)
	}
	return nil
}

func get(ctx context.Context, w *Watched, at netip.AddrPort) *fault {
	hc := &w.Group.HealthCheck
	grpc := w.Group.ProtocolVersion == "GRPC"
	r, err := question(ctx, w.Group, at, grpc)
	if err != nil {
		return failed()
	}
	transport, done := transportOf(w, at)
	defer done()
	answer, err := transport.RoundTrip(r) // redirects are answers
	if err != nil {
		return faultOf(err)
	}
	defer answer.Body.Close()
	code := answer.StatusCode
	if grpc {
		if code, err = statusOf(answer); err != nil {
			return faultOf(err)
		}
	}
	if !matches(hc.Matcher, code) {
		return &fault{"Target.ResponseCodeMismatch", fmt.Sprintf("Health checks failed with these codes: [%d]", code)}
	}
	return nil
}

// question is a GET, or the call of a gRPC method with an empty message.
func question(ctx context.Context, g *balancer.TargetGroup, at netip.AddrPort, grpc bool) (*http.Request, error) {
	hc := &g.HealthCheck
	method, body := http.MethodGet, io.Reader(nil)
	if grpc {
		method, body = http.MethodPost, strings.NewReader("\x00\x00\x00\x00\x00")
	}
	path := hc.Path
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.ToLower(hc.Protocol)+"://"+at.String()+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", asker(g))
	if grpc {
		r.Header.Set("Content-Type", "application/grpc")
		r.Header.Set("Te", "trailers")
	}
	return r, nil
}

// asker is how a balancer that asks calls itself.
func asker(g *balancer.TargetGroup) string {
	if g.ClassicARN != "" {
		return "ELB-HealthChecker/1.0"
	}
	return "ELB-HealthChecker/2.0"
}

// statusOf is a gRPC status: in the trailers, or in the head of an answer without body.
func statusOf(answer *http.Response) (int, error) {
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20)); err != nil {
		return 0, err
	}
	return strconv.Atoi(cmp.Or(answer.Trailer.Get("Grpc-Status"), answer.Header.Get("Grpc-Status")))
}

// transportOf is for one question, so that it finds out whether the target takes
// connections. Certificates are not checked, as on AWS.
func transportOf(w *Watched, at netip.AddrPort) (http.RoundTripper, func()) {
	insecure := ssl.Back(nil)
	if v := w.Group.ProtocolVersion; v == "GRPC" || v == "HTTP2" {
		h2 := &http2.Transport{AllowHTTP: true, TLSClientConfig: insecure, DialTLSContext: func(ctx context.Context, _, _ string, c *tls.Config) (net.Conn, error) {
			conn, err := w.Space.Dial(ctx, at)
			if err != nil || w.Group.HealthCheck.Protocol == "HTTP" {
				return conn, err
			}
			return tls.Client(conn, c), nil
		}}
		return h2, h2.CloseIdleConnections
	}
	h1 := &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: insecure,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return w.Space.Dial(ctx, at) },
	}
	return h1, h1.CloseIdleConnections
}

func faultOf(err error) *fault {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return &fault{"Target.Timeout", "Request timed out"}
	}
	return failed()
}

// matches tells whether a code is one of "200,202-299"; of nothing said, 200 to 399 are.
func matches(matcher string, code int) bool {
	if matcher == "" {
		matcher = "200-399"
	}
	for part := range strings.SplitSeq(matcher, ",") {
		first, last, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			last = first
		}
		a, errA := strconv.Atoi(first)
		b, errB := strconv.Atoi(last)
		if errA == nil && errB == nil && a <= code && code <= b {
			return true
		}
	}
	return false
}
