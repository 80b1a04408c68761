package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/balancer"
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
	c, err := dial(ctx, w, at)
	if err != nil {
		return faultOf(err)
	}
	c.Close()
	return nil
}

func dial(ctx context.Context, w *Watched, at netip.AddrPort) (c net.Conn, err error) {
	err = w.Space.Do(func() error {
		var d net.Dialer
		c, err = d.DialContext(ctx, "tcp4", at.String())
		return err
	})
	return c, err
}

func get(ctx context.Context, w *Watched, at netip.AddrPort) *fault {
	hc := &w.Group.HealthCheck
	transport := &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // as AWS: certificates are not checked
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, w, at) },
	}
	path := hc.Path
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.ToLower(hc.Protocol)+"://"+at.String()+path, nil)
	if err != nil {
		return failed()
	}
	r.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	answer, err := transport.RoundTrip(r) // redirects are answers
	if err != nil {
		return faultOf(err)
	}
	answer.Body.Close()
	if !matches(hc.Matcher, answer.StatusCode) {
		return &fault{"Target.ResponseCodeMismatch", fmt.Sprintf("Health checks failed with these codes: [%d]", answer.StatusCode)}
	}
	return nil
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
