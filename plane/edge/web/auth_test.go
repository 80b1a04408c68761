package web_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// secureClient reaches the stand over TLS by any name, and keeps cookies.
func (s *stand) secureClient(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	carrier := &http.Transport{TLSClientConfig: trusting(), Dial: func(string, string) (net.Conn, error) { return net.Dial("tcp", s.addr) }}
	t.Cleanup(carrier.CloseIdleConnections)
	return &http.Client{Transport: carrier, Jar: jar, CheckRedirect: plain.CheckRedirect}
}

// provider is an identity provider that signs everybody in as Ada.
func provider(t *testing.T) *httptest.Server {
	t.Helper()
	answer := func(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/authorize":
			http.Redirect(w, r, r.FormValue("redirect_uri")+"?code=c&state="+r.FormValue("state"), http.StatusFound)
		case "/token":
			id := b64(map[string]any{"iss": "https://issuer", "sub": "ada", "aud": "client", "exp": time.Now().Add(time.Minute).Unix()})
			answer(w, map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": "e30." + id + ".x"})
		case "/me":
			answer(w, map[string]string{"sub": "ada"})
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func b64(v any) string {
	text, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(text)
}

// TestSigningIn follows a browser to an identity provider and back to the page that it
// wanted. Proves 4A.2, of OIDC.
func TestSigningIn(t *testing.T) {
	idp := provider(t)
	seen := make(chan http.Header, 4)
	target := server(t, func(w http.ResponseWriter, r *http.Request) { seen <- r.Header.Clone() })
	action := func(missing string) balancer.Action {
		return balancer.Action{Type: balancer.AuthenticateOIDC, Order: 1, OIDC: &balancer.OIDCAction{
			Issuer: "https://issuer", AuthorizationEndpoint: idp.URL + "/authorize", TokenEndpoint: idp.URL + "/token", UserInfoEndpoint: idp.URL + "/me",
			ClientID: "client", ClientSecret: []byte("secret"), SessionSeconds: 600, OnUnauthenticated: missing,
		}}
	}
	then := to("a")
	then.Order = 2
	s := newStand(t, func(s *stand) {
		s.front().Balancer.Secret = []byte("secret")
		s.secure(t, "app.example.com")
		s.pool("a", target)
		path := func(p string) []balancer.Condition {
			return []balancer.Condition{{Field: balancer.PathPattern, Values: []string{p}}}
		}
		s.rules(
			balancer.Rule{Priority: 1, Conditions: path("/page"), Actions: []balancer.Action{then, action("authenticate")}},
			balancer.Rule{Priority: 2, Conditions: path("/api"), Actions: []balancer.Action{action("deny"), then}},
			balancer.Rule{Priority: 3, Conditions: path("/open"), Actions: []balancer.Action{action("allow"), then}},
		)
		s.otherwise(says(404, "default"))
	})
	browser := s.secureClient(t)
	get := func(c *http.Client, url string) *http.Response {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amzn-Oidc-Identity", "eve")
		answer, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		return answer
	}
	if a := get(browser, "https://app.example.com/api"); a.StatusCode != 401 {
		t.Errorf("denied: %d", a.StatusCode)
	}
	if a := get(browser, "https://app.example.com/open"); a.StatusCode != 200 {
		t.Errorf("allowed: %d", a.StatusCode)
	}
	if h := <-seen; len(h["X-Amzn-Oidc-Identity"]) > 0 {
		t.Error("a client says itself who it is")
	}
	a := get(browser, "https://app.example.com/page?q=1")
	if a.StatusCode != 302 || !strings.HasPrefix(a.Header.Get("Location"), idp.URL+"/authorize?") {
		t.Fatalf("first %d to %s", a.StatusCode, a.Header.Get("Location"))
	}
	atProvider := idp.Client()
	atProvider.CheckRedirect = plain.CheckRedirect
	a = get(browser, get(atProvider, a.Header.Get("Location")).Header.Get("Location"))
	if a.StatusCode != 302 || a.Header.Get("Location") != "https://app.example.com/page?q=1" {
		t.Fatalf("back %d to %s", a.StatusCode, a.Header.Get("Location"))
	}
	for _, page := range []string{"/page?q=1", "/api", "/open"} {
		if a := get(browser, "https://app.example.com"+page); a.StatusCode != 200 {
			t.Fatalf("%s: %d", page, a.StatusCode)
		}
		h := <-seen
		if h.Get("X-Amzn-Oidc-Identity") != "ada" || h.Get("X-Amzn-Oidc-Accesstoken") != "access" || strings.Count(h.Get("X-Amzn-Oidc-Data"), ".") != 2 {
			t.Errorf("%s: targets hear %q", page, h)
		}
	}
	if a := get(s.secureClient(t), "https://app.example.com/oauth2/idpresponse?code=c&state=x"); a.StatusCode != 401 {
		t.Errorf("a state made up: %d", a.StatusCode)
	}
}

// TestTokens has a program bring a token. Proves 4A.2, of tokens.
func TestTokens(t *testing.T) {
	secret, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ill" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []map[string]string{{
			"kty": "RSA", "kid": "k", "n": base64.RawURLEncoding.EncodeToString(secret.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(secret.E)).Bytes()),
		}}})
	})
	s := newStand(t, func(s *stand) {
		check := func(endpoint string) []balancer.Action {
			return []balancer.Action{{Type: balancer.ValidateJWT, JWT: &balancer.JWTAction{JWKSEndpoint: endpoint, Issuer: "me"}}, says(200, "in")}
		}
		s.rules(balancer.Rule{Priority: 1, Conditions: []balancer.Condition{{Field: balancer.PathPattern, Values: []string{"/ill"}}}, Actions: check(keys.URL + "/ill")})
		s.otherwise(check(keys.URL)...)
	})
	text := b64(map[string]string{"alg": "RS256", "kid": "k"}) + "." + b64(map[string]any{"iss": "me", "exp": time.Now().Add(time.Minute).Unix()})
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, secret, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	bring := func(s string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+s) }
	}
	good := text + "." + base64.RawURLEncoding.EncodeToString(signature)
	for _, c := range []struct {
		path, token string
		want        int
	}{{"/", good, 200}, {"/", text + ".AAAA", 401}, {"/", "", 401}, {"/ill", good, 500}} {
		if a, _ := s.ask(t, c.path, bring(c.token)); a.StatusCode != c.want {
			t.Errorf("%s with %q: %d, not %d", c.path, c.token, a.StatusCode, c.want)
		}
	}
}
