package token

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Limits of key sets, as AWS documents them.
const (
	maxSet  = 150 << 10
	maxKeys = 10
)

const (
	// fresh is how long keys are taken for what the issuer has.
	fresh = 10 * time.Minute
	// again is how soon they may be asked for once more, when a token names a key that
	// is not among them, or they could not be had.
	again = 10 * time.Second
	// patience is how long an issuer may take.
	patience = 5 * time.Second
)

// keys are the key sets of issuers, by endpoint.
type keys struct {
	client  *http.Client
	now     func() time.Time
	fetches singleflight.Group

	mu   sync.Mutex
	sets map[string]set
}

// set is what an endpoint said.
type set struct {
	keys   map[string]*rsa.PublicKey // by id
	reason string                    // why there are none; empty when they were had
	at     time.Time                 // when it was asked
}

func newKeys(client *http.Client, now func() time.Time) *keys {
	return &keys{client: client, now: now, sets: map[string]set{}}
}

// find gives the key of an issuer; nil for none of that name. A token without a name
// means the only key there is. The reason is why the keys are not known.
func (k *keys) find(ctx context.Context, endpoint, id string) (*rsa.PublicKey, string) {
	k.mu.Lock()
	have, known := k.sets[endpoint]
	k.mu.Unlock()
	age := k.now().Sub(have.at)
	key := have.key(id)
	if known && (age < again || key != nil && age < fresh) {
		return key, have.reason
	}
	got := k.fetch(ctx, endpoint)
	if key = got.key(id); key == nil {
		return nil, got.reason
	}
	return key, ""
}

func (s *set) key(id string) *rsa.PublicKey {
	if id == "" && len(s.keys) == 1 {
		for _, only := range s.keys {
			return only
		}
	}
	return s.keys[id]
}

// fetch asks the issuer once for all who wait. Keys that were had stay where the issuer
// does not answer.
func (k *keys) fetch(ctx context.Context, endpoint string) set {
	got, _, _ := k.fetches.Do(endpoint, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		s := set{at: k.now()}
		s.keys, s.reason = k.ask(ctx, endpoint)
		k.mu.Lock()
		defer k.mu.Unlock()
		if before := k.sets[endpoint]; s.reason != "" && before.keys != nil {
			s.keys, s.reason = before.keys, ""
		}
		k.sets[endpoint] = s
		return s, nil
	})
	return got.(set)
}

func (k *keys) ask(ctx context.Context, endpoint string) (map[string]*rsa.PublicKey, string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return nil, KeysFailed
	}
	answer, err := k.client.Do(r)
	var body []byte
	if err == nil {
		defer answer.Body.Close()
		body, err = io.ReadAll(io.LimitReader(answer.Body, maxSet+1))
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, KeysTimeout
	case err != nil || answer.StatusCode != http.StatusOK:
		return nil, KeysFailed
	case len(body) > maxSet:
		return nil, KeysTooLarge
	}
	return read(body)
}

// read reads a key set (RFC 7517); keys that cannot sign RS256 are left out.
func read(body []byte) (map[string]*rsa.PublicKey, string) {
	var said struct {
		Keys []struct {
			Type     string `json:"kty"`
			ID       string `json:"kid"`
			Use      string `json:"use"`
			Modulus  string `json:"n"`
			Exponent string `json:"e"`
		} `json:"keys"`
	}
	if json.Unmarshal(body, &said) != nil {
		return nil, KeysFailed
	}
	if len(said.Keys) > maxKeys {
		return nil, KeysTooLarge
	}
	all := map[string]*rsa.PublicKey{}
	for _, one := range said.Keys {
		n, err1 := base64.RawURLEncoding.DecodeString(one.Modulus)
		e, err2 := base64.RawURLEncoding.DecodeString(one.Exponent)
		if one.Type != "RSA" || one.Use == "enc" || err1 != nil || err2 != nil || len(n) == 0 || len(e) == 0 || len(e) > 4 {
			continue
		}
		all[one.ID] = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	}
	return all, ""
}
