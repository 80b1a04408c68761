package logs

// pageSize is how many items a page of groups or streams has.
func pageSize(limit *int32) int {
	const usual = 50
	if limit == nil {
		return usual
	}
	return int(*limit)
}
