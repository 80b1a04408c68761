package ssm

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	shape "github.com/berthhq/berth/aws/shape/ssm"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
)

// filter passes what has one of the values.
type filter struct {
	key, option string
	values      []string
}

type filters []filter

// readFilters checks them against the keys that an operation knows; tags stand for
// all keys that begin with "tag:".
func readFilters(in []shape.ParameterStringFilter, known ...string) (list filters, err error) {
	for _, f := range in {
		got := filter{*f.Key, member.Value(f.Option), f.Values}
		kind, _, _ := strings.Cut(got.key, ":")
		switch {
		case !slices.Contains(known, kind):
			return nil, fault.New(fault.InvalidFilterKey, "The following filter key is not valid: %s. Valid filter keys include: [%s].", got.key, strings.Join(known, ", "))
		case slices.ContainsFunc(list, func(o filter) bool { return o.key == got.key }):
			return nil, invalid("The following filter is duplicated in the request: %s. A request can contain only one instance of a specific filter.", got.key)
		case len(got.values) == 0 && kind != "tag":
			return nil, fault.New(fault.InvalidFilterValue, "The filter %s needs a value.", got.key)
		}
		options := optionsOf(kind)
		if got.option == "" {
			got.option = options[0]
		}
		if !slices.Contains(options, got.option) {
			return nil, fault.New(fault.InvalidFilterOption, "The following filter option is not valid: %s. Valid options include: [%s].", got.option, strings.Join(options, ", "))
		}
		list = append(list, got)
	}
	return list, nil
}

// optionsOf are how a filter may compare, the default first.
func optionsOf(kind string) []string {
	switch kind {
	case "Path":
		return []string{"OneLevel", "Recursive"}
	case "Name":
		return []string{"Equals", "BeginsWith", "Contains"}
	case "Type", "Tier", "Label", "tag", "DataType":
		return []string{"Equals", "BeginsWith"}
	}
	return []string{"Equals", "BeginsWith"}
}

// readAnyFilters reads DescribeParameters' filters, of the new kind or the old.
func readAnyFilters(in *shape.DescribeParametersRequest) (filters, error) {
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, invalid("You can use either Filters or ParameterFilters in a single request.")
	}
	list, err := readFilters(in.ParameterFilters, "Name", "Type", "KeyId", "Path", "Tier", "DataType", "tag")
	for _, f := range in.Filters {
		option := "Equals"
		if f.Key == shape.ParametersFilterKeyName {
			option = "Contains"
		}
		list = append(list, filter{string(f.Key), option, f.Values})
	}
	return list, err
}

// label is the one that the filters ask for; empty for none.
func (list filters) label() string {
	for _, f := range list {
		if f.key == "Label" {
			return f.values[0]
		}
	}
	return ""
}

func (list filters) pass(p *secret.Parameter, e *secret.Edition) bool {
	return !slices.ContainsFunc(list, func(f filter) bool { return !f.passes(p, e) })
}

func (f filter) passes(p *secret.Parameter, e *secret.Edition) bool {
	switch f.key {
	case "Name":
		return f.any(p.Name) || f.any(strings.TrimPrefix(p.Name, "/"))
	case "Type":
		return f.any(string(e.Type))
	case "KeyId":
		return f.any(e.Key)
	case "Tier":
		return f.any(string(e.Tier))
	case "DataType":
		return f.any(e.DataType)
	case "Path":
		return slices.ContainsFunc(f.values, func(path string) bool { return secret.Below(p.Name, path, f.option == "Recursive") })
	case "Label":
		return true // it chose the version
	}
	name := strings.TrimPrefix(f.key, "tag:")
	return slices.ContainsFunc(p.Tags, func(t tag) bool { return t.Key == name && (len(f.values) == 0 || f.any(t.Value)) })
}

// any tells whether a text compares with one of the values.
func (f filter) any(text string) bool {
	return slices.ContainsFunc(f.values, func(value string) bool {
		switch f.option {
		case "BeginsWith":
			return strings.HasPrefix(text, value)
		case "Contains":
			return strings.Contains(text, value)
		}
		return text == value
	})
}
