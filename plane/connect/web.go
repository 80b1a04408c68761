package connect

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"time"
)

// openWeb makes what serves and what asks by HTTP. HTTP2 and GRPC are spoken without
// TLS, by prior knowledge (RFC 9113, 3.3).
func (p *Proxy) openWeb() {
	spoken := new(http.Protocols)
	spoken.SetHTTP1(p.Protocol == HTTP)
	spoken.SetUnencryptedHTTP2(p.Protocol != HTTP)
	p.client = &http.Transport{
		Protocols: spoken, IdleConnTimeout: max(p.Idle, 0), DisableCompression: true,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return nil, err
			}
			ctx, cancel := context.WithTimeout(ctx, connectPatience)
			defer cancel()
			c, err := p.Dial(ctx, to)
			if err != nil {
				return nil, &unreached{err}
			}
			return c, nil
		},
	}
	forward := &httputil.ReverseProxy{
		Transport: p, FlushInterval: -1, // streams flow as they come
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", "service", r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			p.Log.Debug("a request was not carried", "host", r.Host, "err", err)
			w.WriteHeader(statusOf(err))
		},
	}
	both := new(http.Protocols)
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	p.queue = newQueue()
	p.web = &http.Server{Handler: p.bounded(forward), IdleTimeout: max(p.Idle, 0), ReadHeaderTimeout: 10 * time.Second, Protocols: both, ErrorLog: slog.NewLogLogger(p.Log.Handler(), slog.LevelDebug)}
	p.running.Go(func() { _ = p.web.Serve(p.queue) }) // until Close
}

// unreached is an endpoint that took no connection: nothing was sent to it.
type unreached struct{ error }

func (u *unreached) Unwrap() error { return u.error }

func statusOf(err error) int {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	case errors.Is(err, errNoEndpoint), errors.As(err, new(*unreached)):
		return http.StatusServiceUnavailable
	}
	return http.StatusBadGateway
}

// bounded ends requests that take too long.
func (p *Proxy) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.Request > 0 {
			ctx, cancel := context.WithTimeout(r.Context(), p.Request)
			defer cancel()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// RoundTrip sends a request to the endpoint whose turn it is. Another is tried when one
// took no connection, and for requests without a body when one answered 503 or not at
// all.
func (p *Proxy) RoundTrip(r *http.Request) (*http.Response, error) {
	var tried []netip.AddrPort
	for again := retries; ; again-- {
		at, ok := p.Pick(p.Now(), tried)
		if !ok {
			return nil, errNoEndpoint
		}
		tried = append(tried, at)
		answer, err := p.client.RoundTrip(aimed(r, at))
		if r.Context().Err() == nil {
			p.Report(at, p.Now(), err == nil && answer.StatusCode < http.StatusInternalServerError)
		}
		if again == 0 || r.Context().Err() != nil || !repeatable(r, answer, err) {
			return answer, err
		}
		if answer != nil {
			answer.Body.Close()
		}
	}
}

// aimed is the request for one endpoint, with a body that outlives the try.
func aimed(r *http.Request, at netip.AddrPort) *http.Request {
	out := r.Clone(r.Context())
	out.URL.Host = at.String()
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = lasting{r}
	}
	return out
}

// lasting is a body that is closed by who sent the request, not by a try.
type lasting struct{ r *http.Request }

func (l lasting) Read(b []byte) (int, error) { return l.r.Body.Read(b) }
func (lasting) Close() error                 { return nil }

func repeatable(r *http.Request, answer *http.Response, err error) bool {
	if errors.As(err, new(*unreached)) {
		return true
	}
	bodiless := r.Body == nil || r.Body == http.NoBody
	return bodiless && (err != nil || answer.StatusCode == http.StatusServiceUnavailable)
}
