package iam

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// longTerm are the access keys of a user, or of the root of an account: those that
// do not end. owner is the user's id, or the account.
func longTerm(r store.Reader, owner string) (keys []*identity.AccessKey) {
	for k := range store.AccessKeys.By(r, store.AccessKeysByOwner, owner) {
		if k.SessionToken == "" {
			keys = append(keys, k)
		}
	}
	return keys
}

// rootSince is when the account's first key was made.
func rootSince(r store.Reader, account string) (first time.Time) {
	for _, k := range longTerm(r, account) {
		if first.IsZero() || k.CreatedAt.Before(first) {
			first = k.CreatedAt
		}
	}
	return first
}

// owner is whose keys are meant by a user name, or by none: the caller's.
func owner(r store.Reader, call *gateway.Call, name *string) (identity.Principal, *string, error) {
	u, err := userNamed(r, call, name)
	if err != nil {
		return identity.Principal{}, nil, err
	}
	if u == nil {
		return identity.RootPrincipal(call.Scope.Account), nil, nil
	}
	return u.Principal(), &u.Name, nil
}

func statusOf(k *identity.AccessKey) iam.StatusType {
	if k.Active {
		return iam.StatusTypeActive
	}
	return iam.StatusTypeInactive
}

func (a *API) createAccessKey(ctx context.Context, call *gateway.Call, in *iam.CreateAccessKeyRequest) (*iam.CreateAccessKeyResponse, error) {
	var key identity.AccessKey
	var name *string
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		who, user, err := owner(tx, call, in.UserName)
		if err != nil {
			return err
		}
		if len(longTerm(tx, who.UserID)) >= maxKeys {
			return overQuota("AccessKeysPerUser", maxKeys)
		}
		if key, err = identity.NewKey(who, a.entropy, call.Now); err != nil {
			return err
		}
		name = user
		store.AccessKeys.Put(tx, &key)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateAccessKeyResponse{AccessKey: &iam.AccessKey{
		UserName: name, AccessKeyId: &key.ID, Status: iam.StatusTypeActive, SecretAccessKey: &key.Secret, CreateDate: at(key.CreatedAt),
	}}, nil
}

// changeKey changes one key of a user.
func (a *API) changeKey(ctx context.Context, call *gateway.Call, user *string, id string, change func(*store.Tx, *identity.AccessKey) error) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		who, _, err := owner(tx, call, user)
		if err != nil {
			return err
		}
		for _, k := range longTerm(tx, who.UserID) {
			if k.ID == id {
				return change(tx, k)
			}
		}
		return keyMissing(id)
	})
	return &wire.Empty{}, err
}

func keyMissing(id string) *fault.Fault {
	return missing("The Access Key with id %s cannot be found.", id)
}

func (a *API) updateAccessKey(ctx context.Context, call *gateway.Call, in *iam.UpdateAccessKeyRequest) (*wire.Empty, error) {
	if in.Status != iam.StatusTypeActive && in.Status != iam.StatusTypeInactive {
		return nil, fault.New(fault.Validation, "Status must be Active or Inactive.")
	}
	return a.changeKey(ctx, call, in.UserName, *in.AccessKeyId, func(tx *store.Tx, k *identity.AccessKey) error {
		next := *k
		next.Active = in.Status == iam.StatusTypeActive
		store.AccessKeys.Put(tx, &next)
		return nil
	})
}

func (a *API) deleteAccessKey(ctx context.Context, call *gateway.Call, in *iam.DeleteAccessKeyRequest) (*wire.Empty, error) {
	return a.changeKey(ctx, call, in.UserName, *in.AccessKeyId, func(tx *store.Tx, k *identity.AccessKey) error {
		store.AccessKeys.Delete(tx, k.ID)
		return nil
	})
}

func (a *API) listAccessKeys(_ context.Context, call *gateway.Call, in *iam.ListAccessKeysRequest) (*iam.ListAccessKeysResponse, error) {
	v := a.store.View()
	who, name, err := owner(v, call, in.UserName)
	if err != nil {
		return nil, err
	}
	list, more, next, err := listed(in.Marker, in.MaxItems, longTerm(v, who.UserID), func(k *identity.AccessKey) string { return k.ID })
	return &iam.ListAccessKeysResponse{AccessKeyMetadata: member.Each(list, func(k **identity.AccessKey) iam.AccessKeyMetadata {
		return iam.AccessKeyMetadata{UserName: name, AccessKeyId: &(*k).ID, Status: statusOf(*k), CreateDate: at((*k).CreatedAt)}
	}),

		IsTruncated: more, Marker: next}, err
}

func (a *API) getAccessKeyLastUsed(_ context.Context, call *gateway.Call, in *iam.GetAccessKeyLastUsedRequest) (*iam.GetAccessKeyLastUsedResponse, error) {
	v := a.store.View()
	key, ok := store.AccessKeys.Get(v, *in.AccessKeyId)
	if !ok || key.Principal.Account != call.Scope.Account {
		return nil, keyMissing(*in.AccessKeyId)
	}
	out := &iam.GetAccessKeyLastUsedResponse{AccessKeyLastUsed: &iam.AccessKeyLastUsed{ServiceName: new("N/A"), Region: new("N/A")}}
	if u, ok := userByID(v, call.Scope.Account, key.Principal.UserID); ok {
		out.UserName = &u.Name
	}
	if a.usage == nil {
		return out, nil
	}
	if used, ok := a.usage.KeyUsed(key.ID); ok {
		out.AccessKeyLastUsed = &iam.AccessKeyLastUsed{LastUsedDate: at(used.At), ServiceName: &used.Service, Region: &used.Region}
	}
	return out, nil
}
