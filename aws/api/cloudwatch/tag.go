package cloudwatch

import (
	"context"
	"maps"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// readTags is nil for no tags.
func readTags(in []cloudwatch.Tag) map[string]string {
	var out map[string]string
	for _, t := range in {
		if out == nil {
			out = map[string]string{}
		}
		out[member.Value(t.Key)] = member.Value(t.Value)
	}
	return out
}

func (a *API) tagResource(ctx context.Context, call *gateway.Call, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	tags := readTags(in.Tags)
	return &cloudwatch.TagResourceOutput{}, a.changeTags(ctx, call.Scope, *in.ResourceARN, func(have map[string]string) error {
		if err := alarm.CheckTags(have, tags); err != nil {
			return err
		}
		maps.Copy(have, tags)
		return nil
	})
}

func (a *API) untagResource(ctx context.Context, call *gateway.Call, in *cloudwatch.UntagResourceInput) (*cloudwatch.UntagResourceOutput, error) {
	return &cloudwatch.UntagResourceOutput{}, a.changeTags(ctx, call.Scope, *in.ResourceARN, func(have map[string]string) error {
		for _, key := range in.TagKeys {
			delete(have, key)
		}
		return nil
	})
}

func (a *API) changeTags(ctx context.Context, scope arn.Scope, resource string, change func(map[string]string) error) error {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := tagged(tx, scope, resource)
		if err != nil {
			return err
		}
		next := *have
		next.Tags = map[string]string{}
		maps.Copy(next.Tags, have.Tags)
		if err := change(next.Tags); err != nil {
			return err
		}
		if len(next.Tags) == 0 {
			next.Tags = nil
		}
		store.Alarms.Put(tx, &next)
		return nil
	})
	return err
}

func (a *API) listTagsForResource(_ context.Context, call *gateway.Call, in *cloudwatch.ListTagsForResourceInput) (*cloudwatch.ListTagsForResourceOutput, error) {
	have, err := tagged(a.store.View(), call.Scope, *in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.ListTagsForResourceOutput{Tags: []cloudwatch.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(have.Tags)) {
		out.Tags = append(out.Tags, cloudwatch.Tag{Key: &key, Value: new(have.Tags[key])})
	}
	return out, nil
}

// tagged is the alarm an ARN names; nothing else of this service has tags here.
func tagged(r store.Reader, scope arn.Scope, resource string) (*alarm.Alarm, error) {
	parsed, err := arn.Parse(resource)
	if err != nil {
		return nil, invalid(resource, "ResourceARN")
	}
	name, ok := alarm.NameIn(parsed)
	if !ok {
		return nil, fault.New(fault.InvalidParameterValue, "The value %s for parameter ResourceARN does not name an alarm.", resource)
	}
	if have, ok := store.Alarms.Get(r, alarm.Key(scope, name)); ok && parsed.Scope() == scope {
		return have, nil
	}
	return nil, fault.New(fault.MonitoredResourceNotFound, "The resource %s does not exist.", resource)
}
