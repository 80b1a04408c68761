package events

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/events"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/event"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// maxTags is how many tags a resource has.
const maxTags = 50

func readTag(t *events.Tag) workload.Tag { return workload.Tag{Key: *t.Key, Value: *t.Value} }

func showTag(t *workload.Tag) events.Tag { return events.Tag{Key: &t.Key, Value: &t.Value} }

// readTags checks what a caller says: later values of a key win.
func readTags(in []events.Tag) ([]workload.Tag, error) {
	tags := workload.SetTags(nil, member.Some(in, readTag))
	return tags, checkTags(tags)
}

func checkTags(tags []workload.Tag) error {
	if len(tags) > maxTags {
		return tooMany().WithHint("a resource has at most %d tags", maxTags)
	}
	for _, t := range tags {
		if t.Reserved() {
			return invalid("Tag keys beginning with 'aws:' are reserved for system use.")
		}
	}
	return event.CheckTags(tags)
}

func (a *API) tagResource(ctx context.Context, call *gateway.Call, in *events.TagResourceRequest) (*events.TagResourceResponse, error) {
	return &events.TagResourceResponse{}, a.changeTags(ctx, call.Scope, *in.ResourceARN, func(have []workload.Tag) []workload.Tag {
		return workload.SetTags(have, member.Some(in.Tags, readTag))
	})
}

func (a *API) untagResource(ctx context.Context, call *gateway.Call, in *events.UntagResourceRequest) (*events.UntagResourceResponse, error) {
	return &events.UntagResourceResponse{}, a.changeTags(ctx, call.Scope, *in.ResourceARN, func(have []workload.Tag) []workload.Tag {
		return workload.WithoutTags(have, in.TagKeys)
	})
}

func (a *API) listTagsForResource(_ context.Context, call *gateway.Call, in *events.ListTagsForResourceRequest) (*events.ListTagsForResourceResponse, error) {
	r, b, err := tagged(a.store.View(), call.Scope, *in.ResourceARN)
	if err != nil {
		return nil, err
	}
	if r != nil {
		return &events.ListTagsForResourceResponse{Tags: member.Each(r.Tags, showTag)}, nil
	}
	return &events.ListTagsForResourceResponse{Tags: member.Each(b.Tags, showTag)}, nil
}

func (a *API) changeTags(ctx context.Context, scope arn.Scope, resource string, change func([]workload.Tag) []workload.Tag) error {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		r, b, err := tagged(tx, scope, resource)
		if err != nil {
			return err
		}
		if r != nil {
			next := *r
			next.Tags = change(r.Tags)
			store.Rules.Put(tx, &next)
			return checkTags(next.Tags)
		}
		if b.Name == event.DefaultBus {
			return invalid("The default event bus can not be tagged.")
		}
		next := *b
		next.Tags = change(b.Tags)
		store.EventBuses.Put(tx, &next)
		return checkTags(next.Tags)
	})
	return err
}

// tagged finds the rule or else the bus that an ARN names.
func tagged(r store.Reader, scope arn.Scope, resource string) (*event.Rule, *event.Bus, error) {
	if a, ok := scoped(scope, resource, "event-bus"); ok {
		b, err := findBus(r, scope, new(a.Name()))
		return nil, b, err
	}
	a, ok := scoped(scope, resource, "rule")
	if !ok {
		return nil, nil, invalid("Parameter ResourceARN is not valid.").WithHint("name a rule or an event bus of %s in %s", scope.Account, scope.Region)
	}
	var bus *string
	if path := a.Path(); len(path) == 2 {
		bus = &path[0]
	}
	found, err := findRule(r, scope, bus, a.Name())
	return found, nil, err
}

// TagsOf are the tags of a rule or bus; ok is false when there is none such.
func TagsOf(r store.Reader, resource arn.ARN) (tags []workload.Tag, ok bool) {
	found, b, err := tagged(r, resource.Scope(), resource.String())
	switch {
	case err != nil:
		return nil, false
	case found != nil:
		return found.Tags, true
	}
	return b.Tags, true
}
