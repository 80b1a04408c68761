package workload

import (
	"slices"
	"strings"
)

// Tag is a key and value on a resource.
type Tag struct {
	Key   string
	Value string
}

// Reserved tells whether the key is one of AWS's own, "aws:...", whatever the case.
func (t Tag) Reserved() bool { return strings.HasPrefix(strings.ToLower(t.Key), "aws:") }

// SetTags sets tags over those there: a key that is there keeps its place, the last
// value of a key wins.
func SetTags(have, said []Tag) []Tag {
	out := slices.Clone(have)
	for _, t := range said {
		i := slices.IndexFunc(out, func(x Tag) bool { return x.Key == t.Key })
		if i < 0 {
			out = append(out, t)
			continue
		}
		out[i] = t
	}
	return out
}

// WithoutTags are the tags with other keys.
func WithoutTags(have []Tag, keys []string) []Tag {
	return slices.DeleteFunc(slices.Clone(have), func(t Tag) bool { return slices.Contains(keys, t.Key) })
}
