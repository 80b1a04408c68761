// Package usage is what principals were seen to do, and what can be learnt from it:
// the smallest policy that would have been enough, and what is allowed but was never
// used.
package usage

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Use is one action on one kind of resource, as a principal was seen to ask for it.
type Use struct {
	Action   string // "ecs:RunTask"
	Resource string // a Pattern
	Allowed  uint64 // calls that were let through
	Denied   uint64 // calls that were not
	First    time.Time
	Last     time.Time
	Region   string // of the last call
}

// Service is the namespace of the action, "ecs".
func (u *Use) Service() string {
	service, _, _ := strings.Cut(u.Action, ":")
	return service
}

// Add counts a call.
func (u *Use) Add(allowed bool, region string, at time.Time) {
	if u.First.IsZero() {
		u.First = at
	}
	if at.After(u.Last) {
		u.Last, u.Region = at, region
	}
	if allowed {
		u.Allowed++
	} else {
		u.Denied++
	}
}

// Sort orders uses by action and resource.
func Sort(uses []Use) {
	slices.SortFunc(uses, func(a, b Use) int {
		return cmp.Or(strings.Compare(a.Action, b.Action), strings.Compare(a.Resource, b.Resource))
	})
}

// Pattern is the resource with a star for what will be another the next time: the
// ids of tasks, instances and sessions, and revisions. What people name stays.
func Pattern(resource string) string {
	if strings.HasPrefix(resource, "arn:aws:s3:::") {
		return resource // keys are names, whatever they look like
	}
	var b strings.Builder
	changed, from := false, 0
	for i := 0; i <= len(resource); i++ {
		if i < len(resource) && resource[i] != '/' && resource[i] != ':' {
			continue
		}
		if word := resource[from:i]; passing(word) || revision(resource, from, word) {
			b.WriteByte('*')
			changed = true
		} else {
			b.WriteString(word)
		}
		if i < len(resource) {
			b.WriteByte(resource[i])
		}
		from = i + 1
	}
	if !changed {
		return resource
	}
	return b.String()
}

// passing tells whether a word is an id that was drawn: 32 hex digits, a UUID, or an
// instance's.
func passing(word string) bool {
	switch {
	case len(word) == 32:
		return hex(word)
	case len(word) == 36:
		return word[8] == '-' && word[13] == '-' && hex(strings.ReplaceAll(word, "-", ""))
	case len(word) == 19 && strings.HasPrefix(word, "i-"):
		return hex(word[2:])
	}
	return false
}

// revision tells whether the word counts the versions of a task definition.
func revision(resource string, from int, word string) bool {
	return word != "" && strings.Trim(word, "0123456789") == "" && strings.Contains(resource[:from], "task-definition/")
}

func hex(s string) bool { return s != "" && strings.Trim(s, "0123456789abcdef") == "" }
