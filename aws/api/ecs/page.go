package ecs

import (
	"encoding/base64"
	"encoding/json"
	"iter"

	"github.com/berthhq/berth/store"
)

// maxPage is the greatest page, and what one holds when the caller did not say.
const maxPage = 100

// cursor is where a page ended. Its text is opaque to callers.
type cursor struct {
	Rank int64  `json:"r,omitempty"`
	Key  string `json:"k"`
	Past bool   `json:"p,omitempty"` // a place in the history of tasks
}

func (c cursor) String() string {
	data, _ := json.Marshal(c) // a struct of two scalars always marshals
	return base64.RawURLEncoding.EncodeToString(data)
}

func (c cursor) position() store.Position { return store.Position{Rank: c.Rank, Key: c.Key} }

// pageRequest is what a List call says about its page.
type pageRequest struct {
	size  int
	after cursor // zero on the first page
}

func readPage(token *string, size *int32) (pageRequest, error) {
	return readPageUpTo(maxPage, token, size)
}

// readPageUpTo is readPage for lists whose greatest page is another.
func readPageUpTo(most int, token *string, size *int32) (pageRequest, error) {
	p := pageRequest{size: most}
	if size != nil {
		if *size < 1 || int(*size) > most {
			return p, invalid("maxResults should be between 1 and %d", most)
		}
		p.size = int(*size)
	}
	if token == nil || *token == "" {
		return p, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil || json.Unmarshal(data, &p.after) != nil || p.after.Key == "" {
		return p, invalid("Invalid token.")
	}
	return p, nil
}

// fill takes a page of what follows, and the token of the next page when there
// is more. items begin after p.after.
func fill[T any](p pageRequest, items iter.Seq[T], place func(T) cursor) (page []T, next *string) {
	var last cursor
	for item := range items {
		if len(page) == p.size {
			return page, new(last.String())
		}
		page = append(page, item)
		last = place(item)
	}
	return page, nil
}

// filter yields those items that pass.
func filter[T any](items iter.Seq[T], keep func(T) bool) iter.Seq[T] {
	return func(yield func(T) bool) {
		for item := range items {
			if keep(item) && !yield(item) {
				return
			}
		}
	}
}
