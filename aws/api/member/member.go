// Package member is what handlers do with the members of requests and answers, which
// may be absent: nil pointers and lists on the wire, zero values in the domain.
package member

import "time"

// Value is what p points to, or the zero value where the member is absent.
func Value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// Present is the member for v: absent for the zero value.
func Present[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// Time is the member for t: absent for the zero time.
func Time(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Each converts a list; its answer is a list that is there even when it is empty.
func Each[A, B any](list []A, convert func(*A) B) []B {
	out := make([]B, len(list))
	for i := range list {
		out[i] = convert(&list[i])
	}
	return out
}

// Some is Each, absent for an empty list.
func Some[A, B any](list []A, convert func(*A) B) []B {
	if len(list) == 0 {
		return nil
	}
	return Each(list, convert)
}
