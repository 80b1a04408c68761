package secretsmanager

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// find finds a secret by name or ARN, one that is being deleted included.
func find(r store.Reader, call *gateway.Call, id string) (*secret.Secret, error) {
	if err := checkRegion(call, id); err != nil {
		return nil, err
	}
	s, ok := store.FindSecret(r, call.Scope, id)
	if !ok || s.Gone(call.Now) {
		return nil, notFound()
	}
	return s, nil
}

func checkRegion(call *gateway.Call, id string) error {
	a, err := arn.Parse(id)
	if err != nil {
		return nil
	}
	if a.Service != "secretsmanager" || a.Region != call.Scope.Region {
		return fault.New(fault.Validation, "Invalid ARN.").WithHint("ask in the region of the secret, %s here", call.Scope.Region)
	}
	return nil
}

// findLive finds a secret that is not being deleted.
func findLive(r store.Reader, call *gateway.Call, id string) (*secret.Secret, error) {
	s, err := find(r, call, id)
	if err != nil {
		return nil, err
	}
	if s.Deleting() {
		return nil, deleting()
	}
	return s, nil
}

// change finds a live secret and stores what fn makes of its copy.
func (a *API) change(ctx context.Context, call *gateway.Call, id string, fn func(*store.Tx, *secret.Secret) error) (*secret.Secret, error) {
	var next secret.Secret
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := findLive(tx, call, id)
		if err != nil {
			return err
		}
		next = *have
		if err := fn(tx, &next); err != nil {
			return err
		}
		store.Secrets.Put(tx, &next)
		return nil
	})
	return &next, err
}

// setVersions gives a secret its versions, without the deprecated ones it has room
// for no more.
func setVersions(tx *store.Tx, s *secret.Secret, versions []secret.Version) error {
	kept, dropped := secret.Prune(versions)
	if len(kept) > secret.MaxVersions {
		return fault.New(fault.LimitExceeded, "The request failed because it would exceed one of the Secrets Manager quotas.").
			WithHint("a secret has at most %d versions with staging labels", secret.MaxVersions)
	}
	for _, v := range kept {
		if len(v.Stages) > secret.MaxStages {
			return fault.New(fault.LimitExceeded, "The request failed because it would exceed one of the Secrets Manager quotas.").
				WithHint("a version has at most %d staging labels", secret.MaxStages)
		}
	}
	for _, id := range dropped {
		store.SecretValues.Delete(tx, store.SecretValueKey(s.ARN, id))
	}
	s.Versions = kept
	return nil
}

// choose finds the version that a read means.
func choose(s *secret.Secret, id, stage *string) (secret.Version, error) {
	if id == nil {
		wanted := secret.Current
		if stage != nil {
			wanted = *stage
		}
		v, ok := s.Staged(wanted)
		if !ok || v.Empty {
			return v, fault.New(fault.ResourceNotFound, "Secrets Manager can't find the specified secret value for staging label: %s", wanted)
		}
		return v, nil
	}
	v, ok := s.Version(*id)
	switch {
	case !ok || v.Empty:
		return v, fault.New(fault.ResourceNotFound, "Secrets Manager can't find the specified secret value for VersionId: %s", *id)
	case stage != nil && !slices.Contains(v.Stages, *stage):
		return v, invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return v, nil
}
