package ec2

import (
	"encoding/base64"
	"iter"
	"slices"
	"strings"

	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// kind is how the resources of one type are listed: by ids, through filters, in
// pages.
type kind[T any] struct {
	noun    string // as AWS names it in errors: "vpc"
	missing fault.Kind
	id      func(*T) string // unique; lists are ordered by it
	tags    func(*T) []workload.Tag
	// fields are the filters of the type: all values of a resource.
	fields map[string]func(*T) []string
}

// selection is what a Describe request asks for.
type selection struct {
	ids     []string
	filters []shape.Filter
	max     *int32 // nil for all
	token   *string
}

// defaultPage is the page when a request names none. AWS returns up to 1000.
const defaultPage = 1000

// list takes the page that sel asks for out of all, which must be ordered by id.
func (k *kind[T]) list(all iter.Seq[*T], sel selection) (page []*T, next *string, err error) {
	matches, err := k.matcher(sel.filters)
	if err != nil {
		return nil, nil, err
	}
	after, err := readToken(sel.token)
	if err != nil {
		return nil, nil, err
	}
	most := defaultPage
	if sel.max != nil {
		most = int(*sel.max)
	}
	page = []*T{}
	for record := range all {
		if after != "" && k.id(record) <= after || !matches(record) {
			continue
		}
		if len(page) == most {
			return page, new(writeToken(k.id(page[most-1]))), nil
		}
		page = append(page, record)
	}
	return page, nil, nil
}

// byID finds the resources with the ids in order, and fails on those that are not
// there.
func (k *kind[T]) byID(ids []string, get func(id string) (*T, bool)) (iter.Seq[*T], error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	var found []*T
	var lacks []string
	for _, id := range ids {
		if record, ok := get(id); ok {
			found = append(found, record)
		} else {
			lacks = append(lacks, id)
		}
	}
	switch len(lacks) {
	case 0:
		return slices.Values(found), nil
	case 1:
		return nil, fault.New(k.missing, "The %s ID '%s' does not exist", k.noun, lacks[0])
	}
	return nil, fault.New(k.missing, "The %s IDs '%s' do not exist", k.noun, strings.Join(lacks, ", "))
}

// stored lists what a table has in a scope.
func stored[T any](k *kind[T], table *store.Table[T], r store.Reader, scope arn.Scope, sel selection) ([]*T, *string, error) {
	all := table.Prefix(r, network.Key(scope, ""))
	if len(sel.ids) > 0 {
		var err error
		all, err = k.byID(sel.ids, func(id string) (*T, bool) { return table.Get(r, network.Key(scope, id)) })
		if err != nil {
			return nil, nil, err
		}
	}
	return k.list(all, sel)
}

// derived lists what is not in a table.
func derived[T any](k *kind[T], records []*T, sel selection) ([]*T, *string, error) {
	slices.SortFunc(records, func(a, b *T) int { return strings.Compare(k.id(a), k.id(b)) })
	all := slices.Values(records)
	if len(sel.ids) > 0 {
		var err error
		all, err = k.byID(sel.ids, func(id string) (*T, bool) {
			n, ok := slices.BinarySearchFunc(records, id, func(record *T, id string) int { return strings.Compare(k.id(record), id) })
			if !ok {
				return nil, false
			}
			return records[n], true
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return k.list(all, sel)
}

func writeToken(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

func readToken(token *string) (after string, err error) {
	if token == nil || *token == "" {
		return "", nil
	}
	id, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil {
		return "", fault.New(fault.InvalidParameterValue, "The token '%s' is invalid", *token)
	}
	return string(id), nil
}
