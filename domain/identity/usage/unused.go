package usage

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/identity/policy"
)

// Grant is what one policy allows: patterns of actions, "logs:*".
type Grant struct {
	Policy  string // ARN, or the name of an inline policy
	Actions []string
}

// Idle is a pattern of a policy and what of it was never used.
type Idle struct {
	Policy  string
	Pattern string
	Used    []string
	Unused  []string // all actions known that the pattern allows, without the used
}

// Unused compares what policies allow with what was seen. known are the actions
// that exist; a pattern that names none of them is listed with itself as unused.
func Unused(grants []Grant, uses []Use, known []string) []Idle {
	used := map[string]bool{}
	for _, u := range uses {
		if u.Allowed > 0 {
			used[strings.ToLower(u.Action)] = true
		}
	}
	var out []Idle
	for _, g := range grants {
		for _, pattern := range g.Actions {
			if idle := idleOf(g.Policy, pattern, used, known); len(idle.Unused) > 0 {
				out = append(out, idle)
			}
		}
	}
	return out
}

func idleOf(holder, pattern string, used map[string]bool, known []string) Idle {
	idle := Idle{Policy: holder, Pattern: pattern}
	named := false
	for _, action := range known {
		if !policy.Names(pattern, action) {
			continue
		}
		named = true
		if used[strings.ToLower(action)] {
			idle.Used = append(idle.Used, action)
		} else {
			idle.Unused = append(idle.Unused, action)
		}
	}
	if !named && !used[strings.ToLower(pattern)] {
		idle.Unused = append(idle.Unused, pattern)
	}
	slices.Sort(idle.Used)
	slices.Sort(idle.Unused)
	return idle
}
