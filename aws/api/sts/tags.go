package sts

import (
	"slices"
	"strings"

	shape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/workload"
)

// maxTags is how many tags a session has.
const maxTags = 50

func sameKey(a, b string) bool { return strings.EqualFold(a, b) }

func hasTag(tags []workload.Tag, key string) bool {
	return slices.ContainsFunc(tags, func(t workload.Tag) bool { return sameKey(t.Key, key) })
}

func readTags(in []shape.Tag) (tags []workload.Tag, err error) {
	for _, t := range in {
		switch {
		case hasTag(tags, *t.Key):
			return nil, fault.New(fault.InvalidParameterValue, "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		case strings.HasPrefix(strings.ToLower(*t.Key), "aws:"):
			return nil, fault.New(fault.InvalidParameterValue, "aws: prefixed tag key names are not allowed for external use.")
		}
		tags = append(tags, workload.Tag{Key: *t.Key, Value: *t.Value})
	}
	return tags, nil
}

// inherited are the tags that go on from the session of the caller, and their keys.
func inherited(from *identity.Session) (tags []workload.Tag, keys []string) {
	if from == nil {
		return nil, nil
	}
	for _, t := range from.Tags {
		if slices.ContainsFunc(from.Transitive, func(key string) bool { return sameKey(key, t.Key) }) {
			tags, keys = append(tags, t), append(keys, t.Key)
		}
	}
	return tags, keys
}

// sessionTags are the tags of a new session: those that were given, after those that
// go on from the caller's.
func sessionTags(from *identity.Session, in *shape.AssumeRoleRequest) (tags []workload.Tag, transitive []string, err error) {
	asked, err := readTags(in.Tags)
	if err != nil {
		return nil, nil, err
	}
	for _, key := range in.TransitiveTagKeys {
		if !hasTag(asked, key) {
			return nil, nil, fault.New(fault.InvalidParameterValue, "The specified transitive tag key must be included in the requested tags.").WithHint("%s is not there", key)
		}
	}
	tags, transitive = inherited(from)
	for _, t := range asked {
		if hasTag(tags, t.Key) {
			return nil, nil, fault.New(fault.InvalidParameterValue, "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.").
				WithHint("the calling session sets %s already", t.Key)
		}
	}
	if tags = append(tags, asked...); len(tags) > maxTags {
		return nil, nil, invalid("A session can have at most %d tags.", maxTags)
	}
	return tags, append(transitive, in.TransitiveTagKeys...), nil
}
