package health

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
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

// Failure is why a target did not pass, in the words of DescribeTargetHealth.
type Failure struct{ Reason, Detail string }

func timedOut() *Failure { return &Failure{"Target.Timeout", "Request timed out"} }

func failed() *Failure { return &Failure{"Target.FailedHealthChecks", "Health checks failed"} }

// probe asks a target once; nil when it passed.
func probe(ctx context.Context, t *Target) *Failure {
	check := t.Group.HealthCheck
	ctx, cancel := context.WithTimeout(ctx, max(time.Duration(check.Timeout)*time.Second, time.Second))
	defer cancel()
	at := address(t)
	var failure *Failure
	switch check.Protocol {
	case "HTTP", "HTTPS":
		failure = request(ctx, t, at)
	case "SSL", "TLS":
		failure = shake(ctx, t, at)
	default:
		failure = connect(ctx, t, at)
	}
	if failure != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return timedOut()
	}
	return failure
}

func address(t *Target) netip.AddrPort {
	if port, err := strconv.ParseUint(t.Group.HealthCheck.Port, 10, 16); err == nil {
		return netip.AddrPortFrom(t.Address.Addr(), uint16(port))
	}
	return t.Address
}

func connect(ctx context.Context, t *Target, at netip.AddrPort) *Failure {
	c, err := t.Dial(ctx, at)
	if err != nil {
		return failed()
	}
	c.Close()
	return nil
}

// shake makes a TLS connection. Certificates of targets are not verified, as on AWS.
func shake(ctx context.Context, t *Target, at netip.AddrPort) *Failure {
	c, err := t.Dial(ctx, at)
	if err != nil {
		return failed()
	}
	defer c.Close()
	if tls.Client(c, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx) != nil {
		return failed()
	}
	return nil
}

func request(ctx context.Context, t *Target, at netip.AddrPort) *Failure {
	check := &t.Group.HealthCheck
	scheme, grpc := strings.ToLower(check.Protocol), t.Group.ProtocolVersion == "GRPC"
	method, body := http.MethodGet, io.Reader(nil)
	if grpc {
		method, body = http.MethodPost, strings.NewReader("\x00\x00\x00\x00\x00") // an empty message
	}
	r, err := http.NewRequestWithContext(ctx, method, scheme+"://"+at.String()+cmp.Or(check.Path, "/"), body)
	if err != nil {
		return failed()
	}
	r.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	if grpc {
		r.Header.Set("Content-Type", "application/grpc")
		r.Header.Set("TE", "trailers")
	}
	carrier, closeIdle := transport(t, at)
	defer closeIdle()
	answer, err := carrier.RoundTrip(r)
	if err != nil {
		return failed()
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20)) // trailers come after it
	if grpc {
		code := cmp.Or(answer.Trailer.Get("Grpc-Status"), answer.Header.Get("Grpc-Status"))
		return judge(code, "Health checks failed with these codes: [%s]", cmp.Or(check.Matcher, "12"))
	}
	return judge(strconv.Itoa(answer.StatusCode), "Health checks failed with these codes: [%s]", cmp.Or(check.Matcher, "200"))
}

func judge(code, words, matcher string) *Failure {
	if Matches(matcher, code) {
		return nil
	}
	return &Failure{"Target.ResponseCodeMismatch", fmt.Sprintf(words, code)}
}

// Matches tells whether a code is one that a matcher names: "200,202" or "200-299".
func Matches(matcher, code string) bool {
	n, err := strconv.Atoi(code)
	if err != nil {
		return false
	}
	for part := range strings.SplitSeq(matcher, ",") {
		first, last, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			last = first
		}
		low, err1 := strconv.Atoi(first)
		high, err2 := strconv.Atoi(last)
		if err1 == nil && err2 == nil && low <= n && n <= high {
			return true
		}
	}
	return false
}

// transport is made for one question, so that it finds out whether the target takes
// connections.
func transport(t *Target, at netip.AddrPort) (http.RoundTripper, func()) {
	dial := func(ctx context.Context) (net.Conn, error) { return t.Dial(ctx, at) }
	insecure := &tls.Config{InsecureSkipVerify: true} // of targets' certificates, as on AWS
	if v := t.Group.ProtocolVersion; v == "GRPC" || v == "HTTP2" {
		h := &http2.Transport{AllowHTTP: true, TLSClientConfig: insecure, DialTLSContext: func(ctx context.Context, _, _ string, c *tls.Config) (net.Conn, error) {
			conn, err := dial(ctx)
			if err != nil || t.Group.HealthCheck.Protocol == "HTTP" {
				return conn, err
			}
			return tls.Client(conn, c), nil
		}}
		return h, h.CloseIdleConnections
	}
	h := &http.Transport{
		DisableKeepAlives: true, DisableCompression: true, TLSClientConfig: insecure,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}
	return h, h.CloseIdleConnections
}
