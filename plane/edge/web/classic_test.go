package web_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// newClassic is a stand of a Classic balancer with two instances.
func newClassic(t *testing.T, servers [2]*httptest.Server, shape func(*stand)) *stand {
	return newStand(t, func(s *stand) {
		s.front().Balancer = balancer.Balancer{
			ARN: "old", Name: "old", Kind: balancer.Classic, Attributes: map[string]string{balancer.AccessLogs: "true"}, Classic: &balancer.ClassicSpec{},
		}
		s.pool("a", servers[0], servers[1]).Group.ClassicARN = "old"
		s.otherwise(to("a"))
		shape(s)
	})
}

// stick gives the group attributes of stickiness.
func (s *stand) stick(pairs ...string) {
	a := s.snap.Pools[0].Group.Attributes
	a[balancer.StickinessEnabled] = "true"
	for n := 0; n < len(pairs); n += 2 {
		a[pairs[n]] = pairs[n+1]
	}
}

func cookies(r *http.Response) map[string]*http.Cookie {
	all := map[string]*http.Cookie{}
	for _, c := range r.Cookies() {
		all[c.Name] = c
	}
	return all
}

// with brings cookies along.
func with(all ...*http.Cookie) func(*http.Request) {
	return func(r *http.Request) {
		for _, c := range all {
			r.AddCookie(c)
		}
	}
}

func TestCookiesOfAClassicBalancer(t *testing.T) {
	for period, life := range map[string]int{"3600": 3600, "0": 0} {
		s := newClassic(t, [2]*httptest.Server{named(t, "1"), named(t, "2")}, func(s *stand) {
			s.stick(balancer.StickinessType, "lb_cookie", balancer.LBCookieDuration, period)
		})
		answer, first := s.ask(t, "/")
		own, foreign := cookies(answer)["AWSELB"], cookies(answer)["AWSELBCORS"]
		if own == nil || own.MaxAge != life || own.Secure || foreign == nil || foreign.SameSite != http.SameSiteNoneMode || !foreign.Secure || len(answer.Cookies()) != 2 {
			t.Fatalf("cookies %v", answer.Cookies())
		}
		for range 6 {
			answer, body := s.ask(t, "/", with(own))
			if body != first || len(answer.Cookies()) != 0 {
				t.Fatalf("from %s to %s with %v", first, body, answer.Cookies())
			}
		}
		s.set(s.snap.Pools[0].Targets[int(first[0]-'1')].Key, balancer.Unhealthy)
		answer, second := s.ask(t, "/", with(own))
		if second == first || cookies(answer)["AWSELB"] == nil {
			t.Errorf("after its instance failed the session is at %s, with %v", second, answer.Cookies())
		}
	}
}

func TestSessionsOfAnApplicationBehindAClassicBalancer(t *testing.T) {
	login := func(name string) *httptest.Server {
		return server(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				http.SetCookie(w, &http.Cookie{Name: "sid", Value: "x", Path: "/shop", HttpOnly: true, MaxAge: 77})
			}
			_, _ = w.Write([]byte(name))
		})
	}
	s := newClassic(t, [2]*httptest.Server{login("1"), login("2")}, func(s *stand) {
		s.stick(balancer.StickinessType, "app_cookie", balancer.AppCookieName, "sid")
	})
	if answer, _ := s.ask(t, "/"); len(answer.Cookies()) != 0 {
		t.Errorf("without a session there are %v", answer.Cookies())
	}
	answer, first := s.ask(t, "/login")
	own, app := cookies(answer)["AWSELB"], cookies(answer)["sid"]
	if own == nil || own.Path != "/shop" || !own.HttpOnly || own.MaxAge != 77 {
		t.Fatalf("cookies %v", answer.Cookies())
	}
	for range 6 {
		if answer, body := s.ask(t, "/", with(own, app)); body != first || len(answer.Cookies()) != 0 {
			t.Fatalf("from %s to %s with %v", first, body, answer.Cookies())
		}
	}
	seen := map[string]bool{}
	for range 6 {
		_, body := s.ask(t, "/", with(own))
		seen[body] = true
	}
	if len(seen) != 2 {
		t.Error("a session holds whose own cookie is gone")
	}
}

func TestHeadersAndLogOfAClassicBalancer(t *testing.T) {
	head := make(chan http.Header, 1)
	echo := server(t, func(w http.ResponseWriter, r *http.Request) {
		head <- r.Header
		_, _ = w.Write([]byte("answer"))
	})
	s := newClassic(t, [2]*httptest.Server{echo, echo}, func(*stand) {})
	s.ask(t, "/a?b=c", func(r *http.Request) { r.Header.Set("User-Agent", "me"); r.Host = "shop.test" })
	h := <-head
	for name, want := range map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "80", "X-Amzn-Trace-Id": ""} {
		if h.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, h.Get(name), want)
		}
	}
	want := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z old 127\.0\.0\.1:\d+ ` + regexp.QuoteMeta(echo.Listener.Addr().String()) +
		` \d\.\d{6} \d\.\d{6} \d\.\d{6} 200 200 0 6 "GET http://shop\.test:80/a\?b=c HTTP/1\.1" "me" - -$`)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	s.Drain(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) != 1 || !want.MatchString(s.lines[0]) {
		t.Errorf("log %q", s.lines)
	}
}

// TestPolicyOfAClassicBalancer has a listener speak the versions and ciphers that its
// policy says and no others.
func TestPolicyOfAClassicBalancer(t *testing.T) {
	plain := named(t, "1")
	s := newClassic(t, [2]*httptest.Server{plain, plain}, func(s *stand) {
		s.front().Balancer.Classic.Policies = []balancer.Policy{{Name: "strict", Type: balancer.NegotiationPolicy, Attributes: []balancer.PolicyAttribute{
			{Name: "Protocol-TLSv1.1", Value: "true"}, {Name: "ECDHE-ECDSA-AES128-SHA", Value: "true"},
		}}}
		s.secure(t, "shop.test")
		l := &s.listener().Listener
		l.SSLPolicy, l.Policies = "strict", []string{"strict"}
	})
	dial := func(version uint16, suites ...uint16) error {
		c, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, CipherSuites: suites})
		if err == nil {
			c.Close()
		}
		return err
	}
	if err := dial(tls.VersionTLS11, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA); err != nil {
		t.Error(err)
	}
	if dial(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA) == nil || dial(tls.VersionTLS11, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA) == nil {
		t.Error("more is spoken than the policy says")
	}
}
