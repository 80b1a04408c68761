package web_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/berthhq/berth/domain/balancer"
)

func TestHeadersOfTargets(t *testing.T) {
	heard := make(chan *http.Request, 1)
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		heard <- r
		w.Header().Set("Server", "mine")
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "1")
	})
	s := newStand(t, func(s *stand) {
		s.pool("a", target)
		s.otherwise(to("a"))
		s.listener().Listener.Attributes = map[string]string{"routing.http.response.strict_transport_security.header_value": "max-age=1"}
	})
	answer, _ := s.ask(t, "/x%2Fy?q=a+b", func(r *http.Request) {
		r.Host = "Shop.example.com"
		r.Header.Set("X-Forwarded-For", "192.0.2.1")
		r.Header.Set("X-Amzn-Trace-Id", "Root=1-abc;Self=old;CalledFrom=app")
		r.Header.Set("X-Amzn-Mtls-Clientcert-Subject", "CN=forged")
		r.Header.Set("Connection", "X-Secret")
		r.Header.Set("X-Secret", "1")
		r.Header.Set("Te", "trailers")
	})
	r := <-heard
	for name, want := range map[string]string{
		"X-Forwarded-For": "192.0.2.1, 127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "80",
		"X-Secret": "", "Connection": "", "Te": "", "X-Amzn-Mtls-Clientcert-Subject": "",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := r.Header.Get("X-Amzn-Trace-Id"); !strings.HasPrefix(got, "Self=1-") || !strings.HasSuffix(got, ";Root=1-abc;CalledFrom=app") {
		t.Errorf("trace %q", got)
	}
	if r.Host != "Shop.example.com" || r.RequestURI != "/x%2Fy?q=a+b" {
		t.Errorf("host %q, target %q", r.Host, r.RequestURI)
	}
	if h := answer.Header; h.Get("Server") != "mine" || h.Get("X-Hop") != "" || h.Get("Strict-Transport-Security") != "max-age=1" {
		t.Errorf("answer %v", h)
	}
}

// TestTurnsAndHealth shows that targets take turns, unhealthy and draining ones get
// nothing, and that all get traffic when none is healthy. Proves 4D.1.
func TestTurnsAndHealth(t *testing.T) {
	s := newStand(t, func(s *stand) {
		s.pool("a", named(t, "1"), named(t, "2"), named(t, "3"))
		s.otherwise(to("a"))
	})
	heard := func(n int) map[string]int {
		all := map[string]int{}
		for range n {
			_, body := s.ask(t, "/")
			all[body]++
		}
		return all
	}
	if got := heard(30); got["1"] != 10 || got["2"] != 10 || got["3"] != 10 {
		t.Errorf("healthy: %v", got)
	}
	keys := s.snap.Pools[0].Targets
	s.set(keys[0].Key, balancer.Unhealthy)
	if got := heard(20); got["1"] != 0 || got["2"] != 10 {
		t.Errorf("one unhealthy: %v", got)
	}
	s.snap.Pools[0].Targets[1].Draining = true
	s.Apply(s.copied())
	if got := heard(10); got["3"] != 10 {
		t.Errorf("one unhealthy, one draining: %v", got)
	}
	s.set(keys[2].Key, balancer.Unhealthy)
	if got := heard(10); got["1"] != 5 || got["3"] != 5 {
		t.Errorf("none healthy: %v", got)
	}
}

func TestStickiness(t *testing.T) {
	s := newStand(t, func(s *stand) {
		p := s.pool("a", named(t, "1"), named(t, "2"))
		p.Group.Attributes[balancer.StickinessEnabled] = "true"
		s.otherwise(to("a"))
	})
	answer, first := s.ask(t, "/")
	var cookie *http.Cookie
	for _, c := range answer.Cookies() {
		if c.Name == "AWSALB" {
			cookie = c
		}
	}
	if cookie == nil || len(answer.Cookies()) != 2 {
		t.Fatalf("cookies %v", answer.Cookies())
	}
	for range 6 {
		if _, body := s.ask(t, "/", func(r *http.Request) { r.AddCookie(cookie) }); body != first {
			t.Fatalf("from %s to %s", first, body)
		}
	}
	cookie.Value = "forged" + cookie.Value
	seen := map[string]bool{}
	for range 6 {
		_, body := s.ask(t, "/", func(r *http.Request) { r.AddCookie(cookie) })
		seen[body] = true
	}
	if len(seen) != 2 {
		t.Error("a forged cookie holds")
	}
}

func TestBodies(t *testing.T) {
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Sum")
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(body)
		w.(http.Flusher).Flush()
		w.Header().Set("Sum", fmt.Sprint(len(body), r.Trailer.Get("Mark")))
	})
	s := newStand(t, func(s *stand) { s.pool("a", target); s.otherwise(to("a")) })
	body := bytes.Repeat([]byte("0123456789"), 100_000)
	for _, length := range []int64{int64(len(body)), -1} {
		answer, got := s.ask(t, "/", func(r *http.Request) {
			r.Method, r.ContentLength, r.Body = http.MethodPost, length, io.NopCloser(bytes.NewReader(body))
			if length < 0 {
				r.Trailer = http.Header{"Mark": {"m"}}
			}
		})
		want := fmt.Sprint(len(body), map[bool]string{true: "m"}[length < 0])
		if got != string(body) || answer.Trailer.Get("Sum") != want {
			t.Errorf("length %d: %d bytes, trailer %v", length, len(got), answer.Trailer)
		}
	}
}

// TestAnswersStream shows that what a target says is passed on before it has ended.
func TestAnswersStream(t *testing.T) {
	goOn := make(chan struct{})
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first\n")
		w.(http.Flusher).Flush()
		<-goOn
		_, _ = io.WriteString(w, "second\n")
	})
	s := newStand(t, func(s *stand) { s.pool("a", target); s.otherwise(to("a")) })
	answer, err := http.Get("http://" + s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	part := make([]byte, 6)
	if _, err := io.ReadFull(answer.Body, part); err != nil || string(part) != "first\n" {
		t.Fatalf("%q, %v", part, err)
	}
	close(goOn)
	if rest, err := io.ReadAll(answer.Body); err != nil || string(rest) != "second\n" {
		t.Errorf("%q, %v", rest, err)
	}
}

// TestWebSockets proves 4A.1, WebSocket.
func TestWebSockets(t *testing.T) {
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.CloseNow()
		for {
			kind, data, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, data) != nil {
				return
			}
		}
	})
	s := newStand(t, func(s *stand) { s.pool("a", target); s.otherwise(to("a")) })
	c, _, err := websocket.Dial(t.Context(), "ws://"+s.addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for _, text := range []string{"one", strings.Repeat("two", 10000)} {
		if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(t.Context()); err != nil || string(got) != text {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
}

// TestGRPC proves 4A.1, gRPC and HTTP/2.
func TestGRPC(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	calls := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(calls, health.NewServer())
	go func() { _ = calls.Serve(l) }()
	t.Cleanup(calls.Stop)
	s := newStand(t, func(s *stand) {
		p := s.pool("g")
		p.Group.ProtocolVersion, p.Targets = "GRPC", []balancer.PoolTarget{targetOf("g", l.Addr())}
		s.secure(t, "grpc.example.com")
		s.otherwise(to("g"))
	})
	c, err := grpc.NewClient("passthrough:///"+s.addr, grpc.WithTransportCredentials(credentials.NewTLS(trusting())))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client := grpc_health_v1.NewHealthClient(c)
	for range 3 {
		out, err := client.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
		if err != nil || out.Status != grpc_health_v1.HealthCheckResponse_SERVING {
			t.Fatalf("%v %v", out, err)
		}
	}
	if _, err := client.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "nobody"}); err == nil || !strings.Contains(err.Error(), "NotFound") {
		t.Errorf("an error of the target's became %v", err)
	}
	watch, err := client.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if first, err := watch.Recv(); err != nil || first.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("a stream gave %v, %v", first, err)
	}
	answer, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: trusting()}}).Get("https://" + s.addr)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 464 {
		t.Errorf("HTTP/1.1 for gRPC: %d", answer.StatusCode)
	}
}

// TestCertificatesByName proves 4A.1, TLS and SNI.
func TestCertificatesByName(t *testing.T) {
	s := newStand(t, func(s *stand) {
		s.secure(t, "one.example.com", "two.example.com", "*.wild.com")
		s.otherwise(says(200, "hi"))
	})
	for ask, want := range map[string]string{"one.example.com": "one.example.com", "TWO.example.com": "two.example.com", "x.wild.com": "*.wild.com", "other.com": "one.example.com", "": "one.example.com"} {
		config := trusting()
		config.ServerName = ask
		c, err := tls.Dial("tcp", s.addr, config)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ConnectionState().PeerCertificates[0].DNSNames[0]; got != want {
			t.Errorf("for %q: %q", ask, got)
		}
		c.Close()
	}
	old := trusting()
	old.MaxVersion = tls.VersionTLS11
	if c, err := tls.Dial("tcp", s.addr, old); err == nil {
		c.Close()
		t.Error("the policy admits TLS 1.1")
	}
}

// TestTargetsChangeUnderLoad proves 4A.3: while targets come and go, as in a rolling
// update, no request fails.
func TestTargetsChangeUnderLoad(t *testing.T) {
	all := []string{"1", "2", "3", "4"}
	s := newStand(t, func(s *stand) {
		p := s.pool("a")
		for _, name := range all {
			p.Targets = append(p.Targets, targetOf("a", named(t, name).Listener.Addr()))
		}
		s.otherwise(to("a"))
	})
	targets := s.snap.Pools[0].Targets
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var asking sync.WaitGroup
	var asked atomic.Int64
	for range 4 {
		asking.Go(func() {
			for ctx.Err() == nil {
				answer, err := http.Post("http://"+s.addr, "text/plain", strings.NewReader("body"))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				if asked.Add(1); answer.StatusCode != 200 {
					t.Errorf("status %d", answer.StatusCode)
					return
				}
			}
		})
	}
	tick := time.NewTicker(time.Millisecond) // so that requests see each snapshot
	defer tick.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		s.snap.Pools[0].Targets = append([]balancer.PoolTarget{}, targets[n%4], targets[(n+1)%4])
		s.Apply(s.copied())
		<-tick.C
	}
	asking.Wait()
	if asked.Load() < 100 {
		t.Errorf("only %d requests", asked.Load())
	}
}
