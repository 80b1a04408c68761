package secretsmanager

import (
	"cmp"
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/secretsmanager"
	"github.com/berthhq/berth/domain/secret"
)

func (a *API) describeSecret(_ context.Context, call *gateway.Call, in *shape.DescribeSecretRequest) (*shape.DescribeSecretResponse, error) {
	s, err := find(a.store.View(), call, *in.SecretId)
	if err != nil {
		return nil, err
	}
	return &shape.DescribeSecretResponse{
		ARN: &s.ARN, Name: &s.Name, Type: member.Present(s.Type), Description: member.Present(s.Description), KmsKeyId: member.Present(s.Key),
		RotationEnabled: rotates(s), RotationLambdaARN: member.Present(s.Rotation.LambdaARN), RotationRules: showRules(&s.Rotation),
		LastRotatedDate: member.Time(s.Rotation.LastAt), LastChangedDate: &s.ChangedAt, LastAccessedDate: member.Time(s.AccessedAt),
		DeletedDate: member.Time(s.DeleteAt), NextRotationDate: member.Time(s.Rotation.NextAt), Tags: member.Some(s.Tags, showTag),
		VersionIdsToStages: stagesOf(s), CreatedDate: &s.CreatedAt,
	}, nil
}

// rotates is absent for a secret that never rotated.
func rotates(s *secret.Secret) *bool {
	if !s.Rotation.Enabled && s.Rotation.LambdaARN == "" {
		return nil
	}
	return &s.Rotation.Enabled
}

func showRules(r *secret.Rotation) *shape.RotationRulesType {
	if r.AfterDays == 0 && r.Schedule == "" {
		return nil
	}
	out := &shape.RotationRulesType{Duration: member.Present(r.Duration), ScheduleExpression: member.Present(r.Schedule)}
	if r.AfterDays > 0 {
		out.AutomaticallyAfterDays = &r.AfterDays
	}
	return out
}

// stagesOf are the versions with a label.
func stagesOf(s *secret.Secret) map[string][]string {
	var out map[string][]string
	for _, v := range s.Versions {
		if len(v.Stages) == 0 {
			continue
		}
		if out == nil {
			out = map[string][]string{}
		}
		out[v.ID] = v.Stages
	}
	return out
}

func showEntry(s **secret.Secret) shape.SecretListEntry {
	d := *s
	return shape.SecretListEntry{
		ARN: &d.ARN, Name: &d.Name, Type: member.Present(d.Type), Description: member.Present(d.Description), KmsKeyId: member.Present(d.Key),
		RotationEnabled: rotates(d), RotationLambdaARN: member.Present(d.Rotation.LambdaARN), RotationRules: showRules(&d.Rotation),
		LastRotatedDate: member.Time(d.Rotation.LastAt), LastChangedDate: &d.ChangedAt, LastAccessedDate: member.Time(d.AccessedAt),
		DeletedDate: member.Time(d.DeleteAt), NextRotationDate: member.Time(d.Rotation.NextAt), Tags: member.Some(d.Tags, showTag),
		SecretVersionsToStages: stagesOf(d), CreatedDate: &d.CreatedAt,
	}
}

func (a *API) listSecretVersionIds(_ context.Context, call *gateway.Call, in *shape.ListSecretVersionIdsRequest) (*shape.ListSecretVersionIdsResponse, error) {
	s, err := find(a.store.View(), call, *in.SecretId)
	if err != nil {
		return nil, err
	}
	var shown []secret.Version
	for _, v := range s.Versions {
		if len(v.Stages) > 0 || member.Value(in.IncludeDeprecated) {
			shown = append(shown, v)
		}
	}
	slices.SortFunc(shown, func(a, b secret.Version) int { return cmp.Compare(versionKey(&a), versionKey(&b)) })
	page, next, err := cut(shown, in.NextToken, in.MaxResults, 100, order[secret.Version]{key: versionKey})
	if err != nil {
		return nil, err
	}
	return &shape.ListSecretVersionIdsResponse{ARN: &s.ARN, Name: &s.Name, NextToken: next, Versions: member.Some(page, showVersion)}, nil
}

func versionKey(v *secret.Version) string { return sortable(v.CreatedAt) + v.ID }

func showVersion(v *secret.Version) shape.SecretVersionsListEntry {
	return shape.SecretVersionsListEntry{
		VersionId: &v.ID, VersionStages: v.Stages, LastAccessedDate: member.Time(v.AccessedAt), CreatedDate: &v.CreatedAt,
		KmsKeyIds: v.KeyARNs,
	}
}
