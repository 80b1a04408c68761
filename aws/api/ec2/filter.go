package ec2

import (
	"slices"
	"strconv"
	"strings"

	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/workload"
)

// matcher makes one test of all filters: a resource passes when each filter finds
// one of its values. An unknown filter is refused, as AWS does, instead of
// answering with too much.
func (k *kind[T]) matcher(filters []shape.Filter) (func(*T) bool, error) {
	type test struct {
		values func(*T) []string
		wanted []string
	}
	var tests []test
	for _, f := range filters {
		if f.Name == nil {
			return nil, fault.New(fault.MissingParameter, "The request must contain the parameter Filter.Name")
		}
		values := k.field(*f.Name)
		if values == nil {
			return nil, fault.New(fault.InvalidParameterValue, "The filter '%s' is invalid", *f.Name)
		}
		tests = append(tests, test{values, f.Values})
	}
	return func(record *T) bool {
		for _, t := range tests {
			if !anyMatches(t.values(record), t.wanted) {
				return false
			}
		}
		return true
	}, nil
}

// field is the values a filter looks at; nil for a filter that does not exist.
func (k *kind[T]) field(name string) func(*T) []string {
	if key, ok := strings.CutPrefix(name, "tag:"); ok && k.tags != nil {
		return func(record *T) []string { return tagValues(k.tags(record), key) }
	}
	if name == "tag-key" && k.tags != nil {
		return func(record *T) []string { return tagKeys(k.tags(record)) }
	}
	return k.fields[name]
}

func anyMatches(values, wanted []string) bool {
	return slices.ContainsFunc(wanted, func(pattern string) bool {
		return slices.ContainsFunc(values, func(value string) bool { return wildcard(pattern, value) })
	})
}

// wildcard tells whether value is as pattern says: * is any text, ? any one byte,
// a backslash takes the meaning from what follows it.
func wildcard(pattern, value string) bool {
	if !strings.ContainsAny(pattern, `*?\`) {
		return pattern == value
	}
	p, v := 0, 0
	star, resume := -1, 0 // the last *, and where its text may end next
	for v < len(value) {
		if p < len(pattern) {
			switch ch := pattern[p]; {
			case ch == '*':
				star, resume = p, v
				p++
				continue
			case ch == '\\' && p+1 < len(pattern) && pattern[p+1] == value[v]:
				p, v = p+2, v+1
				continue
			case ch == '?' || ch != '\\' && ch == value[v]:
				p, v = p+1, v+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		resume++
		p, v = star+1, resume
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func tagValues(tags []workload.Tag, key string) []string {
	for _, t := range tags {
		if t.Key == key {
			return []string{t.Value}
		}
	}
	return nil
}

func tagKeys(tags []workload.Tag) []string {
	keys := make([]string, len(tags))
	for n, t := range tags {
		keys[n] = t.Key
	}
	return keys
}

// one makes a filter field of a single value.
func one[T any](value func(*T) string) func(*T) []string {
	return func(record *T) []string { return []string{value(record)} }
}

// truth makes a filter field of a condition.
func truth[T any](value func(*T) bool) func(*T) []string {
	return func(record *T) []string { return []string{strconv.FormatBool(value(record))} }
}

// always makes a filter field that is the same for every resource.
func always[T any](value string) func(*T) []string {
	return func(*T) []string { return []string{value} }
}
