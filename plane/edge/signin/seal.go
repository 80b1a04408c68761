package signin

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
)

// seal closes what clients carry for us, so that they can neither read nor make it.
type seal struct{ cipher.AEAD }

func newSeal(secret []byte) *seal {
	block, err := aes.NewCipher(derived(secret, "sign-in cookies"))
	if err != nil {
		panic(err) // the key has the right length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the right block
	}
	return &seal{aead}
}

// derived is a key of 32 bytes for one use.
func derived(secret []byte, use string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, use, 32)
	if err != nil {
		panic(err) // 32 bytes are not too many
	}
	return key
}

// close seals v for one purpose; what is sealed for another does not open as it.
func (s *seal) close(purpose string, v any) string {
	plain, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types
	}
	return base64.RawURLEncoding.EncodeToString(s.Seal(nil, nil, plain, []byte(purpose)))
}

func (s *seal) open(purpose, text string, v any) bool {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	plain, err := s.Open(nil, nil, sealed, []byte(purpose))
	return err == nil && json.Unmarshal(plain, v) == nil
}

// random is a text that nobody guesses.
func random() string { return rand.Text() }
