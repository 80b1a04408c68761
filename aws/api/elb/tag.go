package elb

import (
	"context"
	"slices"
	"strconv"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

type tag = workload.Tag

// maxTags is how many tags a balancer has.
const maxTags = 50

func readTag(t *shape.Tag) tag { return tag{Key: *t.Key, Value: member.Value(t.Value)} }

func showTag(t *tag) shape.Tag { return shape.Tag{Key: &t.Key, Value: &t.Value} }

// readTags adds what a caller says.
func readTags(have []tag, in []shape.Tag) ([]tag, error) {
	said := member.Some(in, readTag)
	if len(workload.SetTags(nil, said)) < len(said) {
		return nil, fault.New(fault.DuplicateTagKeys, "Tag keys must be unique")
	}
	if slices.ContainsFunc(said, tag.Reserved) {
		return nil, invalid("Tag keys cannot begin with aws:")
	}
	out := workload.SetTags(have, said)
	if len(out) > maxTags {
		return nil, fault.New(fault.TooManyBalancerTags, "A load balancer has at most %d tags", maxTags)
	}
	return out, nil
}

func (a *API) addTags(ctx context.Context, call *gateway.Call, in *shape.AddTagsInput) (*shape.AddTagsOutput, error) {
	return &shape.AddTagsOutput{}, a.retag(ctx, call, in.LoadBalancerNames, func(have []tag) ([]tag, error) { return readTags(have, in.Tags) })
}

func (a *API) removeTags(ctx context.Context, call *gateway.Call, in *shape.RemoveTagsInput) (*shape.RemoveTagsOutput, error) {
	keys := member.Each(in.Tags, func(t *shape.TagKeyOnly) string { return member.Value(t.Key) })
	return &shape.RemoveTagsOutput{}, a.retag(ctx, call, in.LoadBalancerNames, func(have []tag) ([]tag, error) { return workload.WithoutTags(have, keys), nil })
}

// retag changes the tags of balancers one after the other: AWS takes one name only.
func (a *API) retag(ctx context.Context, call *gateway.Call, names []string, fn func([]tag) ([]tag, error)) error {
	for _, name := range names {
		_, err := a.change(ctx, call, name, func(_ *store.Tx, b *balancer.Balancer) (err error) {
			b.Tags, err = fn(b.Tags)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *API) describeTags(_ context.Context, call *gateway.Call, in *shape.DescribeTagsInput) (*shape.DescribeTagsOutput, error) {
	v, out := a.Store.View(), &shape.DescribeTagsOutput{}
	for _, name := range in.LoadBalancerNames {
		b, err := find(v, call.Scope, name)
		if err != nil {
			return nil, err
		}
		out.TagDescriptions = append(out.TagDescriptions, shape.TagDescription{LoadBalancerName: &name, Tags: member.Each(b.Tags, showTag)})
	}
	return out, nil
}

// period is how long a cookie lives; nil for the browser's session.
func period(p *balancer.Policy) *int64 {
	n, err := strconv.ParseInt(p.Attribute("CookieExpirationPeriod"), 10, 64)
	if err != nil {
		return nil
	}
	return &n
}
