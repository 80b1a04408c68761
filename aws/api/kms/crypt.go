package kms

import (
	"context"
	"crypto/rand"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/kms"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
)

const symmetric = shape.EncryptionAlgorithmSpecSymmetricDefault

func checkAlgorithm(a shape.EncryptionAlgorithmSpec) error {
	if a != "" && a != symmetric {
		return fault.New(fault.UnsupportedKeyOperation, "The encryption algorithm %s is not supported.", a).WithHint("use %s", symmetric)
	}
	return nil
}

// dry ends a call that was to try permissions only.
func dry(only *bool) error {
	if member.Value(only) {
		return fault.New(fault.DryRunSucceeded, "The request would have succeeded, but the DryRun option is set.")
	}
	return nil
}

func noRecipient(r *shape.RecipientInfo) error {
	if r != nil {
		return fault.New(fault.UnsupportedKeyOperation, "Recipient is not supported.").WithHint("it is for Nitro enclaves, which berth does not have")
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *API) encrypt(ctx context.Context, call *gateway.Call, in *shape.EncryptRequest) (*shape.EncryptResponse, error) {
	if err := checkAlgorithm(in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	k, err := a.use(ctx, call, *in.KeyId)
	if err := first(err, dry(in.DryRun)); err != nil {
		return nil, err
	}
	blob, err := a.vault.Seal(k, in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &shape.EncryptResponse{CiphertextBlob: blob, KeyId: &k.ARN, EncryptionAlgorithm: symmetric}, nil
}

func (a *API) decrypt(ctx context.Context, call *gateway.Call, in *shape.DecryptRequest) (*shape.DecryptResponse, error) {
	if err := first(checkAlgorithm(in.EncryptionAlgorithm), noRecipient(in.Recipient)); err != nil {
		return nil, err
	}
	if in.CiphertextBlob == nil {
		return nil, invalid("1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null")
	}
	k, plain, err := a.open(ctx, call, in.CiphertextBlob, in.KeyId, in.EncryptionContext)
	if err := first(err, dry(in.DryRun)); err != nil {
		return nil, err
	}
	return &shape.DecryptResponse{KeyId: &k.ARN, Plaintext: plain, EncryptionAlgorithm: symmetric}, nil
}

// open finds the key of a blob, which must be the one that the caller names if any,
// and decrypts it.
func (a *API) open(ctx context.Context, call *gateway.Call, blob []byte, named *string, context map[string]string) (*secret.Key, []byte, error) {
	id, err := a.vault.KeyID(blob)
	if err != nil {
		return nil, nil, err
	}
	scope := call.Scope
	if named != nil {
		k, err := a.use(ctx, call, *named)
		if err != nil {
			return nil, nil, err
		}
		if k.ID != id {
			return nil, nil, fault.New(fault.IncorrectKey, "The key ID in the request does not identify a CMK that can perform this operation.")
		}
		scope = k.Scope
	}
	k, err := findAny(a.store.View(), call, secret.KeyARN(scope, id))
	if err != nil {
		return nil, nil, fault.New(fault.InvalidCiphertext, "The ciphertext is not valid.")
	}
	if err := k.Usable(); err != nil {
		return nil, nil, err
	}
	plain, err := a.vault.Open(k, blob, context)
	return k, plain, err
}

func (a *API) reEncrypt(ctx context.Context, call *gateway.Call, in *shape.ReEncryptRequest) (*shape.ReEncryptResponse, error) {
	if err := first(checkAlgorithm(in.SourceEncryptionAlgorithm), checkAlgorithm(in.DestinationEncryptionAlgorithm)); err != nil {
		return nil, err
	}
	if in.CiphertextBlob == nil {
		return nil, invalid("1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null")
	}
	from, plain, err := a.open(ctx, call, in.CiphertextBlob, in.SourceKeyId, in.SourceEncryptionContext)
	if err != nil {
		return nil, err
	}
	to, err := a.use(ctx, call, *in.DestinationKeyId)
	if err := first(err, dry(in.DryRun)); err != nil {
		return nil, err
	}
	blob, err := a.vault.Seal(to, plain, in.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	return &shape.ReEncryptResponse{
		CiphertextBlob: blob, SourceKeyId: &from.ARN, KeyId: &to.ARN, SourceEncryptionAlgorithm: symmetric, DestinationEncryptionAlgorithm: symmetric,
	}, nil
}

// dataKeyLength is in bytes. One of spec and number must be given.
func dataKeyLength(spec shape.DataKeySpec, number *int32) (int, error) {
	switch {
	case (spec == "") == (number == nil):
		return 0, invalid("Please specify either number of bytes or key spec.")
	case number != nil:
		return int(*number), nil
	case spec == shape.DataKeySpecAes128:
		return 16, nil
	}
	return 32, nil
}

func (a *API) generateDataKey(ctx context.Context, call *gateway.Call, in *shape.GenerateDataKeyRequest) (*shape.GenerateDataKeyResponse, error) {
	if err := noRecipient(in.Recipient); err != nil {
		return nil, err
	}
	n, err := dataKeyLength(in.KeySpec, in.NumberOfBytes)
	if err != nil {
		return nil, err
	}
	k, err := a.use(ctx, call, *in.KeyId)
	if err := first(err, dry(in.DryRun)); err != nil {
		return nil, err
	}
	plain := make([]byte, n)
	rand.Read(plain) // never fails
	blob, err := a.vault.Seal(k, plain, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &shape.GenerateDataKeyResponse{CiphertextBlob: blob, Plaintext: plain, KeyId: &k.ARN, KeyMaterialId: &k.Materials[len(k.Materials)-1].ID}, nil
}

func (a *API) generateDataKeyWithoutPlaintext(ctx context.Context, call *gateway.Call, in *shape.GenerateDataKeyWithoutPlaintextRequest) (*shape.GenerateDataKeyWithoutPlaintextResponse, error) {
	out, err := a.generateDataKey(ctx, call, &shape.GenerateDataKeyRequest{
		KeyId: in.KeyId, EncryptionContext: in.EncryptionContext, KeySpec: in.KeySpec, NumberOfBytes: in.NumberOfBytes, DryRun: in.DryRun,
	})
	if err != nil {
		return nil, err
	}
	return &shape.GenerateDataKeyWithoutPlaintextResponse{CiphertextBlob: out.CiphertextBlob, KeyId: out.KeyId, KeyMaterialId: out.KeyMaterialId}, nil
}

func generateRandom(_ context.Context, _ *gateway.Call, in *shape.GenerateRandomRequest) (*shape.GenerateRandomResponse, error) {
	if err := noRecipient(in.Recipient); err != nil {
		return nil, err
	}
	if in.NumberOfBytes == nil {
		return nil, invalid("NumberOfBytes is required.")
	}
	plain := make([]byte, *in.NumberOfBytes)
	rand.Read(plain) // never fails
	return &shape.GenerateRandomResponse{Plaintext: plain}, nil
}
