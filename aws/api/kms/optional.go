package kms

import (
	"time"

	"github.com/berthhq/berth/domain/fault"
)

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// at is a moment, or absent when zero.
func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// each converts a list; the list is never nil, so that it shows when empty.
func each[A, B any](list []A, convert func(*A) B) []B {
	out := make([]B, len(list))
	for i := range list {
		out[i] = convert(&list[i])
	}
	return out
}

func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.Validation, format, args...)
}
