package kms

import (
	"encoding/base64"

	"github.com/berthhq/berth/domain/fault"
)

// cut takes the page of a list in order of its keys that follows a marker, and the
// next one's marker.
func cut[T any](list []T, marker *string, limit *int32, most int, key func(T) string) (page []T, next *string, err error) {
	if marker != nil {
		last, err := base64.RawURLEncoding.DecodeString(*marker)
		if err != nil || len(last) == 0 {
			return nil, nil, fault.New(fault.InvalidMarker, "Could not decode marker").WithHint("send the NextMarker of the page before, or none for the first page")
		}
		for len(list) > 0 && key(list[0]) <= string(last) {
			list = list[1:]
		}
	}
	if limit != nil {
		most = int(*limit)
	}
	page = list[:min(len(list), most)]
	if most < len(list) {
		next = new(base64.RawURLEncoding.EncodeToString([]byte(key(page[len(page)-1]))))
	}
	return page, next, nil
}
