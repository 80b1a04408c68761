package events

import (
	"encoding/base64"
	"iter"
)

// maxPage is what a page holds when the caller did not say, and the most it can.
const maxPage = 100

// page is what a List call says about its page. Items have names, and come in
// their order.
type page struct {
	after string // the name the page before ended with; empty on the first
	size  int
}

func readPage(token *string, limit *int32) (page, error) {
	p := page{size: maxPage}
	if limit != nil {
		p.size = int(*limit)
	}
	if token == nil {
		return p, nil
	}
	name, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil || len(name) == 0 {
		return p, invalid("NextToken is not valid.").WithHint("send the NextToken of the page before, or none for the first page")
	}
	p.after = string(name)
	return p, nil
}

// fill takes a page of the items that pass, and the token of the next page when
// there is more.
func fill[T any](p page, items iter.Seq[T], name func(T) string, passes func(T) bool) (list []T, next *string) {
	last := ""
	for item := range items {
		if name(item) <= p.after || !passes(item) {
			continue
		}
		if len(list) == p.size {
			return list, new(base64.RawURLEncoding.EncodeToString([]byte(last)))
		}
		list, last = append(list, item), name(item)
	}
	return list, nil
}
