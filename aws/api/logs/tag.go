package logs

import (
	"context"
	"maps"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/telemetry"
)

const maxTags = 50

// checkTags refuses tags that cannot be added to those a group has.
func checkTags(has, add map[string]string) error {
	sum := len(has)
	for k := range add {
		if strings.HasPrefix(strings.ToLower(k), "aws:") {
			return fault.New(fault.InvalidParameter, "aws: prefixed tag key names are not allowed for external use.")
		}
		if _, known := has[k]; !known {
			sum++
		}
	}
	if sum > maxTags {
		return fault.New(fault.TooManyTags, "The resource can have no more than %d tags.", maxTags)
	}
	return nil
}

func (a *API) tagResource(_ context.Context, call *gateway.Call, in *logs.TagResourceRequest) (*wire.Empty, error) {
	name, err := taggedGroup(call.Scope, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return a.addTags(call.Scope, name, in.Tags)
}

func (a *API) tagLogGroup(_ context.Context, call *gateway.Call, in *logs.TagLogGroupRequest) (*wire.Empty, error) {
	return a.addTags(call.Scope, member.Value(in.LogGroupName), in.Tags)
}

func (a *API) addTags(scope arn.Scope, name string, tags map[string]string) (*wire.Empty, error) {
	return &wire.Empty{}, a.archive.ChangeGroup(scope, name, func(g *telemetry.Group) error {
		if err := checkTags(g.Tags, tags); err != nil {
			return err
		}
		if g.Tags == nil {
			g.Tags = map[string]string{}
		}
		maps.Copy(g.Tags, tags)
		return nil
	})
}

func (a *API) untagResource(_ context.Context, call *gateway.Call, in *logs.UntagResourceRequest) (*wire.Empty, error) {
	name, err := taggedGroup(call.Scope, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return a.removeTags(call.Scope, name, in.TagKeys)
}

func (a *API) untagLogGroup(_ context.Context, call *gateway.Call, in *logs.UntagLogGroupRequest) (*wire.Empty, error) {
	return a.removeTags(call.Scope, member.Value(in.LogGroupName), in.Tags)
}

func (a *API) removeTags(scope arn.Scope, name string, keys []string) (*wire.Empty, error) {
	return &wire.Empty{}, a.archive.ChangeGroup(scope, name, func(g *telemetry.Group) error {
		for _, k := range keys {
			delete(g.Tags, k)
		}
		return nil
	})
}

func (a *API) listTagsForResource(_ context.Context, call *gateway.Call, in *logs.ListTagsForResourceRequest) (*logs.ListTagsForResourceResponse, error) {
	name, err := taggedGroup(call.Scope, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := a.tags(call.Scope, name)
	return &logs.ListTagsForResourceResponse{Tags: tags}, err
}

func (a *API) listTagsLogGroup(_ context.Context, call *gateway.Call, in *logs.ListTagsLogGroupRequest) (*logs.ListTagsLogGroupResponse, error) {
	tags, err := a.tags(call.Scope, member.Value(in.LogGroupName))
	return &logs.ListTagsLogGroupResponse{Tags: tags}, err
}

// tags is never nil without an error: an untagged group has an empty map.
func (a *API) tags(scope arn.Scope, name string) (map[string]string, error) {
	g, err := a.archive.Group(scope, name)
	if err != nil {
		return nil, err
	}
	if g.Tags == nil {
		return map[string]string{}, nil
	}
	return g.Tags, nil
}

// taggedGroup is the group an ARN names; nothing else of this service has tags
// here.
func taggedGroup(scope arn.Scope, resource *string) (string, error) {
	if !arn.IsARN(member.Value(resource)) {
		return "", fault.New(fault.InvalidParameter, "The resource ARN you specified is not valid: %s", member.Value(resource))
	}
	return telemetry.GroupName(scope, *resource)
}
