package policy

import (
	"slices"
	"strings"
)

// wildcard is a pattern with its wildcards marked; see glob.
type wildcard struct {
	pattern    string
	head, tail string // literal text before the first and after the last wildcard
	literal    bool   // no wildcard in it
}

func newWildcard(pattern string) wildcard {
	isMark := func(c byte) bool { return c >= markPartOne }
	first := slices.IndexFunc([]byte(pattern), isMark)
	if first < 0 {
		return wildcard{pattern: pattern, literal: true}
	}
	last := len(pattern) - 1
	for !isMark(pattern[last]) {
		last--
	}
	return wildcard{pattern: pattern, head: pattern[:first], tail: pattern[last+1:]}
}

func (w *wildcard) matches(s string) bool {
	if w.literal {
		return w.pattern == s
	}
	return strings.HasPrefix(s, w.head) && strings.HasSuffix(s, w.tail) && glob(w.pattern[len(w.head):], s[len(w.head):])
}

func (r *reader) action(s *statement, o object, place string) error {
	list, not, err := r.pair(o, "Action", place)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return refuse(r.say(sayNoActions, sayMissing+"Action"), place+".Action", "name at least one action")
	}
	if s.notActions = not; not {
		place, s.source.NotActions = place+".NotAction", list
	} else {
		place, s.source.Actions = place+".Action", list
	}
	for _, a := range list {
		if err := r.checkAction(a, place); err != nil {
			return err
		}
		s.actions = append(s.actions, newWildcard(markWildcards(strings.ToLower(a))))
	}
	return nil
}

func (r *reader) checkAction(a, place string) error {
	vendor, name, found := strings.Cut(a, ":")
	switch {
	case r.use == Trust && !strings.EqualFold(vendor, "sts"):
		return refuse(saySTS, place, "%q is no action of sts", a)
	case a == "*":
		return nil
	case !found || vendor == "":
		return refuse(sayVendor, place, "%q must be SERVICE:NAME or *", a)
	case strings.ContainsFunc(vendor, func(c rune) bool { return !isAlphanumeric(c) && c != '-' && c != '.' }):
		return refuse("Vendor "+vendor+" is not valid", place, "the service in %q takes no wildcards, letters, digits and hyphens only", a)
	case strings.Contains(name, ":"):
		return refuse(sayColons, place, "%q has more", a)
	case name == "":
		return refuse(sayLegacy, place, "%q names no action", a)
	}
	return nil
}

// Names tells whether a pattern of actions, "logs:Put*", names an action.
func Names(pattern, action string) bool {
	w := newWildcard(markWildcards(strings.ToLower(pattern)))
	return w.matches(strings.ToLower(action))
}
