package elbv2

import (
	"github.com/berthhq/berth/aws/api/page"
)

// maxPage is what a page holds when the caller did not say, and the most it can.
const maxPage = 400

// cut takes a page of a list in order of its keys.
func cut[T any](list []T, marker *string, size *int32, key func(T) string) ([]T, *string, error) {
	part, next, ok := page.Cut(list, marker, size, maxPage, key, false)
	if !ok {
		return nil, nil, invalid("The marker is not valid").WithHint("send the NextMarker of the page before, or none for the first page")
	}
	return part, next, nil
}
