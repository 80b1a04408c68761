package registry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/image"
)

// TokenLife is how long an authorization token lasts, as AWS has it.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
const TokenLife = 12 * time.Hour

// Grant is what a token proves: whose it is and until when.
type Grant struct {
	Principal   identity.Principal
	AccessKeyID string // the key that asked for the token; the token ends with it
	Expires     time.Time

	// Only is the one path, as route.path writes it inside, that the token may
	// read; empty for all the principal may do.
	Only string `json:",omitempty"`
}

// layerLife is how long a download address of a layer works, as AWS has it.
const layerLife = time.Hour

// Reasons a token is refused.
var (
	ErrTokenInvalid = errors.New("the authorization token is invalid")
	ErrTokenExpired = errors.New("the authorization token has expired")
)

// Tokens makes and checks authorization tokens. A token is its grant, signed: any
// server with the same key accepts it, and none keeps a list.
type Tokens struct {
	key []byte
}

// NewTokens signs with a key of at least 32 random bytes.
func NewTokens(key []byte) (*Tokens, error) {
	if len(key) < sha256.Size {
		return nil, fmt.Errorf("the registry's token key has %d bytes, fewer than %d", len(key), sha256.Size)
	}
	return &Tokens{key: key}, nil
}

// LoadTokens signs with the key in the file, which is made when there is none
// (mode 0600).
func LoadTokens(file string) (*Tokens, error) {
	text, err := loadSecret(file)
	if err != nil {
		return nil, fmt.Errorf("registry token key: %w", err)
	}
	key, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("registry token key %s is damaged: %w", file, err)
	}
	return NewTokens(key)
}

// Issue makes a token for the principal that lasts TokenLife, or until the end of
// the session it was asked with. sessionEnd is zero for long-term keys.
func (t *Tokens) Issue(p identity.Principal, accessKeyID string, now, sessionEnd time.Time) (token string, expires time.Time) {
	expires = now.Add(TokenLife).Truncate(time.Second)
	if !sessionEnd.IsZero() && sessionEnd.Before(expires) {
		expires = sessionEnd
	}
	return t.issue(Grant{Principal: p, AccessKeyID: accessKeyID, Expires: expires}), expires
}

// IssueLayer makes a token that reads one layer, for an hour.
func (t *Tokens) IssueLayer(p identity.Principal, accessKeyID string, of image.Place, digest string, now time.Time) string {
	only := route{kind: blobKind, ref: digest}.path(of.Path())
	return t.issue(Grant{Principal: p, AccessKeyID: accessKeyID, Expires: now.Add(layerLife), Only: only})
}

func (t *Tokens) issue(g Grant) string {
	grant, err := json.Marshal(g)
	if err != nil {
		panic(err) // strings and times only
	}
	return base64.RawURLEncoding.EncodeToString(grant) + "." + base64.RawURLEncoding.EncodeToString(t.sign(grant))
}

// Verify reads a token. The error is ErrTokenInvalid or ErrTokenExpired.
func (t *Tokens) Verify(token string, now time.Time) (Grant, error) {
	body, signature, _ := strings.Cut(token, ".")
	grant, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return Grant{}, ErrTokenInvalid
	}
	signed, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(signed, t.sign(grant)) {
		return Grant{}, ErrTokenInvalid
	}
	var g Grant
	if json.Unmarshal(grant, &g) != nil {
		return Grant{}, ErrTokenInvalid
	}
	if !now.Before(g.Expires) {
		return Grant{}, ErrTokenExpired
	}
	return g, nil
}

func (t *Tokens) sign(grant []byte) []byte {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte("berth registry token 1\n"))
	mac.Write(grant)
	return mac.Sum(nil)
}
