package iam

import (
	"encoding/base64"
	"iter"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/domain/fault"
)

// pageDefault is what a page holds when the caller did not say.
const pageDefault = 100

// page is what a List call says about its page. Items have keys, and come in the
// order of these.
type page struct {
	after string // the key the page before ended with; empty on the first
	size  int
}

func readPage(marker *string, size *int32) (page, error) {
	p := page{size: pageDefault}
	if size != nil {
		p.size = int(*size)
	}
	if marker == nil {
		return p, nil
	}
	key, err := base64.StdEncoding.DecodeString(*marker)
	if err != nil || len(key) == 0 {
		return p, fault.New(fault.Validation, "Invalid Marker.").WithHint("send the Marker of the page before, or none for the first page")
	}
	p.after = string(key)
	return p, nil
}

// fill takes a page of the items, and the marker of the next one when there is more.
func fill[T any](p page, items iter.Seq[T], key func(T) string) (list []T, more bool, marker *string) {
	last := ""
	for item := range items {
		k := key(item)
		if p.after != "" && k <= p.after {
			continue
		}
		if len(list) == p.size {
			return list, true, new(base64.StdEncoding.EncodeToString([]byte(last)))
		}
		list, last = append(list, item), k
	}
	return list, false, nil
}

// listed is a page of what is small enough to be sorted for each call.
func listed[T any](marker *string, size *int32, items []T, key func(T) string) ([]T, *bool, *string, error) {
	p, err := readPage(marker, size)
	if err != nil {
		return nil, nil, nil, err
	}
	items = slices.SortedFunc(slices.Values(items), func(a, b T) int { return strings.Compare(key(a), key(b)) })
	list, more, next := fill(p, slices.Values(items), key)
	return list, &more, next, nil
}

// where keeps the items that pass.
func where[T any](items iter.Seq[T], passes func(T) bool) iter.Seq[T] {
	return func(yield func(T) bool) {
		for item := range items {
			if passes(item) && !yield(item) {
				return
			}
		}
	}
}

// under tells whether a path begins with a prefix; none means all.
func under(path string, prefix *string) bool { return strings.HasPrefix(path, member.Value(prefix)) }

// equalName tells whether two names are one: case does not tell them apart.
func equalName(a, b string) bool { return strings.EqualFold(a, b) }
