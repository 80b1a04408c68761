package secretsmanager

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/api/page"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/secretsmanager"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

func (a *API) listSecrets(_ context.Context, call *gateway.Call, in *shape.ListSecretsRequest) (*shape.ListSecretsResponse, error) {
	key := sortKey(in.SortBy)
	list := matching(a.store.View(), call, in.Filters, member.Value(in.IncludePlannedDeletion))
	slices.SortFunc(list, func(a, b *secret.Secret) int { return cmp.Compare(key(&a), key(&b)) })
	if in.SortOrder == shape.SortOrderTypeDesc {
		slices.Reverse(list)
	}
	page, next, err := cut(list, in.NextToken, in.MaxResults, 100, order[*secret.Secret]{key, in.SortOrder == shape.SortOrderTypeDesc})
	if err != nil {
		return nil, err
	}
	out := &shape.ListSecretsResponse{NextToken: next, SecretList: member.Some(page, showEntry)}
	if out.SecretList == nil {
		out.SecretList = []shape.SecretListEntry{} // shown when empty
	}
	return out, nil
}

// matching are the secrets that pass all filters, in order of name.
func matching(r store.Reader, call *gateway.Call, filters []shape.Filter, planned bool) (list []*secret.Secret) {
	for s := range store.Secrets.Prefix(r, store.ScopeKey(call.Scope, "")) {
		if s.Gone(call.Now) || s.Deleting() && !planned {
			continue
		}
		if !slices.ContainsFunc(filters, func(f shape.Filter) bool { return !passes(s, f) }) {
			list = append(list, s)
		}
	}
	return list
}

// passes tells whether one of the filter's values matches, and none that begins
// with an exclamation mark does.
func passes(s *secret.Secret, f shape.Filter) bool {
	wanted, found := false, false
	for _, value := range f.Values {
		if bare, negated := strings.CutPrefix(value, "!"); negated {
			if matches(s, f.Key, bare) {
				return false
			}
			continue
		}
		wanted = true
		found = found || matches(s, f.Key, value)
	}
	return found || !wanted
}

func matches(s *secret.Secret, key shape.FilterNameStringType, value string) bool {
	switch key {
	case shape.FilterNameStringTypeName:
		return strings.HasPrefix(s.Name, value)
	case shape.FilterNameStringTypeDescription:
		return anyWord(s.Description, value)
	case shape.FilterNameStringTypeTagKey:
		return slices.ContainsFunc(s.Tags, func(t tag) bool { return strings.HasPrefix(t.Key, value) })
	case shape.FilterNameStringTypeTagValue:
		return slices.ContainsFunc(s.Tags, func(t tag) bool { return strings.HasPrefix(t.Value, value) })
	case shape.FilterNameStringTypeAll:
		return inAll(s, value)
	}
	return false // of no replica and no other service
}

// anyWord tells whether the text, or a word of it, begins with the value, whatever
// the case.
func anyWord(text, value string) bool {
	text, value = strings.ToLower(text), strings.ToLower(value)
	return strings.HasPrefix(text, value) || slices.ContainsFunc(strings.Fields(text), func(word string) bool { return strings.HasPrefix(word, value) })
}

func inAll(s *secret.Secret, value string) bool {
	texts := []string{s.Name, s.Description}
	for _, t := range s.Tags {
		texts = append(texts, t.Key, t.Value)
	}
	for _, word := range strings.Fields(value) {
		if slices.ContainsFunc(texts, func(text string) bool { return anyWord(text, word) }) {
			return true
		}
	}
	return false
}

// sortKey makes keys that no two secrets share. AWS sorts by creation unless told.
func sortKey(by shape.SortByType) func(**secret.Secret) string {
	return func(p **secret.Secret) string {
		s := *p
		switch by {
		case shape.SortByTypeName:
			return s.Name
		case shape.SortByTypeLastAccessedDate:
			return sortable(s.AccessedAt) + s.Name
		case shape.SortByTypeLastChangedDate:
			return sortable(s.ChangedAt) + s.Name
		}
		return sortable(s.CreatedAt) + s.Name
	}
}

// sortable orders like the moments do.
func sortable(t time.Time) string {
	if t.IsZero() {
		return fmt.Sprintf("%019d", 0)
	}
	return fmt.Sprintf("%019d", t.UnixNano())
}

// order is how a list is sorted, by a key that no two items share.
type order[T any] struct {
	key  func(*T) string
	down bool
}

// cut takes the page of a sorted list that a token means, and the next one's token.
func cut[T any](list []T, token *string, limit *int32, most int, o order[T]) ([]T, *string, error) {
	list, next, ok := page.Cut(list, token, limit, most, func(t T) string { return o.key(&t) }, o.down)
	if !ok {
		return nil, nil, fault.New(fault.InvalidPageToken, "The NextToken value is invalid.").WithHint("send the NextToken of the page before, or none for the first page")
	}
	return list, next, nil
}

func (a *API) batchGetSecretValue(ctx context.Context, call *gateway.Call, in *shape.BatchGetSecretValueRequest) (*shape.BatchGetSecretValueResponse, error) {
	ids, next, err := a.asked(call, in)
	if err != nil {
		return nil, err
	}
	out := &shape.BatchGetSecretValueResponse{SecretValues: []shape.SecretValueEntry{}, Errors: []shape.APIErrorType{}, NextToken: next}
	for _, id := range ids {
		v, err := a.GetSecretValue(ctx, call, &shape.GetSecretValueRequest{SecretId: &id})
		if err != nil {
			f := fault.Of(err)
			if f.Kind.OurFault() {
				return nil, err
			}
			out.Errors = append(out.Errors, shape.APIErrorType{SecretId: &id, ErrorCode: new(f.Kind.String()), Message: new(f.Error())})
			continue
		}
		out.SecretValues = append(out.SecretValues, shape.SecretValueEntry(*v))
	}
	return out, nil
}

// asked are the secrets of a page of a batch.
func (a *API) asked(call *gateway.Call, in *shape.BatchGetSecretValueRequest) (ids []string, next *string, err error) {
	switch {
	case in.SecretIdList != nil && in.Filters != nil:
		return nil, nil, invalidParameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	case in.SecretIdList != nil && in.MaxResults != nil:
		return nil, nil, invalidParameter("'MaxResults' can't be used with 'SecretIdList'.")
	case in.SecretIdList != nil:
		return in.SecretIdList, nil, nil
	case in.Filters == nil:
		return nil, nil, invalidParameter("Either 'SecretIdList' or 'Filters' must be provided.")
	}
	page, next, err := cut(matching(a.store.View(), call, in.Filters, false), in.NextToken, in.MaxResults, 20, order[*secret.Secret]{key: sortKey(shape.SortByTypeName)})
	for _, s := range page {
		ids = append(ids, s.ARN)
	}
	return ids, next, err
}
