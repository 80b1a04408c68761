package kms

import (
	"github.com/berthhq/berth/aws/api/page"
	"github.com/berthhq/berth/domain/fault"
)

// cut takes the page of a list in order of its keys that follows a marker, and the
// next one's marker.
func cut[T any](list []T, marker *string, limit *int32, most int, key func(T) string) ([]T, *string, error) {
	list, next, ok := page.Cut(list, marker, limit, most, key, false)
	if !ok {
		return nil, nil, fault.New(fault.InvalidMarker, "Could not decode marker").WithHint("send the NextMarker of the page before, or none for the first page")
	}
	return list, next, nil
}
