package ecr

import (
	"encoding/base64"
	"slices"
	"sort"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
)

// page cuts one page out of all items, which it sorts by key. Keys are unique, and
// a token is the key of the last item shown, so that items that come or go
// meanwhile move no others.
func page[T any](items []T, key func(*T) string, token *string, size *int32, most int) (shown []T, next *string, err error) {
	sort.Slice(items, func(i, j int) bool { return key(&items[i]) < key(&items[j]) })
	if member.Value(token) != "" {
		after, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, invalid("Invalid parameter at 'nextToken' failed to satisfy constraint: 'must be a token of an earlier answer'")
		}
		i, _ := slices.BinarySearchFunc(items, string(after)+"\x00", func(item T, after string) int { return strings.Compare(key(&item), after) })
		items = items[i:]
	}
	limit := most
	if size != nil {
		limit = int(*size)
	}
	if len(items) <= limit {
		return items, nil, nil
	}
	last := key(&items[limit-1])
	return items[:limit], new(base64.RawURLEncoding.EncodeToString([]byte(last))), nil
}
