package join

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Pin is the SHA-256 of a certificate authority's certificate (DER).
type Pin [sha256.Size]byte

// PinOf is the pin of a certificate in DER form.
func PinOf(certificate []byte) Pin { return sha256.Sum256(certificate) }

func (p Pin) String() string { return hex.EncodeToString(p[:]) }

// Token lets one machine join, once.
type Token struct {
	Secret string // 43 characters: 32 random bytes in base64url
	Pin    Pin
}

const (
	prefix       = "berth1" // raised when the form changes
	secretLength = 32       // bytes
)

// NewToken makes a token for the authority with the pin.
func NewToken(pin Pin, entropy io.Reader) (Token, error) {
	secret := make([]byte, secretLength)
	if _, err := io.ReadFull(entropy, secret); err != nil {
		return Token{}, fmt.Errorf("making a join token: %w", err)
	}
	return Token{Secret: base64.RawURLEncoding.EncodeToString(secret), Pin: pin}, nil
}

// String is the whole token, secret included: show it to its owner only.
func (t Token) String() string { return prefix + "." + t.Secret + "." + t.Pin.String() }

// Hash is what servers keep instead of the secret.
func (t Token) Hash() string { return HashSecret(t.Secret) }

// HashSecret is the Hash of the token with the secret.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// ParseToken reads a token. Its error does not quote the text, which is secret.
func ParseToken(text string) (Token, error) {
	parts := strings.Split(strings.TrimSpace(text), ".")
	if len(parts) != 3 || parts[0] != prefix {
		return Token{}, errors.New("this is not a join token: it must look like " + prefix + ".SECRET.PIN, as `berth token create` prints it")
	}
	secret, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || len(secret) != secretLength {
		return Token{}, errors.New("the join token is damaged: its secret must be 43 characters; copy it again")
	}
	pin, err := hex.DecodeString(parts[2])
	if err != nil || len(pin) != sha256.Size {
		return Token{}, errors.New("the join token is damaged: its pin must be 64 hexadecimal digits; copy it again")
	}
	return Token{Secret: parts[1], Pin: Pin(pin)}, nil
}
