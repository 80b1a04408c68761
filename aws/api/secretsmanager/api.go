// Package secretsmanager answers the operations of AWS Secrets Manager.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html
//
// A file holds the operations of one concern. Values are sealed by the vault before
// they come near the store, and opened for answers only.
package secretsmanager

import (
	"crypto/rand"
	"time"

	"github.com/google/uuid"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// Vault seals and opens.
type Vault interface {
	// Managed is the key that AWS manages for a service, made on first use.
	Managed(tx *store.Tx, scope arn.Scope, service string, now time.Time) (*secret.Key, error)
	Seal(k *secret.Key, plain []byte, context map[string]string) ([]byte, error)
	Open(k *secret.Key, sealed []byte, context map[string]string) ([]byte, error)
}

// Config is what the API is built from.
type Config struct {
	Store store.Store
	Vault Vault
	// Hooked tells whether an operator's address answers for a function.
	Hooked func(lambdaARN string) bool
}

// API answers Secrets Manager.
type API struct {
	store  store.Store
	vault  Vault
	hooked func(string) bool
}

// New makes the API.
func New(c Config) *API { return &API{store: c.Store, vault: c.Vault, hooked: c.Hooked} }

// newSuffix ends an ARN.
func newSuffix() string { return rand.Text()[:secret.SuffixLength] }

// versionID is the caller's token, or a new id where there is none.
func versionID(token *string) string {
	if token != nil {
		return *token
	}
	return uuid.NewString()
}

// Operations are the handlers by operation name. What is not here is not
// supported, and the gateway says so.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"CreateSecret":   gateway.Handle(a.createSecret),
		"DescribeSecret": gateway.Handle(a.describeSecret),
		"ListSecrets":    gateway.Handle(a.listSecrets),
		"UpdateSecret":   gateway.Handle(a.updateSecret),
		"DeleteSecret":   gateway.Handle(a.deleteSecret),
		"RestoreSecret":  gateway.Handle(a.restoreSecret),

		"GetSecretValue":           gateway.Handle(a.GetSecretValue),
		"BatchGetSecretValue":      gateway.Handle(a.batchGetSecretValue),
		"PutSecretValue":           gateway.Handle(a.putSecretValue),
		"ListSecretVersionIds":     gateway.Handle(a.listSecretVersionIds),
		"UpdateSecretVersionStage": gateway.Handle(a.updateSecretVersionStage),

		"TagResource":   gateway.Handle(a.tagResource),
		"UntagResource": gateway.Handle(a.untagResource),

		"GetResourcePolicy":      gateway.Handle(a.getResourcePolicy),
		"PutResourcePolicy":      gateway.Handle(a.putResourcePolicy),
		"DeleteResourcePolicy":   gateway.Handle(a.deleteResourcePolicy),
		"ValidateResourcePolicy": gateway.Handle(a.validateResourcePolicy),

		"RotateSecret":       gateway.Handle(a.rotateSecret),
		"CancelRotateSecret": gateway.Handle(a.cancelRotateSecret),

		"GetRandomPassword": gateway.Handle(getRandomPassword),

		"ReplicateSecretToRegions":     gateway.Handle(a.replicateSecretToRegions),
		"RemoveRegionsFromReplication": gateway.Handle(a.removeRegionsFromReplication),
		"StopReplicationToReplica":     gateway.Handle(a.stopReplicationToReplica),
	}
}
