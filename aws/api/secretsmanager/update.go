package secretsmanager

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/secretsmanager"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

func (a *API) updateSecret(ctx context.Context, call *gateway.Call, in *shape.UpdateSecretRequest) (*shape.UpdateSecretResponse, error) {
	value, err := readContent(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	version := versionID(in.ClientRequestToken)
	s, err := a.change(ctx, call, *in.SecretId, func(tx *store.Tx, s *secret.Secret) error {
		return a.apply(tx, call, s, in, version, value)
	})
	if err != nil {
		return nil, err
	}
	out := &shape.UpdateSecretResponse{ARN: &s.ARN, Name: &s.Name}
	if value != nil {
		out.VersionId = &version
	}
	return out, nil
}

func (a *API) apply(tx *store.Tx, call *gateway.Call, s *secret.Secret, in *shape.UpdateSecretRequest, version string, value *content) error {
	s.ChangedAt = call.Now
	if in.Description != nil {
		s.Description = *in.Description
	}
	if in.Type != nil {
		s.Type = *in.Type
	}
	if in.KmsKeyId != nil {
		s.Key = *in.KmsKeyId
	}
	if value != nil {
		return a.addVersion(tx, call, s, version, []string{secret.Current}, value)
	}
	if in.KmsKeyId != nil {
		return a.sealAgain(tx, s, call.Now)
	}
	return nil
}

func (a *API) updateSecretVersionStage(ctx context.Context, call *gateway.Call, in *shape.UpdateSecretVersionStageRequest) (*shape.UpdateSecretVersionStageResponse, error) {
	s, err := a.change(ctx, call, *in.SecretId, func(tx *store.Tx, s *secret.Secret) error {
		if err := checkMove(s, *in.VersionStage, in.RemoveFromVersionId, in.MoveToVersionId); err != nil {
			return err
		}
		s.ChangedAt = call.Now
		return setVersions(tx, s, secret.MoveStage(s.Versions, *in.VersionStage, member.Value(in.MoveToVersionId)))
	})
	if err != nil {
		return nil, err
	}
	return &shape.UpdateSecretVersionStageResponse{ARN: &s.ARN, Name: &s.Name}, nil
}

// checkMove holds that who takes a label from a version names that version.
func checkMove(s *secret.Secret, stage string, from, to *string) error {
	for _, id := range []*string{from, to} {
		if id == nil {
			continue
		}
		if _, ok := s.Version(*id); !ok {
			return fault.New(fault.ResourceNotFound, "Secrets Manager can't find the specified secret value for VersionId: %s", *id)
		}
	}
	holder, held := s.Staged(stage)
	switch {
	case from == nil && to == nil:
		return invalidParameter("You must specify either RemoveFromVersionId or MoveToVersionId.")
	case to == nil && stage == secret.Current:
		return invalidParameter("You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	case from != nil && (!held || holder.ID != *from):
		return invalidParameter("The staging label %s isn't attached to version %s.", stage, *from)
	case from == nil && held && holder.ID != *to:
		return invalidParameter("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", stage, holder.ID)
	}
	return nil
}

func (a *API) deleteSecret(ctx context.Context, call *gateway.Call, in *shape.DeleteSecretRequest) (*shape.DeleteSecretResponse, error) {
	force := member.Value(in.ForceDeleteWithoutRecovery)
	days := int64(30)
	switch {
	case force && in.RecoveryWindowInDays != nil:
		return nil, invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case in.RecoveryWindowInDays != nil:
		days = *in.RecoveryWindowInDays
		if days < 7 || days > 30 {
			return nil, invalidParameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
		}
	}
	if force {
		return a.deleteNow(ctx, call, *in.SecretId)
	}
	s, err := a.change(ctx, call, *in.SecretId, func(_ *store.Tx, s *secret.Secret) error {
		s.DeleteAt = call.Now.AddDate(0, 0, int(days))
		s.Rotation.Run = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.DeleteSecretResponse{ARN: &s.ARN, Name: &s.Name, DeletionDate: &s.DeleteAt}, nil
}

// deleteNow answers as AWS does for secrets that are not there, too.
func (a *API) deleteNow(ctx context.Context, call *gateway.Call, id string) (*shape.DeleteSecretResponse, error) {
	out := &shape.DeleteSecretResponse{ARN: new(resourceARN(call, id)), Name: &id, DeletionDate: &call.Now}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		s, err := find(tx, call, id)
		if fault.IsKind(err, fault.ResourceNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		out.ARN, out.Name = &s.ARN, &s.Name
		store.DeleteSecret(tx, s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (a *API) restoreSecret(ctx context.Context, call *gateway.Call, in *shape.RestoreSecretRequest) (*shape.RestoreSecretResponse, error) {
	var next secret.Secret
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := find(tx, call, *in.SecretId)
		if err != nil {
			return err
		}
		next = *have
		next.DeleteAt = time.Time{}
		store.Secrets.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.RestoreSecretResponse{ARN: &next.ARN, Name: &next.Name}, nil
}

func noReplicas() error {
	return invalidRequest("berth does not replicate secrets to other regions.").WithHint("create the secret in each region")
}

func (a *API) replicateSecretToRegions(_ context.Context, call *gateway.Call, in *shape.ReplicateSecretToRegionsRequest) (*shape.ReplicateSecretToRegionsResponse, error) {
	if _, err := findLive(a.store.View(), call, *in.SecretId); err != nil {
		return nil, err
	}
	return nil, noReplicas()
}

func (a *API) removeRegionsFromReplication(_ context.Context, call *gateway.Call, in *shape.RemoveRegionsFromReplicationRequest) (*shape.RemoveRegionsFromReplicationResponse, error) {
	s, err := findLive(a.store.View(), call, *in.SecretId)
	if err != nil {
		return nil, err
	}
	return nil, invalidParameter("The secret %s has no replica in %v.", s.Name, in.RemoveReplicaRegions)
}

func (a *API) stopReplicationToReplica(_ context.Context, call *gateway.Call, in *shape.StopReplicationToReplicaRequest) (*shape.StopReplicationToReplicaResponse, error) {
	s, err := findLive(a.store.View(), call, *in.SecretId)
	if err != nil {
		return nil, err
	}
	return nil, invalidRequest("The secret %s is not a replica.", s.Name)
}
