package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
)

const (
	saltLength  = 16
	keyLength   = 32
	nonceLength = 12
	tagLength   = 16
	purpose     = "berth vault 1"
)

var errSealed = errors.New("it does not open")

// seal puts header, salt and ciphertext together. What is derived from a fresh
// salt encrypts once, so that no nonce is ever used twice.
func seal(secret, header, bound, plain []byte) ([]byte, error) {
	out := make([]byte, len(header)+saltLength, len(header)+saltLength+len(plain)+tagLength)
	copy(out, header)
	salt := out[len(header):]
	rand.Read(salt) // never fails
	aead, nonce, err := derive(secret, salt)
	if err != nil {
		return nil, err
	}
	return aead.Seal(out, nonce, plain, slices.Concat(header, bound)), nil
}

// open undoes seal.
func open(secret, header, bound, sealed []byte) ([]byte, error) {
	if len(sealed) < len(header)+saltLength+tagLength {
		return nil, errSealed
	}
	salt, body := sealed[len(header):len(header)+saltLength], sealed[len(header)+saltLength:]
	aead, nonce, err := derive(secret, salt)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nonce, body, slices.Concat(header, bound))
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

func derive(secret, salt []byte) (cipher.AEAD, []byte, error) {
	both, err := hkdf.Key(sha256.New, secret, salt, purpose, keyLength+nonceLength)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(both[:keyLength])
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	return aead, both[keyLength:], err
}

// bind makes bytes of texts that no other texts make.
func bind(texts ...string) []byte {
	var out []byte
	for _, t := range texts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(t)))
		out = append(out, t...)
	}
	return out
}
