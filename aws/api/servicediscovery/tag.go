package servicediscovery

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/servicediscovery"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// maxTags is how many tags a resource has.
const maxTags = 200

func readTag(t *shape.Tag) workload.Tag { return workload.Tag{Key: *t.Key, Value: *t.Value} }

// readTags adds tags to those there; later values of a key win.
func readTags(have []workload.Tag, in []shape.Tag) ([]workload.Tag, error) {
	tags := workload.SetTags(have, member.Some(in, readTag))
	for _, t := range tags {
		if t.Reserved() {
			return nil, invalid("Tag keys beginning with 'aws:' are reserved for system use.")
		}
	}
	if len(tags) > maxTags {
		return nil, fault.New(fault.TooManyTags, "A resource can have at most %d tags.", maxTags)
	}
	return tags, nil
}

func (a *API) tagResource(ctx context.Context, call *gateway.Call, in *shape.TagResourceRequest) (*shape.TagResourceResponse, error) {
	return &shape.TagResourceResponse{}, a.changeTags(ctx, call, *in.ResourceARN, func(have []workload.Tag) ([]workload.Tag, error) {
		return readTags(have, in.Tags)
	})
}

func (a *API) untagResource(ctx context.Context, call *gateway.Call, in *shape.UntagResourceRequest) (*shape.UntagResourceResponse, error) {
	return &shape.UntagResourceResponse{}, a.changeTags(ctx, call, *in.ResourceARN, func(have []workload.Tag) ([]workload.Tag, error) {
		return workload.WithoutTags(have, in.TagKeys), nil
	})
}

func (a *API) listTags(_ context.Context, call *gateway.Call, in *shape.ListTagsForResourceRequest) (*shape.ListTagsForResourceResponse, error) {
	tags, ok := tagsOf(a.store.View(), call.Scope, *in.ResourceARN)
	if !ok {
		return nil, noResource(*in.ResourceARN)
	}
	return &shape.ListTagsForResourceResponse{Tags: member.Each(tags, func(t *workload.Tag) shape.Tag {
		return shape.Tag{Key: &t.Key, Value: &t.Value}
	})}, nil
}

func noResource(name string) error {
	return fault.New(fault.ResourceNotFound, "Resource not found: %s", name)
}

func (a *API) changeTags(ctx context.Context, call *gateway.Call, name string, change func([]workload.Tag) ([]workload.Tag, error)) error {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, ok := tagsOf(tx, call.Scope, name)
		if !ok {
			return noResource(name)
		}
		tags, err := change(have)
		if err != nil {
			return err
		}
		setTags(tx, call.Scope, name, tags)
		return nil
	})
	return err
}

// setTags gives a namespace or service that is there its tags.
func setTags(tx *store.Tx, scope arn.Scope, name string, tags []workload.Tag) {
	if have, err := findNamespace(tx, scope, name); err == nil {
		n := *have
		n.Tags = tags
		store.Namespaces.Put(tx, &n)
	}
	if have, err := findService(tx, scope, name); err == nil {
		s := *have
		s.Tags = tags
		store.Discoveries.Put(tx, &s)
	}
}

// tagsOf are the tags of what an ARN names; false when there is no such thing.
func tagsOf(r store.Reader, scope arn.Scope, name string) ([]workload.Tag, bool) {
	if !arn.IsARN(name) {
		return nil, false
	}
	if n, err := findNamespace(r, scope, name); err == nil {
		return n.Tags, true
	}
	if s, err := findService(r, scope, name); err == nil {
		return s.Tags, true
	}
	return nil, false
}

// TagsOf are the tags of the namespace or service that an ARN names; false when there
// is none such.
func TagsOf(r store.Reader, a arn.ARN) ([]workload.Tag, bool) {
	return tagsOf(r, a.Scope(), a.String())
}
