// Package kms answers the operations of AWS Key Management Service for symmetric
// encryption keys. Grants, and keys that sign, are not there.
// https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html
package kms

import (
	"time"

	"github.com/google/uuid"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// Vault makes materials of keys, and encrypts with them.
type Vault interface {
	// Managed is the key that AWS manages for a service, made on first use.
	Managed(tx *store.Tx, scope arn.Scope, service string, now time.Time) (*secret.Key, error)
	NewMaterial(keyARN string, now time.Time) (secret.Material, error)
	Seal(k *secret.Key, plain []byte, context map[string]string) ([]byte, error)
	Open(k *secret.Key, sealed []byte, context map[string]string) ([]byte, error)
	// KeyID is the id of the key that a blob says it is sealed with.
	KeyID(sealed []byte) (string, error)
}

// API answers KMS.
type API struct {
	store store.Store
	vault Vault
}

// New makes the API.
func New(st store.Store, vault Vault) *API { return &API{store: st, vault: vault} }

func newID() string { return uuid.NewString() }

// Operations are the handlers by operation name. What is not here is not
// supported, and the gateway says so.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"CreateKey":            gateway.Handle(a.createKey),
		"DescribeKey":          gateway.Handle(a.describeKey),
		"ListKeys":             gateway.Handle(a.listKeys),
		"UpdateKeyDescription": gateway.Handle(a.updateKeyDescription),
		"EnableKey":            gateway.Handle(a.enableKey),
		"DisableKey":           gateway.Handle(a.disableKey),
		"ScheduleKeyDeletion":  gateway.Handle(a.scheduleKeyDeletion),
		"CancelKeyDeletion":    gateway.Handle(a.cancelKeyDeletion),

		"CreateAlias": gateway.Handle(a.createAlias),
		"UpdateAlias": gateway.Handle(a.updateAlias),
		"DeleteAlias": gateway.Handle(a.deleteAlias),
		"ListAliases": gateway.Handle(a.listAliases),

		"Encrypt":                         gateway.Handle(a.encrypt),
		"Decrypt":                         gateway.Handle(a.decrypt),
		"ReEncrypt":                       gateway.Handle(a.reEncrypt),
		"GenerateDataKey":                 gateway.Handle(a.generateDataKey),
		"GenerateDataKeyWithoutPlaintext": gateway.Handle(a.generateDataKeyWithoutPlaintext),
		"GenerateRandom":                  gateway.Handle(generateRandom),

		"GetKeyPolicy":    gateway.Handle(a.getKeyPolicy),
		"PutKeyPolicy":    gateway.Handle(a.putKeyPolicy),
		"ListKeyPolicies": gateway.Handle(a.listKeyPolicies),

		"EnableKeyRotation":    gateway.Handle(a.enableKeyRotation),
		"DisableKeyRotation":   gateway.Handle(a.disableKeyRotation),
		"GetKeyRotationStatus": gateway.Handle(a.getKeyRotationStatus),

		"TagResource":      gateway.Handle(a.tagResource),
		"UntagResource":    gateway.Handle(a.untagResource),
		"ListResourceTags": gateway.Handle(a.listResourceTags),
	}
}
