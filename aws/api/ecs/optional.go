package ecs

import (
	"slices"
	"strconv"
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
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func int32Of(n int) *int32 { return new(int32(n)) }

// optionalInt keeps absence.
func optionalInt(n *int32) *int {
	if n == nil {
		return nil
	}
	return new(int(*n))
}

func optionalInt32(n *int) *int32 {
	if n == nil {
		return nil
	}
	return new(int32(*n))
}

// decimal is an optional number as text, as some members show it.
func decimal(n *int) *string {
	if n == nil {
		return nil
	}
	return new(strconv.Itoa(*n))
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

// words turns a list of named strings into one of another name.
func words[B, A ~string](list []A) []B {
	return each(list, func(a *A) B { return B(*a) })
}

// contains tells whether the caller asked to include a part.
func contains[T ~string](list []T, word T) bool {
	return slices.Contains(list, word)
}

// invalid is the fault for a parameter that cannot be.
func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.InvalidParameter, format, args...)
}

// client is ECS's catch-all for a request that cannot be met.
func client(format string, args ...any) *fault.Fault {
	return fault.New(fault.Client, format, args...)
}
