package signin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// signer signs what targets are told of clients.
type signer struct {
	key *ecdsa.PrivateKey
	id  string
}

// newSigner makes the key out of the secret, so that all edges have the same.
func newSigner(secret []byte) *signer {
	for n := 0; ; n++ {
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), derived(secret, fmt.Sprint("sign-in claims ", n)))
		if err != nil {
			continue // once in 2^32 the number is not one of the curve's
		}
		id := derived(secret, "sign-in claims key id")
		return &signer{key, fmt.Sprintf("%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16])}
	}
}

// Key is the public key, in PEM, that verifies the X-Amzn-Oidc-Data of a balancer with
// the secret, and the id under which tokens name it.
func Key(secret []byte) (id string, text []byte) {
	s := newSigner(secret)
	der, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	if err != nil {
		panic(err) // P-256 has a form
	}
	return s.id, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// dataLife is how long targets may trust what one request told them.
const dataLife = 2 * time.Minute

// headers tell targets who the client is.
func (d *Desk) headers(balancerARN string, a *balancer.OIDCAction, s session) http.Header {
	h := http.Header{}
	h.Set("X-Amzn-Oidc-Accesstoken", s.Access)
	h.Set("X-Amzn-Oidc-Identity", s.Subject)
	h.Set("X-Amzn-Oidc-Data", d.data(balancerARN, a, s))
	return h
}

// data is the claims as a token. Unlike RFC 7515 says, its parts are padded, as AWS's.
func (d *Desk) data(balancerARN string, a *balancer.OIDCAction, s session) string {
	exp := d.now().Add(dataLife).Unix()
	head, err := json.Marshal(map[string]any{
		"alg": "ES256", "typ": "JWT", "kid": d.signer.id, "signer": balancerARN, "iss": providerOf(a).issuer, "client": a.ClientID, "exp": exp,
	})
	if err != nil {
		panic(err) // texts and a number
	}
	text := base64.URLEncoding.EncodeToString(head) + "." + base64.URLEncoding.EncodeToString(withTimes(s.Claims, providerOf(a).issuer, exp))
	return text + "." + base64.URLEncoding.EncodeToString(d.signer.sign(text))
}

// withTimes are the claims with when they expire, and who said them.
func withTimes(claims json.RawMessage, issuer string, exp int64) []byte {
	all := map[string]json.RawMessage{}
	if json.Unmarshal(claims, &all) != nil {
		return claims
	}
	all["exp"], _ = json.Marshal(exp)
	all["iss"], _ = json.Marshal(issuer)
	text, err := json.Marshal(all)
	if err != nil {
		return claims
	}
	return text
}

// sign gives a signature of ES256: two numbers of 32 bytes (RFC 7518, 3.4).
func (s *signer) sign(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	r, t, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		panic(err) // the random source does not fail
	}
	both := make([]byte, 64)
	r.FillBytes(both[:32])
	t.FillBytes(both[32:])
	return both
}
