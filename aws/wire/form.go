package wire

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// form is the tree that the dotted names of a query request spell:
// Tags.member.1.Key=a is Tags, member, 1, Key.
type form struct {
	value    string
	set      bool // the name itself had a value
	children map[string]*form
}

// parseForm reads name=value pairs, URL-encoded.
func parseForm(text string) (*form, error) {
	root := &form{}
	for text != "" {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err == nil {
			value, err = url.QueryUnescape(value)
		}
		if err != nil {
			return nil, fault.New(fault.Serialization, "The request is not URL-encoded: %v", err)
		}
		if err := root.put(name, value); err != nil {
			return nil, err
		}
	}
	return root, nil
}

func (f *form) put(name, value string) error {
	if strings.Count(name, ".") > maxDepth {
		return fault.New(fault.Serialization, "The parameter %.40s... is nested too deeply", name)
	}
	at := f
	for step := range strings.SplitSeq(name, ".") {
		child := at.children[step]
		if child == nil {
			if at.children == nil {
				at.children = map[string]*form{}
			}
			child = &form{}
			at.children[step] = child
		}
		at = child
	}
	at.value, at.set = value, true
	return nil
}

// child finds what is under a name; nil when there is nothing.
func (f *form) child(name string) *form { return f.children[name] }

// items are the numbered children in the order of their numbers.
func (f *form) items() []*form {
	type numbered struct {
		n int
		f *form
	}
	var out []numbered
	for name, child := range f.children {
		if n, err := strconv.Atoi(name); err == nil && n >= 0 {
			out = append(out, numbered{n, child})
		}
	}
	slices.SortFunc(out, func(a, b numbered) int { return a.n - b.n })
	items := make([]*form, len(out))
	for i, o := range out {
		items[i] = o.f
	}
	return items
}
