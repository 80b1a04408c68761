// Package authmsg seals what a refusal tells about its decision. EC2 answers it
// encoded; who may call sts:DecodeAuthorizationMessage reads it.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
package authmsg

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/berthhq/berth/protocol/keyfile"
)

// KeySize is the length of a Sealer's key, in bytes.
const KeySize = 32

// most is how long a message may be when it is opened, in bytes.
const most = 64 << 10

// Sealer seals and opens messages with one key. Safe for concurrent use.
type Sealer struct{ aead cipher.AEAD }

// New makes a Sealer of a key of KeySize bytes.
func New(key []byte) (*Sealer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("a key of %d bytes, not %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead}, nil
}

// Load makes a Sealer of the key in a file, and the key when there is none.
func Load(file string) (*Sealer, error) {
	key, err := keyfile.ReadOrMake(file, func() ([]byte, error) {
		fresh := make([]byte, KeySize)
		rand.Read(fresh) // never fails
		return fresh, nil
	})
	if err != nil {
		return nil, fmt.Errorf("the key of authorization messages: %w", err)
	}
	return New(key)
}

// Seal encodes a message, JSON, as letters, digits, - and _.
func (s *Sealer) Seal(message []byte) string {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression) // fails for unknown levels only
	_, _ = w.Write(message)                                 // a buffer takes all
	_ = w.Close()
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce)
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, packed.Bytes(), nil))
}

// Open gives the message back. What another key sealed, or nobody did, is an error.
func (s *Sealer) Open(sealed string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return nil, fmt.Errorf("not an authorization message: %w", err)
	}
	if len(raw) < s.aead.NonceSize() {
		return nil, errors.New("not an authorization message: too short")
	}
	nonce, body := raw[:s.aead.NonceSize()], raw[s.aead.NonceSize():]
	packed, err := s.aead.Open(nil, nonce, body, nil)
	if err != nil {
		return nil, fmt.Errorf("not an authorization message of ours: %w", err)
	}
	message, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("unpacking an authorization message: %w", err)
	case len(message) > most:
		return nil, errors.New("an authorization message is too long")
	}
	return message, nil
}
