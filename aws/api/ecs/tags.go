package ecs

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/workload"
)

// Limits of tags.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html
const (
	maxTags        = 50
	maxTagKey      = 128
	maxTagValue    = 256
	reservedPrefix = "aws:"
)

// readTags checks tags given with a new resource. An empty list, unlike none, is
// an error of AWS's.
func readTags(in []ecs.Tag) ([]workload.Tag, error) {
	if in != nil && len(in) == 0 {
		return nil, invalid("Tags can not be empty.")
	}
	var out []workload.Tag
	for _, t := range in {
		tag := workload.Tag{Key: member.Value(t.Key), Value: member.Value(t.Value)}
		if err := checkTag(tag); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(x workload.Tag) bool { return x.Key == tag.Key }) {
			return nil, invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		out = append(out, tag)
	}
	return out, checkTagCount(out)
}

func checkTag(t workload.Tag) error {
	switch {
	case t.Key == "" || utf8.RuneCountInString(t.Key) > maxTagKey:
		return invalid("Tag key must be between 1 and %d characters.", maxTagKey)
	case utf8.RuneCountInString(t.Value) > maxTagValue:
		return invalid("Tag value must be at most %d characters.", maxTagValue)
	case strings.HasPrefix(strings.ToLower(t.Key), reservedPrefix):
		return invalid("Tag keys beginning with '%s' are reserved for system use.", reservedPrefix)
	}
	return nil
}

func checkTagCount(tags []workload.Tag) error {
	users := 0
	for _, t := range tags {
		if !strings.HasPrefix(t.Key, reservedPrefix) {
			users++
		}
	}
	if users > maxTags {
		return invalid("Too many tags. A resource can have at most %d.", maxTags)
	}
	return nil
}

// showTags is the list of tags, never absent.
func showTags(tags []workload.Tag) []ecs.Tag {
	return member.Each(tags, func(t *workload.Tag) ecs.Tag { return ecs.Tag{Key: &t.Key, Value: &t.Value} })
}
