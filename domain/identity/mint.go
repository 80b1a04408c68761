package identity

import (
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"io"
	"time"
)

// NewKey mints a long-term key of a principal. entropy is crypto/rand.Reader
// outside of tests.
func NewKey(p Principal, entropy io.Reader, now time.Time) (AccessKey, error) {
	return mint("AKIA", p, entropy, now)
}

// NewSession mints a temporary key with a session token. A zero expires means
// that it holds until it is taken back, as an agent's keys do.
func NewSession(p Principal, entropy io.Reader, now, expires time.Time) (AccessKey, error) {
	key, err := mint("ASIA", p, entropy, now)
	if err != nil {
		return AccessKey{}, err
	}
	token := make([]byte, 96)
	if _, err := io.ReadFull(entropy, token); err != nil {
		return AccessKey{}, fmt.Errorf("minting a session token: %w", err)
	}
	key.SessionToken, key.ExpiresAt = base64.StdEncoding.EncodeToString(token), expires
	return key, nil
}

// mint makes ids of 20 characters and secrets of 40, as AWS's are: tools check
// the lengths.
func mint(prefix string, p Principal, entropy io.Reader, now time.Time) (AccessKey, error) {
	random := make([]byte, 10+30)
	if _, err := io.ReadFull(entropy, random); err != nil {
		return AccessKey{}, fmt.Errorf("minting an access key: %w", err)
	}
	return AccessKey{
		ID:        prefix + base32.StdEncoding.EncodeToString(random[:10]),
		Secret:    base64.StdEncoding.EncodeToString(random[10:]),
		Principal: p,
		Active:    true,
		CreatedAt: now,
	}, nil
}

// Prefixes of the unique ids of IAM's resources.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
const (
	RoleID            = "AROA"
	UserID            = "AIDA"
	GroupID           = "AGPA"
	ManagedPolicyID   = "ANPA"
	InstanceProfileID = "AIPA"
)

// idLength is what follows the prefix of a unique id.
const idLength = 17

// NewID makes a unique id. entropy is crypto/rand.Reader outside of tests.
func NewID(prefix string, entropy io.Reader) (string, error) {
	random := make([]byte, 11) // 88 bits; 17 characters carry 85
	if _, err := io.ReadFull(entropy, random); err != nil {
		return "", fmt.Errorf("making an id: %w", err)
	}
	return prefix + base32.StdEncoding.EncodeToString(random)[:idLength], nil
}
