package events

import (
	"time"

	"github.com/berthhq/berth/domain/fault"
)

// Optional members are pointers in the API's structures. These turn what is
// there into values, and values into what is shown.

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// text is s, or absent when empty.
func text[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
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

// some is each, but absent when there is nothing.
func some[A, B any](list []A, convert func(*A) B) []B {
	if len(list) == 0 {
		return nil
	}
	return each(list, convert)
}

// invalid is the fault for what cannot be.
func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.Validation, format, args...)
}

func missing(format string, args ...any) *fault.Fault {
	return fault.New(fault.ResourceNotFound, format, args...)
}

func tooMany() *fault.Fault {
	return fault.New(fault.LimitExceeded, "The requested resource exceeds the maximum number allowed.")
}
