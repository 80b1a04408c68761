package cloudwatch

// listed is the list, empty when there is none: AWS sends these always.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
