package ecr

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/image"
	"github.com/berthhq/berth/store"
)

// maxTags is how many tags a repository can have.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html
const maxTags = 50

func readTags(tags []ecr.Tag) (map[string]string, error) {
	read := map[string]string{}
	for _, t := range tags {
		key, value := member.Value(t.Key), member.Value(t.Value)
		if err := checkTag(key, value); err != nil {
			return nil, err
		}
		if _, twice := read[key]; twice {
			return nil, fault.New(fault.InvalidTagParameter, "Invalid parameter at 'tags' failed to satisfy constraint: 'Duplicate tag keys provided: %s'", key)
		}
		read[key] = value
	}
	if len(read) > maxTags {
		return nil, tooManyTags()
	}
	return read, nil
}

func checkTag(key, value string) error {
	switch {
	case key == "" || len(key) > 128 || len(value) > 256:
		return fault.New(fault.InvalidTagParameter, "Invalid parameter at 'tags' failed to satisfy constraint: 'a tag key has 1 to 128 characters, a value at most 256'")
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return fault.New(fault.InvalidTagParameter, "Invalid parameter at 'tags' failed to satisfy constraint: 'tag keys beginning with aws: are reserved'")
	}
	return nil
}

func tooManyTags() *fault.Fault {
	return fault.New(fault.TooManyTags, "The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a repository is %d.", maxTags)
}

// changeTags puts changed tags of the repository with the ARN.
func (a *API) changeTags(ctx context.Context, call *gateway.Call, resource *string, change func(map[string]string)) error {
	name, err := nameInARN(call, resource)
	if err != nil {
		return err
	}
	_, err = a.change(ctx, call, nil, &name, func(r *image.Repository) error {
		tags := maps.Clone(r.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		change(tags)
		if len(tags) > maxTags {
			return tooManyTags()
		}
		r.Tags = tags
		return nil
	})
	return err
}

func nameInARN(call *gateway.Call, resource *string) (string, error) {
	parsed, err := arn.Parse(member.Value(resource))
	if err != nil || parsed.Service != "ecr" || parsed.Kind() != "repository" {
		return "", invalid("Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'")
	}
	name := strings.Join(parsed.Path(), "/")
	if parsed.Scope() != call.Scope {
		return "", noRepository(parsed.Scope(), name)
	}
	return name, nil
}

func (a *API) tagResource(ctx context.Context, call *gateway.Call, in *ecr.TagResourceRequest) (*ecr.TagResourceResponse, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return &ecr.TagResourceResponse{}, a.changeTags(ctx, call, in.ResourceArn, func(have map[string]string) { maps.Copy(have, tags) })
}

func (a *API) untagResource(ctx context.Context, call *gateway.Call, in *ecr.UntagResourceRequest) (*ecr.UntagResourceResponse, error) {
	return &ecr.UntagResourceResponse{}, a.changeTags(ctx, call, in.ResourceArn, func(have map[string]string) {
		for _, key := range in.TagKeys {
			delete(have, key)
		}
	})
}

func (a *API) listTagsForResource(_ context.Context, call *gateway.Call, in *ecr.ListTagsForResourceRequest) (*ecr.ListTagsForResourceResponse, error) {
	name, err := nameInARN(call, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	r, ok := store.Repositories.Get(a.store.View(), image.RepositoryARN(call.Scope, name))
	if !ok {
		return nil, noRepository(call.Scope, name)
	}
	out := &ecr.ListTagsForResourceResponse{Tags: []ecr.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		out.Tags = append(out.Tags, ecr.Tag{Key: &key, Value: new(r.Tags[key])})
	}
	return out, nil
}
