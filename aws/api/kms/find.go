package kms

import (
	"context"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// find finds a key by id or ARN, one to be deleted included.
func find(r store.Reader, call *gateway.Call, name string) (*secret.Key, error) {
	if n, ok := secret.ReadKeyName(call.Scope, name); ok && n.Alias != "" {
		return nil, fault.New(fault.KeyNotFound, "Invalid keyId '%s'", name).WithHint("this operation takes the id or the ARN of a key, no alias")
	}
	return findAny(r, call, name)
}

// findAny finds a key by an alias, too.
func findAny(r store.Reader, call *gateway.Call, name string) (*secret.Key, error) {
	n, ok := secret.ReadKeyName(call.Scope, name)
	switch {
	case !ok && arn.IsARN(name):
		return nil, fault.New(fault.InvalidKeyARN, "Invalid arn %s", name)
	case !ok:
		return nil, fault.New(fault.KeyNotFound, "Invalid keyId '%s'", name)
	case n.Scope.Region != call.Scope.Region:
		return nil, fault.New(fault.KeyNotFound, "Invalid arn %s", n.Scope.Region)
	}
	k, ok := store.FindCryptKey(r, call.Scope, name)
	switch {
	case ok && !k.Gone(call.Now):
		return k, nil
	case n.Alias != "":
		return nil, fault.New(fault.KeyNotFound, "Alias %s is not found.", secret.AliasARN(n.Scope, n.Alias))
	}
	return nil, fault.New(fault.KeyNotFound, "Key '%s' does not exist", secret.KeyARN(n.Scope, n.ID))
}

// use finds a key that may encrypt and decrypt. The keys that AWS manages are made
// on first use.
func (a *API) use(ctx context.Context, call *gateway.Call, name string) (*secret.Key, error) {
	if err := a.ensureManaged(ctx, call, name); err != nil {
		return nil, err
	}
	k, err := findAny(a.store.View(), call, name)
	if err != nil {
		return nil, err
	}
	return k, k.Usable()
}

// managedServices are those whose keys AWS manages and that berth knows.
func managedServices() []string {
	return []string{"ebs", "ecr", "elasticfilesystem", "s3", "secretsmanager", "ssm"}
}

// ensureManaged makes the key that AWS manages for the service which an alias names.
func (a *API) ensureManaged(ctx context.Context, call *gateway.Call, name string) error {
	n, ok := secret.ReadKeyName(call.Scope, name)
	if !ok || n.Scope != call.Scope {
		return nil
	}
	for _, service := range managedServices() {
		if n.Alias != secret.ManagedPrefix+service {
			continue
		}
		if _, ok := store.KeyAliases.Get(a.store.View(), store.ScopeKey(n.Scope, n.Alias)); ok {
			return nil
		}
		_, err := a.store.Update(ctx, func(tx *store.Tx) error {
			_, err := a.vault.Managed(tx, n.Scope, service, call.Now)
			return err
		})
		return err
	}
	return nil
}

// change stores what fn makes of a key's copy. Keys that AWS manages do not change.
func (a *API) change(ctx context.Context, call *gateway.Call, name string, fn func(*store.Tx, *secret.Key) error) (*secret.Key, error) {
	var next secret.Key
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := find(tx, call, name)
		if err != nil {
			return err
		}
		if have.Managed {
			return fault.New(fault.AccessDenied, "User: %s is not authorized to perform: kms:%s on resource: %s because no resource-based policy allows the kms:%s action",
				call.Principal.ARN, call.Operation, have.ARN, call.Operation).WithHint("the keys that AWS manages cannot be changed; create a key of your own")
		}
		next = *have
		if err := fn(tx, &next); err != nil {
			return err
		}
		store.CryptKeys.Put(tx, &next)
		return nil
	})
	return &next, err
}

// changeLive is change for a key that is not to be deleted.
func (a *API) changeLive(ctx context.Context, call *gateway.Call, name string, fn func(*store.Tx, *secret.Key) error) (*wire.Empty, error) {
	_, err := a.change(ctx, call, name, func(tx *store.Tx, k *secret.Key) error {
		if k.State == secret.PendingDeletion {
			return k.Usable()
		}
		return fn(tx, k)
	})
	return &wire.Empty{}, err
}

// aliasForm is what KMS says of names of aliases.
func checkAlias(name string) error {
	rest, ok := strings.CutPrefix(name, secret.AliasPrefix)
	switch {
	case !ok || rest == "":
		return fault.New(fault.InvalidAliasName, "Invalid identifier").WithHint("names of aliases begin with %s", secret.AliasPrefix)
	case strings.HasPrefix(name, secret.ManagedPrefix):
		return fault.New(fault.AccessDenied, "Not authorized to create an alias with the prefix %s", secret.ManagedPrefix)
	case strings.Contains(rest, ":"):
		return fault.New(fault.InvalidAliasName, "Alias name contains an invalid character: ':'")
	}
	return nil
}
