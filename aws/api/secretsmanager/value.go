package secretsmanager

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/secretsmanager"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// GetSecretValue answers the operation. The Parameter Store asks it as well, for
// parameters that refer to a secret.
func (a *API) GetSecretValue(ctx context.Context, call *gateway.Call, in *shape.GetSecretValueRequest) (*shape.GetSecretValueResponse, error) {
	r := a.store.View()
	s, err := findLive(r, call, *in.SecretId)
	if err != nil {
		return nil, err
	}
	v, err := choose(s, in.VersionId, in.VersionStage)
	if err != nil {
		return nil, err
	}
	c, err := a.open(r, s, v.ID)
	if err != nil {
		return nil, err
	}
	a.accessed(ctx, call, s, v.ID)
	out := &shape.GetSecretValueResponse{ARN: &s.ARN, Name: &s.Name, VersionId: &v.ID, VersionStages: v.Stages, CreatedDate: &v.CreatedAt}
	if c.binary {
		out.SecretBinary = c.bytes
	} else {
		out.SecretString = new(string(c.bytes))
	}
	return out, nil
}

// accessed remembers the day of a read. That it could not is no reason to refuse
// the read, and the next one tries again.
func (a *API) accessed(ctx context.Context, call *gateway.Call, s *secret.Secret, version string) {
	if s.Accessed(version, call.Now) == nil {
		return
	}
	_, _ = a.store.Update(ctx, func(tx *store.Tx) error {
		have, ok := store.Secrets.Get(tx, store.ScopeKey(s.Scope, s.Name))
		if !ok || have.ARN != s.ARN {
			return nil
		}
		if next := have.Accessed(version, call.Now); next != nil {
			store.Secrets.Put(tx, next)
		}
		return nil
	})
}

func (a *API) putSecretValue(ctx context.Context, call *gateway.Call, in *shape.PutSecretValueRequest) (*shape.PutSecretValueResponse, error) {
	value, err := readContent(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, invalidRequest("You must provide either SecretString or SecretBinary.")
	}
	stages := in.VersionStages
	if len(stages) == 0 {
		stages = []string{secret.Current}
	}
	version := versionID(in.ClientRequestToken)
	s, err := a.change(ctx, call, *in.SecretId, func(tx *store.Tx, s *secret.Secret) error {
		return a.addVersion(tx, call, s, version, stages, value)
	})
	if err != nil {
		return nil, err
	}
	v, _ := s.Version(version)
	return &shape.PutSecretValueResponse{ARN: &s.ARN, Name: &s.Name, VersionId: &version, VersionStages: v.Stages}, nil
}

// addVersion gives a secret a version, or a version of a rotation its value. The
// same value under the same id changes nothing.
func (a *API) addVersion(tx *store.Tx, call *gateway.Call, s *secret.Secret, version string, stages []string, value *content) error {
	if have, ok := s.Version(version); ok && !have.Empty {
		c, err := a.open(tx, s, version)
		if err != nil {
			return err
		}
		if !c.same(value) {
			return fault.New(fault.ResourceExists, "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", version, s.ARN)
		}
		return nil
	}
	key, err := a.put(tx, s, version, value, call.Now)
	if err != nil {
		return err
	}
	s.ChangedAt = call.Now
	return setVersions(tx, s, secret.WithVersion(s.Versions, secret.Version{ID: version, Stages: slices.Clone(stages), KeyARNs: []string{key}, CreatedAt: call.Now}))
}
