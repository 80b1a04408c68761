package fields_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// at finds what is at a path such as tasks[0].taskArn; nil where nothing is.
func at(v any, path string) any {
	for step := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// field is a path without its positions: tasks[0].taskArn becomes tasks[].taskArn.
func field(path string) string {
	var out strings.Builder
	for part := range strings.SplitSeq(strings.Trim(path, "."), "[") {
		if _, after, ok := strings.Cut(part, "]"); ok {
			part = "[]" + after
		}
		out.WriteString(part)
	}
	return out.String()
}

// like tells whether a text matches a pattern in which * stands for anything.
func like(pattern, text string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	if !strings.HasPrefix(text, first) {
		return false
	}
	for text = text[len(first):]; ; text = text[1:] {
		if like(rest, text) {
			return true
		}
		if text == "" {
			return false
		}
	}
}

// compare says how a value differs from what is wanted: "" where it does not.
func compare(want, have any) string {
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok {
			return fmt.Sprintf("%v instead of an object", have)
		}
		for _, name := range slices.Sorted(maps.Keys(w)) {
			if diff := compare(w[name], h[name]); diff != "" {
				return name + ": " + diff
			}
		}
		return ""
	case []any:
		h, ok := have.([]any)
		if !ok || len(h) != len(w) {
			return fmt.Sprintf("%v instead of %d items", have, len(w))
		}
		for i := range w {
			if diff := compare(w[i], h[i]); diff != "" {
				return fmt.Sprintf("[%d]: %s", i, diff)
			}
		}
		return ""
	case nil:
		if have != nil {
			return fmt.Sprintf("%v instead of nothing", have)
		}
		return ""
	}
	if text, ok := want.(string); ok && have != nil && like(text, fmt.Sprint(have)) || want == have {
		return ""
	}
	return fmt.Sprintf("%v instead of %v", have, want)
}

// echo is how a request shows in an answer: the fields that are there and equal,
// and a word for each that is there and is not.
type echo struct {
	shown  []string
	differ []string
}

// look compares a part of a request with a part of an answer. Lists of objects
// are as in the request when each of its items is there; other lists are equal.
func (e *echo) look(path string, sent, have any) {
	switch s := sent.(type) {
	case nil:
	case map[string]any:
		h, _ := have.(map[string]any)
		for name, v := range s {
			e.look(join(path, name), v, h[name])
		}
	case []any:
		if len(s) > 0 && isObject(s[0]) {
			e.list(path+"[]", s, have)
			return
		}
		e.leaf(path+"[]", sent, have)
	default:
		e.leaf(path, sent, have)
	}
}

func isObject(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}

func (e *echo) leaf(path string, sent, have any) {
	switch {
	case have == nil:
	case compare(sent, have) == "" || sameTime(sent, have) || names(sent, have):
		e.shown = append(e.shown, path)
	default:
		e.differ = append(e.differ, fmt.Sprintf("%s: sent %v, shown %v", path, sent, have))
	}
}

// list pairs each item sent with the item of the answer that shows the most of it.
func (e *echo) list(path string, sent []any, have any) {
	items, _ := have.([]any)
	for _, s := range sent {
		var best echo
		for i, h := range items {
			var now echo
			now.look(path, s, h)
			if i == 0 || len(now.differ) < len(best.differ) || len(now.differ) == len(best.differ) && len(now.shown) > len(best.shown) {
				best = now
			}
		}
		e.shown, e.differ = append(e.shown, best.shown...), append(e.differ, best.differ...)
	}
}

// leavesOf are the fields of a value that are set.
func leavesOf(path string, v any) []string {
	var all []string
	switch in := v.(type) {
	case map[string]any:
		for name, item := range in {
			all = append(all, leavesOf(join(path, name), item)...)
		}
	case []any:
		if len(in) == 0 {
			return []string{path + "[]"}
		}
		for _, item := range in {
			all = append(all, leavesOf(path+"[]", item)...)
		}
	case nil:
	default:
		all = []string{path}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// sameTime tells whether both are the same instant, written in two ways.
func sameTime(a, b any) bool {
	x, errA := time.Parse(time.RFC3339, fmt.Sprint(a))
	y, errB := time.Parse(time.RFC3339, fmt.Sprint(b))
	return errA == nil && errB == nil && x.Equal(y)
}

// names tells whether a name that was sent shows as its ARN, of the newest revision
// where it has some.
func names(sent, have any) bool {
	arn := fmt.Sprint(have)
	return like(fmt.Sprintf("arn:*/%v", sent), arn) || like(fmt.Sprintf("arn:*/%v:*", sent), arn)
}
