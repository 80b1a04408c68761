package ssm

import "github.com/berthhq/berth/domain/fault"

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

func notFound(name string) *fault.Fault {
	return fault.New(fault.ParameterNotFound, "Parameter %s not found.", name)
}
