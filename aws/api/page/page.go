// Package page cuts lists into the pages of List and Describe calls.
package page

import "encoding/base64"

// Cut takes the page that follows a token from a list in order of its keys, which are
// unique and fall when down is true, and gives the next one's token; nil when there is none. The token is the last
// key of a page, so that items that come or go meanwhile move no others. A page holds
// size items, or most when the caller did not say. ok is false for a token that no page
// gave.
func Cut[T any](list []T, token *string, size *int32, most int, key func(T) string, down bool) (page []T, next *string, ok bool) {
	if token != nil {
		last, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil || len(last) == 0 {
			return nil, nil, false
		}
		for len(list) > 0 && !past(key(list[0]), string(last), down) {
			list = list[1:]
		}
	}
	if size != nil {
		most = int(*size)
	}
	page = list[:min(len(list), most)]
	if most < len(list) {
		next = new(base64.RawURLEncoding.EncodeToString([]byte(key(page[len(page)-1]))))
	}
	return page, next, true
}

// past tells whether a key follows another.
func past(key, last string, down bool) bool {
	if down {
		return key < last
	}
	return key > last
}
