package web_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/web"
)

const (
	balancerARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/0123456789abcdef"
	listenerARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/web/0123456789abcdef/1"
)

// stand is an engine with one listener at a real socket.
type stand struct {
	*web.Engine
	snap  balancer.Snapshot
	addr  string
	mu    sync.Mutex
	state map[string]balancer.State
	lines []string

	greetings []string // lines of the connection log
}

// newStand makes one; shape may change the snapshot before it is applied.
func newStand(t testing.TB, shape func(*stand)) *stand {
	t.Helper()
	s := &stand{state: map[string]balancer.State{}}
	s.Engine = web.New(web.Options{
		Dial: func(ctx context.Context, _ string, to netip.AddrPort) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", to.String())
		},
		State: func(key string) balancer.State {
			s.mu.Lock()
			defer s.mu.Unlock()
			if state, ok := s.state[key]; ok {
				return state
			}
			return balancer.Healthy
		},
		Access: func(_, _ string, line []byte) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.lines = append(s.lines, string(line))
		},
		Connection: func(_, _ string, line []byte) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.greetings = append(s.greetings, string(line))
		},
		Providers: &http.Client{Transport: &http.Transport{TLSClientConfig: trusting(), DisableKeepAlives: true}},
		Log:       slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	s.snap.Fronts = []balancer.Front{{
		Balancer:  balancer.Balancer{ARN: balancerARN, Kind: balancer.Application, Attributes: map[string]string{}},
		Nodes:     []balancer.Node{{InterfaceID: "eni-1", Zone: "us-east-1a"}},
		Listeners: []balancer.FrontListener{{Listener: balancer.Listener{ARN: listenerARN, BalancerARN: balancerARN, Port: 80, Protocol: "HTTP"}}},
	}}
	shape(s)
	s.Apply(s.copied())
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(l, "eni-1", s.listener().Listener.Port) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s.Drain(ctx)
		<-ended
	})
	return s
}

// copied is the snapshot as it is now: the engine's never change.
func (s *stand) copied() *balancer.Snapshot {
	c := s.snap
	c.Pools = nil
	for _, p := range s.snap.Pools {
		p.Targets = append([]balancer.PoolTarget(nil), p.Targets...)
		c.Pools = append(c.Pools, p)
	}
	return &c
}

func (s *stand) front() *balancer.Front               { return &s.snap.Fronts[0] }
func (s *stand) listener() *balancer.FrontListener    { return &s.snap.Fronts[0].Listeners[0] }
func (s *stand) rules(rules ...balancer.Rule)         { s.listener().Rules = rules }
func (s *stand) otherwise(actions ...balancer.Action) { s.listener().Listener.Default = actions }

func (s *stand) set(key string, state balancer.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state[key] = state
}

// pool adds a target group, of servers that are targets.
func (s *stand) pool(name string, servers ...*httptest.Server) *balancer.Pool {
	p := balancer.Pool{Group: balancer.TargetGroup{ARN: name, Name: name, Protocol: "HTTP", ProtocolVersion: "HTTP1", TargetType: balancer.TargetIP, Attributes: map[string]string{}}}
	for _, server := range servers {
		p.Targets = append(p.Targets, targetOf(name, server.Listener.Addr()))
	}
	s.snap.Pools = append(s.snap.Pools, p)
	return &s.snap.Pools[len(s.snap.Pools)-1]
}

func targetOf(group string, at net.Addr) balancer.PoolTarget {
	a := netip.MustParseAddrPort(at.String())
	return balancer.PoolTarget{Key: balancer.TargetKey(group, a.Addr().String(), int(a.Port())), ID: a.Addr().String(), Address: a, Zone: "us-east-1a"}
}

func forward(groups ...balancer.Weighted) balancer.Action {
	return balancer.Action{Type: balancer.Forward, Forward: &balancer.ForwardAction{Groups: groups}}
}

func to(group string) balancer.Action { return forward(balancer.Weighted{GroupARN: group, Weight: 1}) }

func says(status int, body string) balancer.Action {
	return balancer.Action{Type: balancer.FixedResponse, Fixed: &balancer.FixedAction{Status: status, ContentType: "text/plain", Body: body}}
}

// server answers as the handler does.
func server(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// named says its name.
func named(t *testing.T, name string) *httptest.Server {
	return server(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, name) })
}

// ask makes a request; what it needs beyond a URL, change says.
func (s *stand) ask(t *testing.T, path string, change ...func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+s.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(r)
	}
	answer, err := plain.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// plain follows no redirects.
var plain = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// raw sends bytes and reads one answer.
func (s *stand) raw(t *testing.T, text string) (int, string) {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body)
}

// secure makes the listener speak HTTPS for the names, with a certificate each.
func (s *stand) secure(t *testing.T, names ...string) {
	t.Helper()
	l := &s.listener().Listener
	l.Protocol, l.Port, l.SSLPolicy = "HTTPS", 443, "ELBSecurityPolicy-TLS13-1-2-2021-06"
	for _, name := range names {
		chain, key := certificate(t, name)
		s.snap.Certificates = append(s.snap.Certificates, balancer.Certificate{ARN: "cert/" + name, Chain: chain, Key: key})
		l.Certificates = append(l.Certificates, "cert/"+name)
	}
}

func certificate(t *testing.T, name string) (chain, key []byte) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	made, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	marshaled, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: marshaled})
}

func trusting() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

func contains(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in\n%s", w, text)
		}
	}
}
