// Package ssm answers the operations of AWS Systems Manager's Parameter Store.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/Welcome.html
//
// A file holds the operations of one concern. Values of SecureString parameters are
// sealed by the vault before they come near the store.
package ssm

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/secretsmanager"
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

// Secrets answers for parameters that refer to a secret of Secrets Manager.
type Secrets interface {
	GetSecretValue(context.Context, *gateway.Call, *secretsmanager.GetSecretValueRequest) (*secretsmanager.GetSecretValueResponse, error)
	NeedsOfGet(*gateway.Call, *secretsmanager.GetSecretValueRequest) []gateway.Need
}

// Config is what the API is built from.
type Config struct {
	Store   store.Store
	Vault   Vault
	Secrets Secrets
}

// API answers the Parameter Store.
type API struct {
	store   store.Store
	vault   Vault
	secrets Secrets
}

// New makes the API.
func New(c Config) *API { return &API{store: c.Store, vault: c.Vault, secrets: c.Secrets} }

// Operations are the handlers by operation name. What is not here is not
// supported, and the gateway says so.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"PutParameter":     gateway.Handle(a.putParameter),
		"DeleteParameter":  gateway.Handle(a.deleteParameter),
		"DeleteParameters": gateway.Handle(a.deleteParameters),

		"GetParameter":        gateway.Handle(a.getParameter),
		"GetParameters":       gateway.Handle(a.getParameters),
		"GetParametersByPath": gateway.Handle(a.getParametersByPath),
		"GetParameterHistory": gateway.Handle(a.getParameterHistory),
		"DescribeParameters":  gateway.Handle(a.describeParameters),

		"LabelParameterVersion":   gateway.Handle(a.labelParameterVersion),
		"UnlabelParameterVersion": gateway.Handle(a.unlabelParameterVersion),

		"AddTagsToResource":      gateway.Handle(a.addTagsToResource),
		"RemoveTagsFromResource": gateway.Handle(a.removeTagsFromResource),
		"ListTagsForResource":    gateway.Handle(a.listTagsForResource),
	}
}
