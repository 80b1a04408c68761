package servicediscovery

import (
	"slices"
	"strings"

	shape "github.com/berthhq/berth/aws/shape/servicediscovery"
)

// maxPage is what a page holds when the caller did not say, and the most it can.
const maxPage = 100

// passesAll tells whether all filters let something pass.
func passesAll[F any](filters []F, passes func(*F) (bool, error)) (bool, error) {
	all := true
	for i := range filters {
		pass, err := passes(&filters[i])
		if err != nil {
			return false, err
		}
		all = all && pass
	}
	return all, nil
}

// compare compares a value as a filter's condition says, EQ when it says none; only
// the allowed conditions can be used.
func compare(condition shape.FilterCondition, values []string, value string, allowed ...shape.FilterCondition) (bool, error) {
	if condition == "" {
		condition = shape.FilterConditionEq
	}
	switch {
	case !slices.Contains(allowed, condition):
		return false, invalid("The condition %s is not valid for this filter.", condition)
	case condition != shape.FilterConditionIn && len(values) != 1:
		return false, invalid("The condition %s needs exactly one value.", condition)
	case condition == shape.FilterConditionBeginsWith:
		return strings.HasPrefix(value, values[0]), nil
	}
	return slices.Contains(values, value), nil
}

// owned tells whether a resource of the account passes RESOURCE_OWNER.
func owned(condition shape.FilterCondition, values []string) (bool, error) {
	return compare(condition, values, "SELF", shape.FilterConditionEq)
}
