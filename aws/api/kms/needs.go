package kms

import (
	"maps"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/kms"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// Needs says by operation what a call must be allowed to do.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
func (a *API) Needs() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"CreateKey":            gateway.NeedsOf(a.needsOfCreate),
		"DescribeKey":          on(a, func(in *shape.DescribeKeyRequest) *string { return in.KeyId }),
		"UpdateKeyDescription": on(a, func(in *shape.UpdateKeyDescriptionRequest) *string { return in.KeyId }),
		"EnableKey":            on(a, func(in *shape.EnableKeyRequest) *string { return in.KeyId }),
		"DisableKey":           on(a, func(in *shape.DisableKeyRequest) *string { return in.KeyId }),
		"ScheduleKeyDeletion":  on(a, func(in *shape.ScheduleKeyDeletionRequest) *string { return in.KeyId }),
		"CancelKeyDeletion":    on(a, func(in *shape.CancelKeyDeletionRequest) *string { return in.KeyId }),

		"CreateAlias": gateway.NeedsOf(func(call *gateway.Call, in *shape.CreateAliasRequest) []gateway.Need {
			return a.onAlias(call, *in.AliasName, *in.TargetKeyId)
		}),
		"UpdateAlias": gateway.NeedsOf(func(call *gateway.Call, in *shape.UpdateAliasRequest) []gateway.Need {
			return a.onAlias(call, *in.AliasName, *in.TargetKeyId)
		}),
		"DeleteAlias": gateway.NeedsOf(func(call *gateway.Call, in *shape.DeleteAliasRequest) []gateway.Need {
			return a.onAlias(call, *in.AliasName, "")
		}),

		"Encrypt": gateway.NeedsOf(func(call *gateway.Call, in *shape.EncryptRequest) []gateway.Need {
			return []gateway.Need{a.need(call, "", *in.KeyId, in.EncryptionContext)}
		}),
		"Decrypt":   gateway.NeedsOf(a.needsOfDecrypt),
		"ReEncrypt": gateway.NeedsOf(a.needsOfReEncrypt),
		"GenerateDataKey": gateway.NeedsOf(func(call *gateway.Call, in *shape.GenerateDataKeyRequest) []gateway.Need {
			return []gateway.Need{a.need(call, "", *in.KeyId, in.EncryptionContext)}
		}),
		"GenerateDataKeyWithoutPlaintext": gateway.NeedsOf(func(call *gateway.Call, in *shape.GenerateDataKeyWithoutPlaintextRequest) []gateway.Need {
			return []gateway.Need{a.need(call, "", *in.KeyId, in.EncryptionContext)}
		}),

		"GetKeyPolicy":    on(a, func(in *shape.GetKeyPolicyRequest) *string { return in.KeyId }),
		"PutKeyPolicy":    on(a, func(in *shape.PutKeyPolicyRequest) *string { return in.KeyId }),
		"ListKeyPolicies": on(a, func(in *shape.ListKeyPoliciesRequest) *string { return in.KeyId }),

		"EnableKeyRotation":    on(a, func(in *shape.EnableKeyRotationRequest) *string { return in.KeyId }),
		"DisableKeyRotation":   on(a, func(in *shape.DisableKeyRotationRequest) *string { return in.KeyId }),
		"GetKeyRotationStatus": on(a, func(in *shape.GetKeyRotationStatusRequest) *string { return in.KeyId }),

		"TagResource":      gateway.NeedsOf(a.needsOfTag),
		"UntagResource":    gateway.NeedsOf(a.needsOfUntag),
		"ListResourceTags": on(a, func(in *shape.ListResourceTagsRequest) *string { return in.KeyId }),
	}
}

type keys = map[string][]string

// on is the operation's own action on the key.
func on[In any](a *API, id func(*In) *string) gateway.Needs {
	return gateway.NeedsOf(func(call *gateway.Call, in *In) []gateway.Need {
		return []gateway.Need{a.need(call, "", *id(in), nil)}
	})
}

// need is an action on a key. An alias stands for its key, as on AWS.
func (a *API) need(call *gateway.Call, action, name string, context map[string]string) gateway.Need {
	all := keys{"kms:CallerAccount": {call.Scope.Account}}
	if len(context) > 0 {
		all["kms:EncryptionContextKeys"] = slices.Sorted(maps.Keys(context))
	}
	for name, value := range context {
		all["kms:EncryptionContext:"+name] = []string{value}
	}
	if n, ok := secret.ReadKeyName(call.Scope, name); ok && n.Alias != "" {
		all["kms:RequestAlias"] = []string{n.Alias}
	}
	k, ok := store.FindCryptKey(a.store.View(), call.Scope, name)
	if !ok {
		return gateway.Need{Action: action, Resources: []string{resourceARN(call, name)}, Keys: all}
	}
	describe(all, a.store.View(), k)
	return gateway.Need{Action: action, Resources: []string{k.ARN}, Keys: all}
}

// describe adds the condition keys about a key itself.
func describe(all keys, r store.Reader, k *secret.Key) {
	all["kms:KeySpec"], all["kms:KeyUsage"], all["kms:KeyOrigin"] = []string{"SYMMETRIC_DEFAULT"}, []string{"ENCRYPT_DECRYPT"}, []string{"AWS_KMS"}
	for _, t := range k.Tags {
		all["aws:ResourceTag/"+t.Key] = []string{t.Value}
	}
	for alias := range store.AliasesOf(r, k) {
		all["kms:ResourceAliases"] = append(all["kms:ResourceAliases"], alias.Name)
	}
}

// resourceARN names a key that is not there.
func resourceARN(call *gateway.Call, name string) string {
	n, ok := secret.ReadKeyName(call.Scope, name)
	switch {
	case !ok:
		return secret.KeyARN(call.Scope, name)
	case n.Alias != "":
		return secret.AliasARN(n.Scope, n.Alias)
	}
	return secret.KeyARN(n.Scope, n.ID)
}

func (a *API) needsOfCreate(_ *gateway.Call, in *shape.CreateKeyRequest) []gateway.Need {
	all := keys{}
	tagKeys(all, in.Tags)
	needs := []gateway.Need{{Keys: all}}
	if len(in.Tags) > 0 {
		needs = append(needs, gateway.Need{Action: "kms:TagResource", Keys: all})
	}
	return needs
}

// onAlias wants the right to both the alias and its key, old and new.
func (a *API) onAlias(call *gateway.Call, name, target string) []gateway.Need {
	needs := []gateway.Need{{Resources: []string{secret.AliasARN(call.Scope, name)}}}
	if target != "" {
		needs = append(needs, a.need(call, "", target, nil))
	}
	if k, ok := store.FindCryptKey(a.store.View(), call.Scope, name); ok && k.ID != target && k.ARN != target {
		needs = append(needs, a.need(call, "", k.ARN, nil))
	}
	return needs
}

func (a *API) needsOfDecrypt(call *gateway.Call, in *shape.DecryptRequest) []gateway.Need {
	return []gateway.Need{a.need(call, "", a.sealedWith(call, in.CiphertextBlob, in.KeyId), in.EncryptionContext)}
}

func (a *API) needsOfReEncrypt(call *gateway.Call, in *shape.ReEncryptRequest) []gateway.Need {
	return []gateway.Need{
		a.need(call, "kms:ReEncryptFrom", a.sealedWith(call, in.CiphertextBlob, in.SourceKeyId), in.SourceEncryptionContext),
		a.need(call, "kms:ReEncryptTo", *in.DestinationKeyId, in.DestinationEncryptionContext),
	}
}

// sealedWith names the key of a blob.
func (a *API) sealedWith(call *gateway.Call, blob []byte, named *string) string {
	if named != nil {
		return *named
	}
	id, err := a.vault.KeyID(blob)
	if err != nil {
		return "*" // the handler refuses the blob
	}
	return secret.KeyARN(call.Scope, id)
}

func (a *API) needsOfTag(call *gateway.Call, in *shape.TagResourceRequest) []gateway.Need {
	need := a.need(call, "", *in.KeyId, nil)
	tagKeys(need.Keys, in.Tags)
	return []gateway.Need{need}
}

func (a *API) needsOfUntag(call *gateway.Call, in *shape.UntagResourceRequest) []gateway.Need {
	need := a.need(call, "", *in.KeyId, nil)
	need.Keys["aws:TagKeys"] = in.TagKeys
	return []gateway.Need{need}
}

func tagKeys(all keys, tags []shape.Tag) {
	for _, t := range tags {
		all["aws:RequestTag/"+*t.TagKey] = []string{*t.TagValue}
		all["aws:TagKeys"] = append(all["aws:TagKeys"], *t.TagKey)
	}
}
