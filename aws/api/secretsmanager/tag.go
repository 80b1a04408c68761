package secretsmanager

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/secretsmanager"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

type tag = workload.Tag

// maxTags is how many tags a secret has.
const maxTags = 50

func readTag(t *shape.Tag) tag { return tag{Key: member.Value(t.Key), Value: member.Value(t.Value)} }

func showTag(t *tag) shape.Tag { return shape.Tag{Key: &t.Key, Value: &t.Value} }

func readTags(in []shape.Tag) ([]tag, error) { return withTags(nil, member.Some(in, readTag)) }

// withTags adds tags; later values of a key win.
func withTags(have, said []tag) ([]tag, error) {
	if slices.ContainsFunc(said, tag.Reserved) {
		return nil, invalidParameter("Tag keys can't start with aws:.")
	}
	out := workload.SetTags(have, said)
	if len(out) > maxTags {
		return nil, fault.New(fault.LimitExceeded, "The request failed because it would exceed one of the Secrets Manager quotas.").WithHint("a secret has at most %d tags", maxTags)
	}
	return out, nil
}

func (a *API) tagResource(ctx context.Context, call *gateway.Call, in *shape.TagResourceRequest) (*wire.Empty, error) {
	_, err := a.change(ctx, call, *in.SecretId, func(_ *store.Tx, s *secret.Secret) (err error) {
		s.Tags, err = withTags(s.Tags, member.Some(in.Tags, readTag))
		return err
	})
	return &wire.Empty{}, err
}

func (a *API) untagResource(ctx context.Context, call *gateway.Call, in *shape.UntagResourceRequest) (*wire.Empty, error) {
	_, err := a.change(ctx, call, *in.SecretId, func(_ *store.Tx, s *secret.Secret) error {
		s.Tags = workload.WithoutTags(s.Tags, in.TagKeys)
		return nil
	})
	return &wire.Empty{}, err
}
