package secretsmanager

import (
	"context"
	"regexp"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/secretsmanager"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

var nameForm = regexp.MustCompile(`^[a-zA-Z0-9/_+=.@!-]+$`)

func (a *API) createSecret(ctx context.Context, call *gateway.Call, in *shape.CreateSecretRequest) (*shape.CreateSecretResponse, error) {
	if !nameForm.MatchString(*in.Name) {
		return nil, fault.New(fault.Validation, "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	if in.AddReplicaRegions != nil {
		return nil, noReplicas()
	}
	value, err := readContent(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	made := &secret.Secret{
		Scope: call.Scope, Name: *in.Name, ARN: secret.ARN(call.Scope, *in.Name, newSuffix()), Description: member.Value(in.Description),
		Type: member.Value(in.Type), Key: member.Value(in.KmsKeyId), Tags: tags, CreatedAt: call.Now, ChangedAt: call.Now,
	}
	out, version := made, versionID(in.ClientRequestToken)
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		have, ok := store.Secrets.Get(tx, store.ScopeKey(made.Scope, made.Name))
		if ok && have.Gone(call.Now) {
			store.DeleteSecret(tx, have)
			ok = false
		}
		if ok {
			out = have
			return a.createdAlready(tx, have, version, value)
		}
		return a.begin(tx, call, made, version, value)
	})
	if err != nil {
		return nil, err
	}
	reply := &shape.CreateSecretResponse{ARN: &out.ARN, Name: &out.Name}
	if value != nil {
		reply.VersionId = &version
	}
	return reply, nil
}

// begin stores a new secret, with its first version when there is a value.
func (a *API) begin(tx *store.Tx, call *gateway.Call, s *secret.Secret, version string, value *content) error {
	if value != nil {
		key, err := a.put(tx, s, version, value, call.Now)
		if err != nil {
			return err
		}
		s.Versions = []secret.Version{{ID: version, Stages: []string{secret.Current}, KeyARNs: []string{key}, CreatedAt: call.Now}}
	} else if _, err := a.keyOf(tx, s, call.Now); err != nil {
		return err
	}
	store.Secrets.Put(tx, s)
	return nil
}

// createdAlready is nil when the request is one that was answered before.
func (a *API) createdAlready(r store.Reader, have *secret.Secret, version string, value *content) error {
	if have.Deleting() {
		return invalidRequest("You can't create this secret because a secret with this name is already scheduled for deletion.").
			WithHint("restore it, or delete it with ForceDeleteWithoutRecovery")
	}
	if v, ok := have.Version(version); ok && value != nil && !v.Empty {
		c, err := a.open(r, have, version)
		if err == nil && c.same(value) {
			return nil
		}
	}
	return fault.New(fault.ResourceExists, "The operation failed because the secret %s already exists.", have.Name)
}
