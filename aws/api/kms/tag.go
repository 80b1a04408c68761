package kms

import (
	"context"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/kms"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

type tag = workload.Tag

// maxTags is how many tags a key has.
const maxTags = 50

func readTag(t *shape.Tag) tag { return tag{Key: *t.TagKey, Value: *t.TagValue} }

func showTag(t *tag) shape.Tag { return shape.Tag{TagKey: &t.Key, TagValue: &t.Value} }

// withTags adds tags; later values of a key win.
func withTags(have, said []tag) ([]tag, error) {
	if slices.ContainsFunc(said, tag.Reserved) {
		return nil, fault.New(fault.InvalidKeyTag, "Tag keys may not start with aws:")
	}
	out := workload.SetTags(have, said)
	if len(out) > maxTags {
		return nil, fault.New(fault.LimitExceeded, "Too many tags").WithHint("a key has at most %d", maxTags)
	}
	return out, nil
}

func (a *API) tagResource(ctx context.Context, call *gateway.Call, in *shape.TagResourceRequest) (*wire.Empty, error) {
	return a.changeLive(ctx, call, *in.KeyId, func(_ *store.Tx, k *secret.Key) (err error) {
		k.Tags, err = withTags(k.Tags, member.Each(in.Tags, readTag))
		return err
	})
}

func (a *API) untagResource(ctx context.Context, call *gateway.Call, in *shape.UntagResourceRequest) (*wire.Empty, error) {
	return a.changeLive(ctx, call, *in.KeyId, func(_ *store.Tx, k *secret.Key) error {
		k.Tags = workload.WithoutTags(k.Tags, in.TagKeys)
		return nil
	})
}

func (a *API) listResourceTags(_ context.Context, call *gateway.Call, in *shape.ListResourceTagsRequest) (*shape.ListResourceTagsResponse, error) {
	k, err := find(a.store.View(), call, *in.KeyId)
	if err != nil {
		return nil, err
	}
	tags := slices.SortedFunc(slices.Values(k.Tags), func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	list, next, err := cut(tags, in.Marker, in.Limit, 50, func(t tag) string { return t.Key })
	if err != nil {
		return nil, err
	}
	return &shape.ListResourceTagsResponse{Tags: member.Each(list, showTag), NextMarker: next, Truncated: new(next != nil)}, nil
}
