package ssm

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ssm"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

type tag = workload.Tag

// maxTags is how many tags a parameter has.
const maxTags = 50

func readTag(t *shape.Tag) tag { return tag{Key: *t.Key, Value: *t.Value} }

func showTag(t *tag) shape.Tag { return shape.Tag{Key: &t.Key, Value: &t.Value} }

// withTags adds tags; later values of a key win.
func withTags(have, said []tag) ([]tag, error) {
	if slices.ContainsFunc(said, tag.Reserved) {
		return nil, invalid("Tag keys can't begin with aws:.")
	}
	out := workload.SetTags(have, said)
	if len(out) > maxTags {
		return nil, fault.New(fault.TooManyParameterTags, "The Targets parameter includes too many tags. Remove one or more tags and try the command again.")
	}
	return out, nil
}

// tagged finds the parameter whose tags are meant.
func tagged(r store.Reader, call *gateway.Call, kind shape.ResourceTypeForTagging, id string) (*secret.Parameter, error) {
	if kind != shape.ResourceTypeForTaggingParameter {
		return nil, fault.New(fault.InvalidResourceType, "The resource type %s is not valid.", kind).WithHint("berth has resources of the type Parameter only")
	}
	p, err := find(r, call, id)
	if err != nil {
		return nil, fault.New(fault.InvalidResourceID, "The resource ID %q is not valid. Verify the ID and try again.", id)
	}
	return p, nil
}

func (a *API) changeTags(ctx context.Context, call *gateway.Call, kind shape.ResourceTypeForTagging, id string, fn func([]tag) ([]tag, error)) error {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := tagged(tx, call, kind, id)
		if err != nil {
			return err
		}
		next := *have
		if next.Tags, err = fn(have.Tags); err != nil {
			return err
		}
		store.Parameters.Put(tx, &next)
		return nil
	})
	return err
}

func (a *API) addTagsToResource(ctx context.Context, call *gateway.Call, in *shape.AddTagsToResourceRequest) (*shape.AddTagsToResourceResult, error) {
	return &shape.AddTagsToResourceResult{}, a.changeTags(ctx, call, in.ResourceType, *in.ResourceId, func(have []tag) ([]tag, error) {
		return withTags(have, member.Each(in.Tags, readTag))
	})
}

func (a *API) removeTagsFromResource(ctx context.Context, call *gateway.Call, in *shape.RemoveTagsFromResourceRequest) (*shape.RemoveTagsFromResourceResult, error) {
	return &shape.RemoveTagsFromResourceResult{}, a.changeTags(ctx, call, in.ResourceType, *in.ResourceId, func(have []tag) ([]tag, error) {
		return workload.WithoutTags(have, in.TagKeys), nil
	})
}

func (a *API) listTagsForResource(_ context.Context, call *gateway.Call, in *shape.ListTagsForResourceRequest) (*shape.ListTagsForResourceResult, error) {
	p, err := tagged(a.store.View(), call, in.ResourceType, *in.ResourceId)
	if err != nil {
		return nil, err
	}
	return &shape.ListTagsForResourceResult{TagList: member.Each(p.Tags, showTag)}, nil
}
