// Package token checks the tokens (JWT) that programs bring to Application balancers:
// who signed them, for how long they hold, and what they claim.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-verify-jwt.html
package token

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// Reasons why a token does not let a request pass, as the access log names them.
const (
	NotPresent    = "JWTHeaderNotPresent"
	Malformed     = "JWTRequestFormatInvalid"
	KeysTimeout   = "JWKSRequestTimeout"
	KeysTooLarge  = "JWKSResponseSizeExceeded"
	KeysFailed    = "JWKSRequestFailed"
	BadSignature  = "JWTSignatureValidationFailed"
	ClaimMissing  = "JWTClaimNotPresent"
	ClaimMisshape = "JWTClaimFormatInvalid"
	ClaimValue    = "JWTClaimValueInvalid"
)

// maxToken bounds what is decoded at all: a header line is not longer.
const maxToken = 16 << 10

// Checker checks tokens. It remembers the keys of issuers.
type Checker struct {
	keys *keys
	now  func() time.Time
}

// New makes a Checker that fetches keys with the client.
func New(client *http.Client, now func() time.Time) *Checker {
	return &Checker{keys: newKeys(client, now), now: now}
}

// Check is the reason why the request's token is not good enough for the action; empty
// when it is.
func (c *Checker) Check(ctx context.Context, r *http.Request, a *balancer.JWTAction) string {
	text, reason := bearer(r.Header)
	if reason != "" {
		return reason
	}
	t, ok := parse(text)
	if !ok {
		return Malformed
	}
	if t.algorithm != "RS256" { // the only one, as on AWS: a token must not choose
		return BadSignature
	}
	key, reason := c.keys.find(ctx, a.JWKSEndpoint, t.key)
	if reason != "" {
		return reason
	}
	sum := sha256.Sum256([]byte(t.signed))
	if key == nil || rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], t.signature) != nil {
		return BadSignature
	}
	return judge(t.claims, a, c.now())
}

// bearer is the token of the one Authorization header.
func bearer(h http.Header) (text, reason string) {
	lines := h["Authorization"]
	switch {
	case len(lines) == 0:
		return "", NotPresent
	case len(lines) > 1:
		return "", Malformed
	}
	scheme, text, _ := strings.Cut(lines[0], " ")
	if text = strings.TrimSpace(text); !strings.EqualFold(scheme, "Bearer") || text == "" || len(text) > maxToken {
		return "", Malformed
	}
	return text, ""
}

// parsed is a token in its compact form (RFC 7515, 7.1), not yet believed.
type parsed struct {
	algorithm, key string
	signed         string
	signature      []byte
	claims         map[string]any
}

func parse(text string) (t parsed, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return t, false
	}
	var head struct {
		Algorithm string   `json:"alg"`
		Key       string   `json:"kid"`
		Critical  []string `json:"crit"`
	}
	if !decode(parts[0], &head) || !decode(parts[1], &t.claims) || t.claims == nil || len(head.Critical) > 0 {
		return t, false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	t.algorithm, t.key, t.signature, t.signed = head.Algorithm, head.Key, signature, parts[0]+"."+parts[1]
	return t, err == nil
}

func decode(part string, v any) bool {
	plain, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(plain, v) == nil
}
