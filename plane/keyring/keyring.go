// Package keyring keeps what balancers hold secret: the private keys of certificates,
// and the client secrets with which they sign users in. The store has them sealed; they
// are opened for exports and for the snapshots of edges alone.
package keyring

import (
	"log/slog"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/store"
)

// service is whose managed key seals: alias/aws/acm.
const service = "acm"

// Keyring seals and opens. It is safe for many goroutines.
type Keyring struct {
	Vault *vault.Vault
	Log   *slog.Logger
}

// Seal seals what belongs to the resource that the ARN names.
func (k *Keyring) Seal(tx *store.Tx, scope arn.Scope, resource string, plain []byte, now time.Time) ([]byte, error) {
	key, err := k.Vault.Managed(tx, scope, service, now)
	if err != nil {
		return nil, err
	}
	return k.Vault.Seal(key, plain, boundTo(resource))
}

// Open is what was sealed for the resource; an InvalidCiphertext fault when it was
// sealed for another one.
func (k *Keyring) Open(r store.Reader, scope arn.Scope, resource string, sealed []byte) ([]byte, error) {
	key, ok := store.FindCryptKey(r, scope, secret.ManagedPrefix+service)
	if !ok {
		return nil, fault.New(fault.KeyNotFound, "The key %s%s does not exist.", secret.ManagedPrefix, service)
	}
	return k.Vault.Open(key, sealed, boundTo(resource))
}

// boundTo is the encryption context: a secret opens as its resource's only.
func boundTo(resource string) map[string]string { return map[string]string{"ResourceARN": resource} }
