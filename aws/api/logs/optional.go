package logs

// value is what an optional member holds, its zero value when it is absent.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// pageSize is how many items a page of groups or streams has.
func pageSize(limit *int32) int {
	const usual = 50
	if limit == nil {
		return usual
	}
	return int(*limit)
}

// present is a pointer to n unless it is zero.
func present[T int32 | int64 | string](n T) *T {
	var zero T
	if n == zero {
		return nil
	}
	return &n
}
