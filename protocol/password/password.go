// Package password keeps passwords so that nobody can read them.
package password

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/bcrypt"
)

// Hash is what is stored of a password. It takes a tenth of a second or so, as it
// must.
func Hash(text string) (string, error) {
	hash, err := bcrypt.GenerateFromPassword(digest(text), bcrypt.DefaultCost)
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return string(hash), nil
}

// Matches tells whether the hash is of the password.
func Matches(hash, text string) bool {
	return bcrypt.CompareHashAndPassword([]byte(hash), digest(text)) == nil
}

// digest makes all of a password count: bcrypt reads 72 bytes, IAM allows 128
// characters.
func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return []byte(base64.StdEncoding.EncodeToString(sum[:]))
}
