package usage

import (
	"maps"
	"slices"
	"strings"
)

// Statement is one of a suggested policy.
type Statement struct {
	Effect   string
	Action   []string
	Resource []string
}

// Document is a suggested policy, in the form that IAM takes.
type Document struct {
	Version   string
	Statement []Statement
}

// severalNames is from how many names under one roof on a suggestion says the roof.
const severalNames = 6

// Suggest writes the smallest policy that allows what was seen to be allowed.
// Actions on the same resources share a statement.
func Suggest(uses []Use) Document {
	byAction := map[string][]string{}
	for _, u := range uses {
		if u.Allowed > 0 {
			byAction[u.Action] = append(byAction[u.Action], u.Resource)
		}
	}
	byResources := map[string][]string{}
	for action, resources := range byAction {
		key := strings.Join(roofs(resources), "\n")
		byResources[key] = append(byResources[key], action)
	}
	d := Document{Version: "2012-10-17", Statement: []Statement{}}
	for _, key := range slices.Sorted(maps.Keys(byResources)) {
		actions := byResources[key]
		slices.Sort(actions)
		d.Statement = append(d.Statement, Statement{Effect: "Allow", Action: actions, Resource: strings.Split(key, "\n")})
	}
	slices.SortStableFunc(d.Statement, func(a, b Statement) int { return strings.Compare(a.Action[0], b.Action[0]) })
	return d
}

// roofs are the resources in order, where several names share a folder the folder.
func roofs(resources []string) []string {
	if slices.Contains(resources, "*") {
		return []string{"*"}
	}
	under := map[string][]string{}
	for _, r := range resources {
		under[roof(r)] = append(under[roof(r)], r)
	}
	var out []string
	for roof, list := range under {
		if roof != "" && len(list) >= severalNames {
			list = []string{roof + "*"}
		}
		out = append(out, list...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// roof is what comes before the last name of a resource; empty for a resource that
// is one name, which says nothing about its neighbours.
func roof(resource string) string {
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	i := strings.LastIndexAny(parts[5], "/:")
	if i < 0 {
		return ""
	}
	return resource[:len(resource)-len(parts[5])+i+1]
}
