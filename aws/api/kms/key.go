package kms

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/kms"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

func (a *API) createKey(ctx context.Context, call *gateway.Call, in *shape.CreateKeyRequest) (*shape.CreateKeyResponse, error) {
	if err := checkKind(in); err != nil {
		return nil, err
	}
	tags, err := withTags(nil, member.Each(in.Tags, readTag))
	if err != nil {
		return nil, err
	}
	if in.Policy != nil {
		if err := checkPolicy(*in.Policy); err != nil {
			return nil, err
		}
	}
	id := newID()
	k := &secret.Key{
		Scope: call.Scope, ID: id, ARN: secret.KeyARN(call.Scope, id), Description: member.Value(in.Description), State: secret.Enabled,
		Policy: member.Value(in.Policy), Tags: tags, CreatedAt: call.Now,
	}
	m, err := a.vault.NewMaterial(k.ARN, call.Now)
	if err != nil {
		return nil, err
	}
	k.Materials = []secret.Material{m}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		store.CryptKeys.Put(tx, k)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.CreateKeyResponse{KeyMetadata: show(k)}, nil
}

// checkKind refuses what is no symmetric key of one region made by us.
func checkKind(in *shape.CreateKeyRequest) error {
	unsupported := func(what string, value any) error {
		return fault.New(fault.UnsupportedKeyOperation, "%s %v is not supported.", what, value).
			WithHint("berth has symmetric encryption keys of one region: KeyUsage ENCRYPT_DECRYPT, KeySpec SYMMETRIC_DEFAULT, Origin AWS_KMS")
	}
	switch {
	case in.KeySpec != "" && in.CustomerMasterKeySpec != "":
		return invalid("You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.")
	case in.KeyUsage != "" && in.KeyUsage != shape.KeyUsageTypeEncryptDecrypt:
		return unsupported("KeyUsage", in.KeyUsage)
	case in.KeySpec != "" && in.KeySpec != shape.KeySpecSymmetricDefault:
		return unsupported("KeySpec", in.KeySpec)
	case in.CustomerMasterKeySpec != "" && in.CustomerMasterKeySpec != shape.CustomerMasterKeySpecSymmetricDefault:
		return unsupported("CustomerMasterKeySpec", in.CustomerMasterKeySpec)
	case in.Origin != "" && in.Origin != shape.OriginTypeAwsKms:
		return unsupported("Origin", in.Origin)
	case member.Value(in.MultiRegion):
		return unsupported("MultiRegion", true)
	case in.CustomKeyStoreId != nil || in.XksKeyId != nil:
		return unsupported("A custom key store", "")
	}
	return nil
}

func show(k *secret.Key) *shape.KeyMetadata {
	out := &shape.KeyMetadata{
		AWSAccountId: &k.Scope.Account, KeyId: &k.ID, Arn: &k.ARN, CreationDate: &k.CreatedAt, Enabled: new(k.State == secret.Enabled),
		Description: &k.Description, KeyUsage: shape.KeyUsageTypeEncryptDecrypt, KeyState: shape.KeyState(k.State), DeletionDate: member.Time(k.DeleteAt),
		Origin: shape.OriginTypeAwsKms, KeyManager: shape.KeyManagerTypeCustomer, CustomerMasterKeySpec: shape.CustomerMasterKeySpecSymmetricDefault,
		KeySpec: shape.KeySpecSymmetricDefault, EncryptionAlgorithms: []shape.EncryptionAlgorithmSpec{shape.EncryptionAlgorithmSpecSymmetricDefault},
		MultiRegion: new(false), CurrentKeyMaterialId: &k.Materials[len(k.Materials)-1].ID,
	}
	if k.Managed {
		out.KeyManager = shape.KeyManagerTypeAws
	}
	return out
}

func (a *API) describeKey(ctx context.Context, call *gateway.Call, in *shape.DescribeKeyRequest) (*shape.DescribeKeyResponse, error) {
	if err := a.ensureManaged(ctx, call, *in.KeyId); err != nil {
		return nil, err
	}
	k, err := findAny(a.store.View(), call, *in.KeyId)
	if err != nil {
		return nil, err
	}
	return &shape.DescribeKeyResponse{KeyMetadata: show(k)}, nil
}

func (a *API) listKeys(_ context.Context, call *gateway.Call, in *shape.ListKeysRequest) (*shape.ListKeysResponse, error) {
	var all []*secret.Key
	for k := range store.CryptKeys.Prefix(a.store.View(), store.ScopeKey(call.Scope, "")) {
		if !k.Gone(call.Now) {
			all = append(all, k)
		}
	}
	list, next, err := cut(all, in.Marker, in.Limit, 100, func(k *secret.Key) string { return k.ID })
	if err != nil {
		return nil, err
	}
	return &shape.ListKeysResponse{NextMarker: next, Truncated: new(next != nil), Keys: member.Each(list, func(k **secret.Key) shape.KeyListEntry {
		return shape.KeyListEntry{KeyId: &(*k).ID, KeyArn: &(*k).ARN}
	})}, nil
}

func (a *API) updateKeyDescription(ctx context.Context, call *gateway.Call, in *shape.UpdateKeyDescriptionRequest) (*wire.Empty, error) {
	return a.changeLive(ctx, call, *in.KeyId, func(_ *store.Tx, k *secret.Key) error {
		k.Description = *in.Description
		return nil
	})
}

func (a *API) enableKey(ctx context.Context, call *gateway.Call, in *shape.EnableKeyRequest) (*wire.Empty, error) {
	return a.changeLive(ctx, call, *in.KeyId, func(_ *store.Tx, k *secret.Key) error {
		k.State = secret.Enabled
		return nil
	})
}

func (a *API) disableKey(ctx context.Context, call *gateway.Call, in *shape.DisableKeyRequest) (*wire.Empty, error) {
	return a.changeLive(ctx, call, *in.KeyId, func(_ *store.Tx, k *secret.Key) error {
		k.State = secret.Disabled
		return nil
	})
}

// defaultWindow is how many days a deletion waits unless told.
const defaultWindow = 30

func (a *API) scheduleKeyDeletion(ctx context.Context, call *gateway.Call, in *shape.ScheduleKeyDeletionRequest) (*shape.ScheduleKeyDeletionResponse, error) {
	days := int32(defaultWindow)
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	if days < 7 || days > 30 {
		return nil, invalid("PendingWindowInDays must be between 7 and 30 days (inclusive).")
	}
	k, err := a.change(ctx, call, *in.KeyId, func(_ *store.Tx, k *secret.Key) error {
		if k.State == secret.PendingDeletion {
			return k.Usable()
		}
		k.State, k.DeleteAt, k.Window = secret.PendingDeletion, call.Now.AddDate(0, 0, int(days)), days
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.ScheduleKeyDeletionResponse{
		KeyId: &k.ARN, DeletionDate: &k.DeleteAt, KeyState: shape.KeyStatePendingDeletion, PendingWindowInDays: &k.Window,
	}, nil
}

func (a *API) cancelKeyDeletion(ctx context.Context, call *gateway.Call, in *shape.CancelKeyDeletionRequest) (*shape.CancelKeyDeletionResponse, error) {
	k, err := a.change(ctx, call, *in.KeyId, func(_ *store.Tx, k *secret.Key) error {
		if k.State != secret.PendingDeletion {
			return fault.New(fault.KeyInvalidState, "%s is not pending deletion.", k.ARN)
		}
		k.State, k.DeleteAt, k.Window = secret.Disabled, time.Time{}, 0
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.CancelKeyDeletionResponse{KeyId: &k.ARN}, nil
}
