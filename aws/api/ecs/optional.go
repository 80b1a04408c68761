package ecs

import (
	"slices"
	"strconv"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/domain/fault"
)

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

// words turns a list of named strings into one of another name.
func words[B, A ~string](list []A) []B {
	return member.Each(list, func(a *A) B { return B(*a) })
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
