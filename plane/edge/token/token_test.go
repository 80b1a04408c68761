package token_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/token"
)

func b64(v any) string {
	if b, ok := v.([]byte); ok {
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(text)
}

func made(t *testing.T, key *rsa.PrivateKey, head, claims map[string]any) string {
	t.Helper()
	signed := b64(head) + "." + b64(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + b64(signature)
}

// issuer is an endpoint of keys.
type issuer struct {
	*httptest.Server
	keys  atomic.Value // []map[string]string
	asked atomic.Int64
	ill   atomic.Bool
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.asked.Add(1)
		if i.ill.Load() {
			http.Error(w, "ill", http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": i.keys.Load()})
	}))
	t.Cleanup(i.Close)
	return i
}

func published(id string, k *rsa.PrivateKey) map[string]string {
	return map[string]string{"kty": "RSA", "kid": id, "use": "sig", "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())}
}

func key(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestTokens proves 4A.2, of tokens: which pass, and why the others do not.
func TestTokens(t *testing.T) {
	good, other := key(t), key(t)
	i := newIssuer(t)
	i.keys.Store([]map[string]string{published("one", good)})
	now := time.Unix(1_700_000_000, 0)
	c := token.New(i.Client(), func() time.Time { return now })
	a := &balancer.JWTAction{JWKSEndpoint: i.URL, Issuer: "https://issuer", Claims: []balancer.Claim{
		{Name: "tier", Format: "single-string", Values: []string{"gold", "silver"}},
		{Name: "scope", Format: "space-separated-values", Values: []string{"read", "write"}},
		{Name: "groups", Format: "string-array", Values: []string{"a"}},
	}}
	head := map[string]any{"alg": "RS256", "kid": "one"}
	claims := map[string]any{
		"iss": "https://issuer", "exp": now.Unix() + 60, "nbf": now.Unix(), "iat": now.Unix() + 2,
		"tier": "gold", "scope": "write all read", "groups": []string{"b", "a"},
	}
	with := func(m map[string]any, name string, v any) map[string]any {
		m = maps.Clone(m)
		if m[name] = v; v == nil {
			delete(m, name)
		}
		return m
	}
	bearer := func(s string) []string { return []string{"Bearer " + s} }
	mac := hmac.New(sha256.New, good.N.Bytes())
	forged := b64(with(head, "alg", "HS256")) + "." + b64(claims)
	mac.Write([]byte(forged))
	for name, c2 := range map[string]struct {
		header []string
		want   string
	}{
		"good":                {bearer(made(t, good, head, claims)), ""},
		"scheme in any case":  {[]string{"bearer " + made(t, good, head, claims)}, ""},
		"none":                {nil, token.NotPresent},
		"two":                 {append(bearer("a"), bearer("b")...), token.Malformed},
		"basic":               {[]string{"Basic YTpi"}, token.Malformed},
		"not a token":         {bearer("a.b.c"), token.Malformed},
		"critical extensions": {bearer(made(t, good, with(head, "crit", []string{"x"}), claims)), token.Malformed},
		"another key":         {bearer(made(t, other, head, claims)), token.BadSignature},
		"unknown key":         {bearer(made(t, good, with(head, "kid", "two"), claims)), token.BadSignature},
		"the only key":        {bearer(made(t, good, with(head, "kid", nil), claims)), ""},
		"no algorithm":        {bearer(b64(with(head, "alg", "none")) + "." + b64(claims) + "."), token.BadSignature},
		"a symmetric one":     {bearer(forged + "." + b64(mac.Sum(nil))), token.BadSignature},
		"another issuer":      {bearer(made(t, good, head, with(claims, "iss", "x"))), token.ClaimValue},
		"no expiry":           {bearer(made(t, good, head, with(claims, "exp", nil))), token.ClaimMissing},
		"expired":             {bearer(made(t, good, head, with(claims, "exp", now.Unix()))), token.ClaimValue},
		"expiry as a text":    {bearer(made(t, good, head, with(claims, "exp", "later"))), token.ClaimMisshape},
		"too early":           {bearer(made(t, good, head, with(claims, "nbf", now.Unix()+60))), token.ClaimValue},
		"of the future":       {bearer(made(t, good, head, with(claims, "iat", now.Unix()+60))), token.ClaimValue},
		"no tier":             {bearer(made(t, good, head, with(claims, "tier", nil))), token.ClaimMissing},
		"tiers":               {bearer(made(t, good, head, with(claims, "tier", []string{"gold"}))), token.ClaimMisshape},
		"another tier":        {bearer(made(t, good, head, with(claims, "tier", "tin"))), token.ClaimValue},
		"half the scope":      {bearer(made(t, good, head, with(claims, "scope", "readwrite read"))), token.ClaimValue},
		"groups as a text":    {bearer(made(t, good, head, with(claims, "groups", "a"))), token.ClaimMisshape},
		"other groups":        {bearer(made(t, good, head, with(claims, "groups", []string{"b"}))), token.ClaimValue},
	} {
		r := &http.Request{Header: http.Header{"Authorization": c2.header}}
		if c2.header == nil {
			r.Header = http.Header{}
		}
		if got := c.Check(t.Context(), r, a); got != c2.want {
			t.Errorf("%s: %q, not %q", name, got, c2.want)
		}
	}
	if n := i.asked.Load(); n != 1 {
		t.Errorf("the issuer was asked %d times", n)
	}
}

func TestKeysChange(t *testing.T) {
	first, second := key(t), key(t)
	i := newIssuer(t)
	i.keys.Store([]map[string]string{published("one", first)})
	now := time.Unix(1_700_000_000, 0)
	c := token.New(i.Client(), func() time.Time { return now })
	a := &balancer.JWTAction{JWKSEndpoint: i.URL, Issuer: "x"}
	check := func(k *rsa.PrivateKey, id string) string {
		text := made(t, k, map[string]any{"alg": "RS256", "kid": id}, map[string]any{"iss": "x", "exp": now.Unix() + 60})
		return c.Check(t.Context(), &http.Request{Header: http.Header{"Authorization": {"Bearer " + text}}}, a)
	}
	i.ill.Store(true)
	if got := check(first, "one"); got != token.KeysFailed {
		t.Errorf("without keys: %q", got)
	}
	i.ill.Store(false)
	if got := check(first, "one"); got != token.KeysFailed {
		t.Errorf("asked again too soon: %q", got)
	}
	now = now.Add(11 * time.Second)
	if got := check(first, "one"); got != "" {
		t.Errorf("with keys: %q", got)
	}
	i.keys.Store([]map[string]string{published("two", second)})
	now = now.Add(11 * time.Second)
	if got := check(second, "two"); got != "" {
		t.Errorf("a new key: %q", got)
	}
	i.ill.Store(true)
	now = now.Add(time.Hour)
	if got := check(second, "two"); got != "" {
		t.Errorf("old keys while the issuer is ill: %q", got)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("Bearer a.b.c")
	f.Add("Bearer eyJhbGciOiJSUzI1NiJ9.e30.")
	c := token.New(&http.Client{Transport: refusing{}}, time.Now)
	f.Fuzz(func(t *testing.T, header string) {
		r := &http.Request{Header: http.Header{"Authorization": {header}}}
		if c.Check(t.Context(), r, &balancer.JWTAction{JWKSEndpoint: "http://x"}) == "" {
			t.Errorf("%q passes", header)
		}
	})
}

// refusing reaches nobody.
type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, http.ErrServerClosed }
