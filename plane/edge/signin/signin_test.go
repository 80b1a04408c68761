package signin_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/signin"
)

const balancerARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/0123456789abcdef"

// stage is a desk, an identity provider and a browser.
type stage struct {
	*signin.Desk
	provider  *httptest.Server
	action    *balancer.OIDCAction
	now       time.Time
	browser   map[string]*http.Cookie
	refused   string // the token endpoint's error; empty for none
	refreshes int
	claims    map[string]any
	id        map[string]any
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{now: time.Unix(1_700_000_000, 0), browser: map[string]*http.Cookie{}}
	s.provider = httptest.NewTLSServer(s)
	t.Cleanup(s.provider.Close)
	s.action = &balancer.OIDCAction{
		Issuer: "https://issuer", AuthorizationEndpoint: "https://issuer/authorize?tenant=1", TokenEndpoint: s.provider.URL + "/token", UserInfoEndpoint: s.provider.URL + "/me",
		ClientID: "client:1", ClientSecret: []byte("s&cret"), Scope: "openid email", SessionSeconds: 3600, Extra: map[string]string{"prompt": "login"}, OnUnauthenticated: "authenticate",
	}
	s.claims = map[string]any{"sub": "ada", "email": "ada@example.com"}
	s.id = map[string]any{"iss": "https://issuer", "sub": "ada", "aud": "client:1", "exp": s.now.Unix() + 60}
	s.Desk = signin.New(signin.Options{Secret: []byte("secret"), Client: s.provider.Client(), Now: func() time.Time { return s.now }})
	return s
}

// ServeHTTP is the identity provider.
func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/me":
		if r.Header.Get("Authorization") != "Bearer access" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(s.claims)
		return
	case s.refused != "":
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": s.refused})
		return
	}
	user, secret, _ := r.BasicAuth()
	if user != "client%3A1" || secret != "s%26cret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.FormValue("grant_type") {
	case "refresh_token":
		s.refreshes++
	case "authorization_code":
		if r.FormValue("code") != "code" || r.FormValue("redirect_uri") != "https://app.example.com/oauth2/idpresponse" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	payload, _ := json.Marshal(s.id)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token": "access", "token_type": "bearer", "refresh_token": "again", "expires_in": 300,
		"id_token": "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".sig",
	})
}

func (s *stage) request(to string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, to, nil)
	for _, c := range s.browser {
		r.AddCookie(c)
	}
	return r
}

// keep does with cookies what browsers do.
func (s *stage) keep(t *testing.T, o signin.Outcome) signin.Outcome {
	t.Helper()
	for _, c := range o.Cookies {
		if !c.Secure || !c.HttpOnly {
			t.Errorf("the cookie %s can be read", c.Name)
		}
		if len(c.String()) > 4096 {
			t.Errorf("the cookie %s has %d bytes", c.Name, len(c.String()))
		}
		if s.browser[c.Name] = c; c.MaxAge < 0 {
			delete(s.browser, c.Name)
		}
	}
	return o
}

func (s *stage) ask(t *testing.T) signin.Outcome {
	t.Helper()
	return s.keep(t, s.Ask(s.request("https://App.example.com/deep?q=1"), balancerARN, s.action))
}

// back follows the redirection to the provider and back.
func (s *stage) back(t *testing.T, o signin.Outcome, change func(url.Values)) signin.Outcome {
	t.Helper()
	to, err := url.Parse(o.Location)
	if err != nil {
		t.Fatal(err)
	}
	q := url.Values{"code": {"code"}, "state": to.Query()["state"]}
	change(q)
	return s.keep(t, s.Back(s.request("https://app.example.com"+signin.BackPath+"?"+q.Encode()), []*balancer.OIDCAction{{Issuer: "other"}, s.action}))
}

func same(url.Values) {}

// TestSigningIn has a browser sign in and come back with its session.
// Proves 4A.2, of OpenID Connect.
func TestSigningIn(t *testing.T) {
	s := newStage(t)
	o := s.ask(t)
	to, err := url.Parse(o.Location)
	if err != nil || o.Status != 302 {
		t.Fatalf("%+v, %v", o, err)
	}
	q := to.Query()
	for name, want := range map[string]string{
		"tenant": "1", "prompt": "login", "client_id": "client:1", "response_type": "code", "scope": "openid email", "redirect_uri": "https://app.example.com/oauth2/idpresponse",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q", name, q.Get(name))
		}
	}
	if to.Host != "issuer" || to.Path != "/authorize" {
		t.Errorf("sent to %s", to)
	}
	if o = s.back(t, o, same); o.Status != 302 || o.Location != "https://app.example.com/deep?q=1" {
		t.Fatalf("back: %+v", o)
	}
	if s.browser["AWSELBAuthSessionCookie-0"] == nil || s.browser["AWSALBAuthNonce"] != nil {
		t.Errorf("the browser has %v", s.browser)
	}
	o = s.ask(t)
	if o.Status != 0 || o.Headers.Get("X-Amzn-Oidc-Identity") != "ada" || o.Headers.Get("X-Amzn-Oidc-Accesstoken") != "access" {
		t.Fatalf("then: %+v", o)
	}
	s.verify(t, o.Headers.Get("X-Amzn-Oidc-Data"))
}

// verify is what applications do with the claims.
func (s *stage) verify(t *testing.T, data string) {
	t.Helper()
	parts := strings.Split(data, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no token", data)
	}
	var decoded [3][]byte
	for n, p := range parts {
		var err error
		if decoded[n], err = base64.URLEncoding.DecodeString(p); err != nil {
			t.Fatal(err)
		}
	}
	var head struct{ Alg, Kid, Signer, Iss, Client string }
	var claims struct{ Sub, Email string }
	if json.Unmarshal(decoded[0], &head) != nil || json.Unmarshal(decoded[1], &claims) != nil {
		t.Fatalf("%s.%s", decoded[0], decoded[1])
	}
	if head.Alg != "ES256" || head.Signer != balancerARN || head.Iss != "https://issuer" || head.Client != "client:1" || claims.Sub != "ada" || claims.Email != "ada@example.com" {
		t.Errorf("%+v %+v", head, claims)
	}
	id, text := signin.Key([]byte("secret"))
	if id != head.Kid {
		t.Fatalf("the key is %s, not %s", id, head.Kid)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(key.(*ecdsa.PublicKey), sum[:], new(big.Int).SetBytes(decoded[2][:32]), new(big.Int).SetBytes(decoded[2][32:])) {
		t.Error("the signature does not hold")
	}
}

func TestStrangers(t *testing.T) {
	s := newStage(t)
	s.action.OnUnauthenticated = "allow"
	if o := s.ask(t); o.Status != 0 || o.Headers != nil {
		t.Errorf("allow: %+v", o)
	}
	s.action.OnUnauthenticated = "deny"
	if o := s.ask(t); o.Status != 401 {
		t.Errorf("deny: %+v", o)
	}
}

// TestWhoComesBackWrongly shows that nobody gets a session who did not begin here.
func TestWhoComesBackWrongly(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*stage)
		change  func(url.Values)
		status  int
		reason  string
	}{
		"no state":          {nil, func(q url.Values) { q.Del("state") }, 401, "AuthMissingStateParam"},
		"a state made up":   {nil, func(q url.Values) { q.Set("state", "AAAA"+q.Get("state")[4:]) }, 401, "AuthInvalidStateParam"},
		"too late":          {func(s *stage) { s.now = s.now.Add(16 * time.Minute) }, same, 401, "AuthInvalidStateParam"},
		"another browser":   {func(s *stage) { clear(s.browser) }, same, 401, "AuthMissingAWSALBAuthNonce"},
		"no code":           {nil, func(q url.Values) { q.Del("code") }, 401, "AuthMissingCodeParam"},
		"refused":           {nil, func(q url.Values) { q.Set("error", "access_denied") }, 561, "AuthInvalidGrantError"},
		"a used code":       {func(s *stage) { s.refused = "invalid_grant" }, same, 561, "AuthInvalidGrantError"},
		"unknown client":    {func(s *stage) { s.refused = "invalid_client" }, same, 561, "AuthTokenEpRequestFailed"},
		"nobody there":      {func(s *stage) { s.provider.Close() }, same, 500, "AuthTokenEpRequestFailed"},
		"for another":       {func(s *stage) { s.id["aud"] = []string{"x"} }, same, 401, "AuthInvalidIdToken"},
		"of another issuer": {func(s *stage) { s.id["iss"] = "x" }, same, 401, "AuthInvalidIdToken"},
		"another's claims":  {func(s *stage) { s.claims["sub"] = "bob" }, same, 500, "AuthInvalidUserinfoResponse"},
		"too much to say":   {func(s *stage) { s.claims["x"] = strings.Repeat("x", 12<<10) }, same, 401, "AuthUserinfoResponseSizeExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			sent := s.ask(t)
			if c.prepare != nil {
				c.prepare(s)
			}
			if o := s.back(t, sent, c.change); o.Status != c.status || o.Reason != c.reason {
				t.Errorf("%d %s", o.Status, o.Reason)
			}
			for n := range s.browser {
				if strings.HasPrefix(n, "AWSELBAuthSessionCookie") {
					t.Error("there is a session")
				}
			}
		})
	}
}

func TestSessionsEnd(t *testing.T) {
	s := newStage(t)
	s.back(t, s.ask(t), same)
	s.now = s.now.Add(10 * time.Minute) // the access token has expired
	if o := s.ask(t); o.Status != 0 || !o.Refreshed || s.refreshes != 1 {
		t.Fatalf("prolonged: %+v", o)
	}
	if o := s.ask(t); o.Status != 0 || o.Refreshed || s.refreshes != 1 {
		t.Errorf("prolonged again: %+v", o)
	}
	other := *s.action
	other.ClientID = "another"
	if o := s.Ask(s.request("https://app.example.com/"), balancerARN, &other); o.Status != 302 {
		t.Errorf("at another client's: %+v", o)
	}
	s.now = s.now.Add(10 * time.Minute)
	s.refused = "invalid_grant"
	if o := s.ask(t); o.Status != 302 {
		t.Errorf("signed out there: %+v", o)
	}
	s.refused, s.now = "", s.now.Add(time.Hour)
	if o := s.ask(t); o.Status != 302 {
		t.Errorf("after its time: %+v", o)
	}
}

// TestLongSessions need more than one cookie, and give back what they no longer need.
func TestLongSessions(t *testing.T) {
	s := newStage(t)
	s.claims["x"] = strings.Repeat("x", 8<<10)
	s.back(t, s.ask(t), same)
	if s.browser["AWSELBAuthSessionCookie-2"] == nil {
		t.Fatalf("%d cookies", len(s.browser))
	}
	if o := s.ask(t); o.Headers.Get("X-Amzn-Oidc-Identity") != "ada" {
		t.Errorf("%+v", o)
	}
	delete(s.claims, "x")
	s.now = s.now.Add(10 * time.Minute)
	if o := s.ask(t); !o.Refreshed || len(s.browser) != 1 {
		t.Errorf("%+v, %d cookies", o, len(s.browser))
	}
}

func TestUserPools(t *testing.T) {
	s := newStage(t)
	for domain, want := range map[string]string{
		"shop": "https://shop.auth.eu-west-1.amazoncognito.com/oauth2/authorize?", "login.example.com": "https://login.example.com/oauth2/authorize?",
	} {
		a := &balancer.OIDCAction{UserPoolARN: "arn:aws:cognito-idp:eu-west-1:000000000000:userpool/eu-west-1_abc", UserPoolDomain: domain, ClientID: "c"}
		if o := s.Ask(s.request("https://app.example.com/"), balancerARN, a); !strings.HasPrefix(o.Location, want) {
			t.Errorf("%s: %s", domain, o.Location)
		}
	}
}

// TestOutside keeps endpoints from leading into the machine.
func TestOutside(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	if answer, err := signin.Outside(nil).Get(server.URL); err == nil {
		answer.Body.Close()
		t.Error("it reaches loopback")
	}
}

func FuzzBack(f *testing.F) {
	f.Add("state", "code", "AWSALBAuthNonce=x")
	d := signin.New(signin.Options{Secret: []byte("secret")})
	f.Fuzz(func(t *testing.T, state, code, cookie string) {
		r := &http.Request{URL: &url.URL{RawQuery: url.Values{"state": {state}, "code": {code}}.Encode()}, Host: "a", Header: http.Header{"Cookie": {cookie}}}
		if o := d.Back(r, nil); o.Status != 401 {
			t.Errorf("%+v", o)
		}
	})
}
