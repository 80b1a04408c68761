package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"sync"
)

// maxDerived bounds the keyring: 4096 sessions of tasks a day and region. Beyond
// it all is forgotten, which costs four HMACs a key.
const maxDerived = 4096

// keyring remembers derived keys: deriving costs four HMACs, using one.
type keyring struct {
	mu      sync.RWMutex
	derived map[derivation]derivedKey
}

// derivation has the secret itself, not the key's id, so that a changed secret
// is never answered with the old one's key.
type derivation struct{ secret, date, region, service string }

type derivedKey [sha256.Size]byte

func (k *keyring) get(secret, date, region, service string) (key derivedKey, known bool) {
	k.mu.RLock()
	key, known = k.derived[derivation{secret, date, region, service}]
	k.mu.RUnlock()
	if !known {
		key = derive(secret, date, region, service)
	}
	return key, known
}

func (k *keyring) put(secret, date, region, service string, key derivedKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.derived == nil || len(k.derived) >= maxDerived {
		k.derived = make(map[derivation]derivedKey)
	}
	k.derived[derivation{secret, date, region, service}] = key
}

func derive(secret, date, region, service string) derivedKey {
	key := []byte("AWS4" + secret)
	for _, word := range []string{date, region, service, terminator} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(word))
		key = mac.Sum(nil)
	}
	return derivedKey(key)
}
