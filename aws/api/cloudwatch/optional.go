package cloudwatch

// value is what an optional member holds, its zero value when it is absent.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// present is a pointer to v unless it is zero.
func present[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// listed is the list, empty when there is none: AWS sends these always.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
