package secretsmanager

import (
	"maps"
	"strconv"

	"github.com/berthhq/berth/aws/api/kms"
	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/secretsmanager"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// Needs says by operation what a call must be allowed to do.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
func (a *API) Needs() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"CreateSecret":   gateway.NeedsOf(a.needsOfCreate),
		"DescribeSecret": needsOn(a, func(in *shape.DescribeSecretRequest) *string { return in.SecretId }),
		"UpdateSecret":   gateway.NeedsOf(a.needsOfUpdate),
		"DeleteSecret":   gateway.NeedsOf(a.needsOfDelete),
		"RestoreSecret":  needsOn(a, func(in *shape.RestoreSecretRequest) *string { return in.SecretId }),

		"GetSecretValue":           gateway.NeedsOf(a.NeedsOfGet),
		"BatchGetSecretValue":      gateway.NeedsOf(a.needsOfBatch),
		"PutSecretValue":           gateway.NeedsOf(a.needsOfPut),
		"ListSecretVersionIds":     needsOn(a, func(in *shape.ListSecretVersionIdsRequest) *string { return in.SecretId }),
		"UpdateSecretVersionStage": gateway.NeedsOf(a.needsOfStage),

		"TagResource":   gateway.NeedsOf(a.needsOfTag),
		"UntagResource": gateway.NeedsOf(a.needsOfUntag),

		"GetResourcePolicy":      needsOn(a, func(in *shape.GetResourcePolicyRequest) *string { return in.SecretId }),
		"PutResourcePolicy":      gateway.NeedsOf(a.needsOfPolicy),
		"DeleteResourcePolicy":   needsOn(a, func(in *shape.DeleteResourcePolicyRequest) *string { return in.SecretId }),
		"ValidateResourcePolicy": needsOn(a, func(in *shape.ValidateResourcePolicyRequest) *string { return in.SecretId }),

		"RotateSecret":       gateway.NeedsOf(a.needsOfRotate),
		"CancelRotateSecret": needsOn(a, func(in *shape.CancelRotateSecretRequest) *string { return in.SecretId }),

		"ReplicateSecretToRegions":     needsOn(a, func(in *shape.ReplicateSecretToRegionsRequest) *string { return in.SecretId }),
		"RemoveRegionsFromReplication": needsOn(a, func(in *shape.RemoveRegionsFromReplicationRequest) *string { return in.SecretId }),
		"StopReplicationToReplica":     needsOn(a, func(in *shape.StopReplicationToReplicaRequest) *string { return in.SecretId }),
	}
}

// keys are condition keys.
type keys = map[string][]string

// needsOn is the operation's own action on the secret.
func needsOn[In any](a *API, id func(*In) *string) gateway.Needs {
	return gateway.NeedsOf(func(call *gateway.Call, in *In) []gateway.Need {
		if id(in) == nil {
			return []gateway.Need{{}}
		}
		return []gateway.Need{a.need(call, *id(in), nil)}
	})
}

// need is the call's own action on one secret.
func (a *API) need(call *gateway.Call, id string, more keys) gateway.Need {
	all := keys{"secretsmanager:SecretId": {id}, "secretsmanager:SecretPrimaryRegion": {call.Scope.Region}}
	maps.Copy(all, more)
	s, ok := store.FindSecret(a.store.View(), call.Scope, id)
	if !ok {
		return gateway.Need{Resources: []string{resourceARN(call, id)}, Keys: all}
	}
	for _, t := range s.Tags {
		all["aws:ResourceTag/"+t.Key] = []string{t.Value}
		all["secretsmanager:ResourceTag/"+t.Key] = []string{t.Value}
	}
	if s.Rotation.LambdaARN != "" {
		all["secretsmanager:resource/AllowRotationLambdaArn"] = []string{s.Rotation.LambdaARN}
	}
	return gateway.Need{Resources: []string{s.ARN}, Keys: all}
}

// resourceARN names a secret that is not there.
func resourceARN(call *gateway.Call, id string) string {
	if arn.IsARN(id) {
		return id
	}
	return call.Scope.Of("secretsmanager", "secret:"+id)
}

// unknownSuffix stands for the random end of an ARN that is not made yet: patterns
// of six question marks, and stars, match it.
const unknownSuffix = "??????"

func (a *API) needsOfCreate(call *gateway.Call, in *shape.CreateSecretRequest) []gateway.Need {
	all := keys{"secretsmanager:Name": {*in.Name}, "secretsmanager:SecretPrimaryRegion": {call.Scope.Region}}
	set(all, "secretsmanager:Description", in.Description)
	set(all, "secretsmanager:KmsKeyId", in.KmsKeyId)
	tagKeys(all, in.Tags)
	name := secret.ARN(call.Scope, *in.Name, unknownSuffix)
	needs := []gateway.Need{{Resources: []string{name}, Keys: all}}
	if len(in.Tags) > 0 {
		needs = append(needs, gateway.Need{Action: "secretsmanager:TagResource", Resources: []string{name}, Keys: all})
	}
	if in.SecretString == nil && in.SecretBinary == nil {
		return needs
	}
	return append(needs, a.sealing(call, member.Value(in.KmsKeyId), name)...)
}

func (a *API) needsOfUpdate(call *gateway.Call, in *shape.UpdateSecretRequest) []gateway.Need {
	all := keys{}
	set(all, "secretsmanager:Description", in.Description)
	set(all, "secretsmanager:KmsKeyId", in.KmsKeyId)
	needs := []gateway.Need{a.need(call, *in.SecretId, all)}
	s, ok := store.FindSecret(a.store.View(), call.Scope, *in.SecretId)
	if !ok {
		return needs
	}
	key, valued := s.Key, in.SecretString != nil || in.SecretBinary != nil
	if in.KmsKeyId != nil {
		key = *in.KmsKeyId
		if !valued {
			needs = append(needs, a.opening(call, s, s.Key, "")...)
		}
	}
	if valued || in.KmsKeyId != nil {
		needs = append(needs, a.sealing(call, key, s.ARN)...)
	}
	return needs
}

func (a *API) needsOfPut(call *gateway.Call, in *shape.PutSecretValueRequest) []gateway.Need {
	all := keys{}
	if len(in.VersionStages) > 0 {
		all["secretsmanager:VersionStage"] = in.VersionStages
	}
	needs := []gateway.Need{a.need(call, *in.SecretId, all)}
	if s, ok := store.FindSecret(a.store.View(), call.Scope, *in.SecretId); ok {
		needs = append(needs, a.sealing(call, s.Key, s.ARN)...)
	}
	return needs
}

func (a *API) needsOfDelete(call *gateway.Call, in *shape.DeleteSecretRequest) []gateway.Need {
	all := keys{"secretsmanager:ForceDeleteWithoutRecovery": {strconv.FormatBool(member.Value(in.ForceDeleteWithoutRecovery))}}
	if in.RecoveryWindowInDays != nil {
		all["secretsmanager:RecoveryWindowInDays"] = []string{strconv.FormatInt(*in.RecoveryWindowInDays, 10)}
	}
	return []gateway.Need{a.need(call, *in.SecretId, all)}
}

// NeedsOfGet is what GetSecretValue needs. Without a version and a stage, the stage
// is AWSCURRENT.
func (a *API) NeedsOfGet(call *gateway.Call, in *shape.GetSecretValueRequest) []gateway.Need {
	all := keys{}
	s, found := store.FindSecret(a.store.View(), call.Scope, *in.SecretId)
	var v secret.Version
	if found {
		v, _ = choose(s, in.VersionId, in.VersionStage)
	}
	set(all, "secretsmanager:VersionId", in.VersionId)
	switch {
	case in.VersionStage != nil:
		all["secretsmanager:VersionStage"] = []string{*in.VersionStage}
	case in.VersionId == nil:
		all["secretsmanager:VersionStage"] = []string{secret.Current}
	case len(v.Stages) > 0:
		all["secretsmanager:VersionStage"] = v.Stages
	}
	need := a.need(call, *in.SecretId, all)
	need.Action = "secretsmanager:GetSecretValue" // others ask for it, too
	needs := []gateway.Need{need}
	if value, ok := store.SecretValues.Get(a.store.View(), store.SecretValueKey(need.Resources[0], v.ID)); ok {
		needs = append(needs, a.opening(call, s, value.KeyARN, v.ID)...)
	}
	return needs
}

func (a *API) needsOfBatch(call *gateway.Call, in *shape.BatchGetSecretValueRequest) []gateway.Need {
	needs := []gateway.Need{{}}
	ids, _, err := a.asked(call, in)
	if err != nil {
		return needs // the handler refuses it
	}
	if in.Filters != nil {
		needs = append(needs, gateway.Need{Action: "secretsmanager:ListSecrets"})
	}
	for _, id := range ids {
		needs = append(needs, a.NeedsOfGet(call, &shape.GetSecretValueRequest{SecretId: &id})...)
	}
	return needs
}

func (a *API) needsOfStage(call *gateway.Call, in *shape.UpdateSecretVersionStageRequest) []gateway.Need {
	return []gateway.Need{a.need(call, *in.SecretId, keys{"secretsmanager:VersionStage": {*in.VersionStage}})}
}

func (a *API) needsOfTag(call *gateway.Call, in *shape.TagResourceRequest) []gateway.Need {
	all := keys{}
	tagKeys(all, in.Tags)
	return []gateway.Need{a.need(call, *in.SecretId, all)}
}

func (a *API) needsOfUntag(call *gateway.Call, in *shape.UntagResourceRequest) []gateway.Need {
	return []gateway.Need{a.need(call, *in.SecretId, keys{"aws:TagKeys": in.TagKeys})}
}

func (a *API) needsOfPolicy(call *gateway.Call, in *shape.PutResourcePolicyRequest) []gateway.Need {
	return []gateway.Need{a.need(call, *in.SecretId, keys{"secretsmanager:BlockPublicPolicy": {strconv.FormatBool(member.Value(in.BlockPublicPolicy))}})}
}

// needsOfRotate asks for the right to have the function called as well.
func (a *API) needsOfRotate(call *gateway.Call, in *shape.RotateSecretRequest) []gateway.Need {
	all := keys{}
	set(all, "secretsmanager:RotationLambdaARN", in.RotationLambdaARN)
	needs := []gateway.Need{a.need(call, *in.SecretId, all)}
	if in.RotationLambdaARN != nil {
		needs = append(needs, gateway.Need{Action: "lambda:InvokeFunction", Resources: []string{*in.RotationLambdaARN}})
	}
	return needs
}

func set(all keys, name string, value *string) {
	if value != nil {
		all[name] = []string{*value}
	}
}

func tagKeys(all keys, tags []shape.Tag) {
	for _, t := range tags {
		all["aws:RequestTag/"+member.Value(t.Key)] = []string{member.Value(t.Value)}
		all["aws:TagKeys"] = append(all["aws:TagKeys"], member.Value(t.Key))
	}
}

// opening is what a value sealed with the key needs to be read: nothing for a key
// that AWS manages.
func (a *API) opening(call *gateway.Call, s *secret.Secret, key, version string) []gateway.Need {
	context := boundTo(s.ARN, version)
	if version == "" {
		delete(context, "SecretVersionId")
	}
	return a.onKey(call, s.Scope, key, context, "kms:Decrypt")
}

// sealing is what a new value needs.
func (a *API) sealing(call *gateway.Call, key, secretARN string) []gateway.Need {
	return a.onKey(call, call.Scope, key, map[string]string{"SecretARN": secretARN}, "kms:GenerateDataKey", "kms:Decrypt")
}

func (a *API) onKey(call *gateway.Call, scope arn.Scope, name string, context map[string]string, actions ...string) []gateway.Need {
	return kms.Use{Service: service, Scope: scope, Key: name, Context: context, Actions: actions}.Needs(a.store.View(), call)
}
