package secretsmanager

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

// some converts a list; absent when there is nothing.
func some[A, B any](list []A, convert func(*A) B) []B {
	if len(list) == 0 {
		return nil
	}
	out := make([]B, len(list))
	for i := range list {
		out[i] = convert(&list[i])
	}
	return out
}

func invalidParameter(format string, args ...any) *fault.Fault {
	return fault.New(fault.InvalidParameter, format, args...)
}

func invalidRequest(format string, args ...any) *fault.Fault {
	return fault.New(fault.InvalidRequest, format, args...)
}

func notFound() *fault.Fault {
	return fault.New(fault.ResourceNotFound, "Secrets Manager can't find the specified secret.")
}

func deleting() *fault.Fault {
	return invalidRequest("You can't perform this operation on the secret because it was marked for deletion.").
		WithHint("aws secretsmanager restore-secret brings it back")
}
