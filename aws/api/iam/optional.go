package iam

import "time"

// Optional members are pointers in the API's structures. These turn what is there
// into values, and values into what is shown.

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// text is s, or absent when empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// at is a moment as IAM shows it, to the second; absent when zero.
func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Truncate(time.Second))
}

// each converts a list; the list is never nil, so that it shows when empty.
func each[A, B any](list []A, convert func(*A) B) []B {
	out := make([]B, len(list))
	for i := range list {
		out[i] = convert(&list[i])
	}
	return out
}

// some is each, but absent when there is nothing.
func some[A, B any](list []A, convert func(*A) B) []B {
	if len(list) == 0 {
		return nil
	}
	return each(list, convert)
}
