package web

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// Names of the cookies that a balancer makes.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#sticky-sessions
const (
	cookieLB       = "AWSALB"
	cookieLBCORS   = "AWSALBCORS"
	cookieApp      = "AWSALBAPP-0"
	cookieGroup    = "AWSALBTG"
	cookieGroupAll = "AWSALBTGCORS"
)

// cookies seals what the balancer tells clients to bring back, so that they can neither
// read nor make it.
type cookies struct{ seal cipher.AEAD }

// ownSecret is for cookies of balancers that have none.
func ownSecret() []byte {
	secret := make([]byte, 32)
	rand.Read(secret)
	return secret
}

func cookiesOf(secret []byte) *cookies {
	key := sha256.Sum256(secret)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key has the right length
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the right block
	}
	return &cookies{seal}
}

// bond is what a stickiness cookie holds.
type bond struct {
	Group  string    `json:"g"`
	Target string    `json:"t,omitempty"`
	Until  time.Time `json:"u"`
}

func (c *cookies) close(name string, v any) string {
	plain, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types
	}
	nonce := make([]byte, c.seal.NonceSize())
	rand.Read(nonce)
	return base64.RawURLEncoding.EncodeToString(c.seal.Seal(nonce, nonce, plain, []byte(name)))
}

func (c *cookies) open(name, text string, v any) bool {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(sealed) < c.seal.NonceSize() {
		return false
	}
	nonce := sealed[:c.seal.NonceSize()]
	plain, err := c.seal.Open(nil, nonce, sealed[len(nonce):], []byte(name))
	return err == nil && json.Unmarshal(plain, v) == nil
}

// bound reads a bond that a client brought; the zero one for none that holds.
func (c *cookies) bound(asked wire.Fields, name string, now time.Time) (b bond) {
	r := http.Request{Header: http.Header{"Cookie": asked.Values("Cookie")}}
	for _, k := range r.CookiesNamed(name) {
		var found bond
		if c.open(name, k.Value, &found) && now.Before(found.Until) {
			return found
		}
	}
	return bond{}
}

// set has the client keep a bond; cors is the second cookie's name, for requests that
// come from other sites' pages, empty for none.
func (c *cookies) set(h *wire.Fields, name, cors string, b bond, now time.Time) {
	add := func(as string, foreign bool) {
		k := http.Cookie{Name: as, Value: c.close(as, b), Path: "/", Expires: b.Until, MaxAge: int(b.Until.Sub(now).Seconds())}
		if foreign {
			k.SameSite, k.Secure = http.SameSiteNoneMode, true
		}
		h.Add("Set-Cookie", k.String())
	}
	add(name, false)
	if cors != "" {
		add(cors, true)
	}
}
