package authority

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/protocol/join"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	home  = arn.Scope{Account: "123456789012", Region: "eu-central-1"}
	role  = "arn:aws:iam::123456789012:role/ecsInstanceRole"
)

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type gateway struct {
	gate *Gate
	url  string
	time *clock
}

// serve runs the join exchange on a real TLS socket.
func serve(t *testing.T) *gateway {
	t.Helper()
	st := memory.Open()
	// Real time: certificates are checked against it by the client.
	c := &clock{now: time.Now()}
	a, err := Open(t.TempDir(), c.Now())
	if err != nil {
		t.Fatal(err)
	}
	gate := &Gate{Store: st, Authority: a, Clock: c.Now}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", a.ServerTLS([]string{"127.0.0.1"}, c.Now))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: &Door{Gate: gate, Log: slog.New(slog.DiscardHandler)}, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return &gateway{gate: gate, url: "https://" + listener.Addr().String(), time: c}
}

func (g *gateway) token(t *testing.T) join.Token {
	t.Helper()
	token, err := g.gate.CreateToken(context.Background(), home, home.Cluster("default"), role)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestMachineJoinsOnce(t *testing.T) {
	g := serve(t)
	token := g.token(t)
	got, err := join.Join(context.Background(), g.url, token, join.Machine{Name: "box"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Account != home.Account || got.Region != home.Region || got.ClusterARN != home.Cluster("default") || got.RoleARN != role {
		t.Errorf("joined as %+v", got)
	}
	key, ok := store.AccessKeys.Get(g.gate.Store.View(), got.AccessKeyID)
	if !ok || key.Secret != got.SecretAccessKey || key.SessionToken != got.SessionToken {
		t.Fatalf("stored key is %+v", key)
	}
	p := key.Principal
	if !p.Agent || p.Kind != identity.AssumedRole || p.RoleARN != role || !strings.HasSuffix(p.ARN, "assumed-role/ecsInstanceRole/"+got.InstanceID) {
		t.Errorf("the agent is %+v", p)
	}
	if len(got.InstanceID) != 19 {
		t.Errorf("instance id %q", got.InstanceID)
	}
	var refusal *join.Refusal
	if _, err := join.Join(context.Background(), g.url, token, join.Machine{Name: "box"}); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "was used at") {
		t.Errorf("the token worked twice: %v", err)
	}
	if n := store.AccessKeys.Len(g.gate.Store.View()); n != 1 {
		t.Errorf("%d keys after one join", n)
	}
}

func TestOneOfManyJoinsWithTheSameToken(t *testing.T) {
	g := serve(t)
	token := g.token(t)
	results := make(chan error, 8)
	for range cap(results) {
		go func() {
			_, err := g.gate.Exchange(context.Background(), token.Secret, join.Machine{})
			results <- err
		}()
	}
	joined := 0
	for range cap(results) {
		if <-results == nil {
			joined++
		}
	}
	if joined != 1 {
		t.Errorf("%d machines joined", joined)
	}
}

func TestRefusedTokens(t *testing.T) {
	g := serve(t)
	late := g.token(t)
	g.time.Add(TokenLife)
	unknown, err := join.ParseToken("berth1." + strings.Repeat("A", 43) + "." + late.Pin.String())
	if err != nil {
		t.Fatal(err)
	}
	foreign := g.token(t)
	foreign.Pin[0] ^= 1
	for name, c := range map[string]struct {
		token join.Token
		says  string
	}{
		"ended":   {late, "ended at"},
		"unknown": {unknown, "is not known here"},
		"foreign": {foreign, "is not the one this join token was made for"},
	} {
		if _, err := join.Join(context.Background(), g.url, c.token, join.Machine{Name: "box"}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := store.AccessKeys.Len(g.gate.Store.View()); n != 0 {
		t.Errorf("%d keys were given", n)
	}
}

func TestSecretIsNeverStored(t *testing.T) {
	g := serve(t)
	token := g.token(t)
	for record := range store.JoinTokens.All(g.gate.Store.View()) {
		if strings.Contains(record.Hash, token.Secret) || record.Hash != token.Hash() {
			t.Errorf("stored %+v", record)
		}
	}
}

func TestTokensAreNotSentInTheClear(t *testing.T) {
	g := serve(t)
	token := g.token(t)
	for _, server := range []string{"http://192.0.2.1:4566", "http://berth.test", "ftp://127.0.0.1", "127.0.0.1:4566"} {
		if _, err := join.Join(context.Background(), server, token, join.Machine{Name: "box"}); err == nil || !strings.Contains(err.Error(), "in the clear") || strings.Contains(err.Error(), token.Secret) {
			t.Errorf("%s: %v", server, err)
		}
	}
	door := &Door{Gate: g.gate, Log: slog.New(slog.DiscardHandler)}
	for remote, want := range map[string]int{"10.0.0.9:4000": http.StatusForbidden, "127.0.0.1:4000": http.StatusOK} {
		r := httptest.NewRequest("POST", join.Path, strings.NewReader(`{"secret":"`+token.Secret+`"}`))
		r.RemoteAddr = remote
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("from %s in the clear: %d %s", remote, w.Code, w.Body)
		}
	}
}

func TestMachineItselfJoinsWithoutTLS(t *testing.T) {
	g := serve(t)
	server := httptest.NewServer(&Door{Gate: g.gate, Log: slog.New(slog.DiscardHandler)})
	defer server.Close()
	got, err := join.Join(context.Background(), server.URL+"/", g.token(t), join.Machine{Name: "box"})
	if err != nil || got.Authority != string(g.gate.Authority.PEM()) {
		t.Fatalf("got %+v, %v", got, err)
	}
	config, err := join.AuthorityTLS([]byte(got.Authority))
	if err != nil {
		t.Fatal(err)
	}
	c, err := tls.Dial("tcp", strings.TrimPrefix(g.url, "https://"), config) // with what it learned
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestBadJoinRequests(t *testing.T) {
	g := serve(t)
	door := &Door{Gate: g.gate, Log: slog.New(slog.DiscardHandler)}
	for name, c := range map[string]struct {
		method, body string
		status       int
	}{
		"get":      {"GET", "", http.StatusMethodNotAllowed},
		"not json": {"POST", "secret", http.StatusBadRequest},
		"empty":    {"POST", "{}", http.StatusBadRequest},
		"huge":     {"POST", `{"secret":"` + strings.Repeat("x", maxRequest) + `"}`, http.StatusBadRequest},
	} {
		r := httptest.NewRequest(c.method, join.Path, strings.NewReader(c.body))
		r.RemoteAddr = "127.0.0.1:4000"
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestServerOfAnotherNameIsNotTrusted(t *testing.T) {
	a, err := Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", a.ServerTLS([]string{"elsewhere.test"}, time.Now))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = c.(*tls.Conn).Handshake()
				c.Close()
			}()
		}
	}()
	_, err = tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", listener.Addr().String(), join.PinnedTLS("127.0.0.1", a.Pin()))
	if err == nil || !strings.Contains(err.Error(), "does not hold for 127.0.0.1") {
		t.Errorf("got %v", err)
	}
}
