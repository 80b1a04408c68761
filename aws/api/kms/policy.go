package kms

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/kms"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// policyName is the one that KMS has.
const policyName = "default"

func checkPolicy(text string) error {
	if _, err := policy.Parse(text, policy.Resource); err != nil {
		f := fault.Of(err)
		return fault.New(fault.MalformedPolicyDocument, "%s", f.Message).WithHint("%s", f.Hint)
	}
	return nil
}

func checkPolicyName(name *string) error {
	if name != nil && *name != policyName {
		return fault.New(fault.KeyNotFound, "No such policy exists")
	}
	return nil
}

func (a *API) getKeyPolicy(_ context.Context, call *gateway.Call, in *shape.GetKeyPolicyRequest) (*shape.GetKeyPolicyResponse, error) {
	k, err := find(a.store.View(), call, *in.KeyId)
	if err := first(err, checkPolicyName(in.PolicyName)); err != nil {
		return nil, err
	}
	return &shape.GetKeyPolicyResponse{Policy: new(k.ResourcePolicy()), PolicyName: new(policyName)}, nil
}

func (a *API) putKeyPolicy(ctx context.Context, call *gateway.Call, in *shape.PutKeyPolicyRequest) (*wire.Empty, error) {
	if err := first(checkPolicyName(in.PolicyName), checkPolicy(*in.Policy)); err != nil {
		return nil, err
	}
	return a.changeLive(ctx, call, *in.KeyId, func(_ *store.Tx, k *secret.Key) error {
		k.Policy = *in.Policy
		return nil
	})
}

func (a *API) listKeyPolicies(_ context.Context, call *gateway.Call, in *shape.ListKeyPoliciesRequest) (*shape.ListKeyPoliciesResponse, error) {
	if _, err := find(a.store.View(), call, *in.KeyId); err != nil {
		return nil, err
	}
	return &shape.ListKeyPoliciesResponse{PolicyNames: []string{policyName}, Truncated: new(false)}, nil
}

// defaultPeriod is how many days pass between rotations unless told.
const defaultPeriod = 365

func (a *API) enableKeyRotation(ctx context.Context, call *gateway.Call, in *shape.EnableKeyRotationRequest) (*wire.Empty, error) {
	days := int32(defaultPeriod)
	if in.RotationPeriodInDays != nil {
		days = *in.RotationPeriodInDays
	}
	return a.changeLive(ctx, call, *in.KeyId, func(_ *store.Tx, k *secret.Key) error {
		if k.State == secret.Disabled {
			return k.Usable()
		}
		k.RotateEvery, k.RotateAt = days, call.Now.AddDate(0, 0, int(days))
		return nil
	})
}

func (a *API) disableKeyRotation(ctx context.Context, call *gateway.Call, in *shape.DisableKeyRotationRequest) (*wire.Empty, error) {
	return a.changeLive(ctx, call, *in.KeyId, func(_ *store.Tx, k *secret.Key) error {
		if k.State == secret.Disabled {
			return k.Usable()
		}
		k.RotateEvery, k.RotateAt = 0, time.Time{}
		return nil
	})
}

func (a *API) getKeyRotationStatus(_ context.Context, call *gateway.Call, in *shape.GetKeyRotationStatusRequest) (*shape.GetKeyRotationStatusResponse, error) {
	k, err := find(a.store.View(), call, *in.KeyId)
	if err != nil {
		return nil, err
	}
	out := &shape.GetKeyRotationStatusResponse{KeyId: &k.ARN, KeyRotationEnabled: new(k.RotateEvery > 0 && k.State != secret.PendingDeletion)}
	if k.RotateEvery > 0 {
		out.RotationPeriodInDays, out.NextRotationDate = &k.RotateEvery, member.Time(k.RotateAt)
	}
	return out, nil
}
