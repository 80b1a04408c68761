package kms

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/kms"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

func (a *API) createAlias(ctx context.Context, call *gateway.Call, in *shape.CreateAliasRequest) (*wire.Empty, error) {
	if err := checkAlias(*in.AliasName); err != nil {
		return nil, err
	}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		k, err := target(tx, call, *in.TargetKeyId)
		if err != nil {
			return err
		}
		made := &secret.Alias{Scope: call.Scope, Name: *in.AliasName, ARN: secret.AliasARN(call.Scope, *in.AliasName), KeyID: k.ID, CreatedAt: call.Now, ChangedAt: call.Now}
		if _, ok := store.KeyAliases.Get(tx, store.ScopeKey(call.Scope, made.Name)); ok {
			return fault.New(fault.KeyAlreadyExists, "An alias with the name %s already exists", made.ARN)
		}
		store.KeyAliases.Put(tx, made)
		return nil
	})
	return &wire.Empty{}, err
}

// target is the key that an alias is to mean: of this account, and not to be deleted.
func target(tx *store.Tx, call *gateway.Call, name string) (*secret.Key, error) {
	k, err := find(tx, call, name)
	switch {
	case err != nil:
		return nil, err
	case k.State == secret.PendingDeletion:
		return nil, k.Usable()
	case k.Scope != call.Scope:
		return nil, fault.New(fault.KeyNotFound, "Key '%s' does not exist", name)
	}
	return k, nil
}

func (a *API) updateAlias(ctx context.Context, call *gateway.Call, in *shape.UpdateAliasRequest) (*wire.Empty, error) {
	return a.changeAlias(ctx, call, *in.AliasName, func(tx *store.Tx, have *secret.Alias) error {
		k, err := target(tx, call, *in.TargetKeyId)
		if err != nil {
			return err
		}
		next := *have
		next.KeyID, next.ChangedAt = k.ID, call.Now
		store.KeyAliases.Put(tx, &next)
		return nil
	})
}

func (a *API) deleteAlias(ctx context.Context, call *gateway.Call, in *shape.DeleteAliasRequest) (*wire.Empty, error) {
	return a.changeAlias(ctx, call, *in.AliasName, func(tx *store.Tx, have *secret.Alias) error {
		store.KeyAliases.Delete(tx, store.ScopeKey(have.Scope, have.Name))
		return nil
	})
}

func (a *API) changeAlias(ctx context.Context, call *gateway.Call, name string, fn func(*store.Tx, *secret.Alias) error) (*wire.Empty, error) {
	if err := checkAlias(name); err != nil {
		return nil, err
	}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, ok := store.KeyAliases.Get(tx, store.ScopeKey(call.Scope, name))
		if !ok {
			return fault.New(fault.KeyNotFound, "Alias %s is not found.", secret.AliasARN(call.Scope, name))
		}
		return fn(tx, have)
	})
	return &wire.Empty{}, err
}

func (a *API) listAliases(_ context.Context, call *gateway.Call, in *shape.ListAliasesRequest) (*shape.ListAliasesResponse, error) {
	r, only := a.store.View(), ""
	if in.KeyId != nil {
		k, err := find(r, call, *in.KeyId)
		if err != nil {
			return nil, err
		}
		only = k.ID
	}
	var all []*secret.Alias
	for alias := range store.KeyAliases.Prefix(r, store.ScopeKey(call.Scope, "")) {
		if only == "" || alias.KeyID == only {
			all = append(all, alias)
		}
	}
	list, next, err := cut(all, in.Marker, in.Limit, 50, func(alias *secret.Alias) string { return alias.Name })
	if err != nil {
		return nil, err
	}
	return &shape.ListAliasesResponse{NextMarker: next, Truncated: new(next != nil), Aliases: member.Each(list, func(alias **secret.Alias) shape.AliasListEntry {
		d := *alias
		return shape.AliasListEntry{AliasName: &d.Name, AliasArn: &d.ARN, TargetKeyId: &d.KeyID, CreationDate: &d.CreatedAt, LastUpdatedDate: &d.ChangedAt}
	})}, nil
}
