package policy

import (
	"encoding/json"
	"strconv"
	"strings"
)

// statement is one rule, ready to be matched.
type statement struct {
	sid        string
	allow      bool
	actions    []wildcard // in lower case
	notActions bool       // actions are those it does not speak of
	principals *principals
	resources  []resource // none: every resource
	notRes     bool
	conditions []condition
	source     Statement
}

// statement reads one, checking it for its use.
func (r *reader) statement(v any, place string) (*statement, error) {
	o, ok := v.(object)
	if !ok {
		return nil, refuse(saySyntax, place, "a statement must be an object")
	}
	s := &statement{}
	for _, step := range []func(*statement, object, string) error{
		r.elements, r.sid, r.effect, r.principal, r.action, r.resource, r.condition,
	} {
		if err := step(s, o, place); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// elements refuses what no statement has, and both of a pair.
func (r *reader) elements(_ *statement, o object, place string) error {
	for _, m := range o {
		switch m.name {
		case "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition":
		default:
			return refuse(r.say(saySyntax, sayUnknown+m.name), place+"."+m.name, "a statement has no such element")
		}
		if _, both := o.get("Not" + m.name); both {
			return refuse(saySyntax, place+"."+m.name, "it cannot be beside Not%s", m.name)
		}
	}
	return nil
}

func (r *reader) sid(s *statement, o object, place string) error {
	v, ok := o.get("Sid")
	if !ok {
		return nil
	}
	s.sid, ok = v.(string)
	if !ok {
		return refuse(saySyntax, place+".Sid", "it must be a string")
	}
	if r.use == Identity && strings.ContainsFunc(s.sid, func(c rune) bool { return !isAlphanumeric(c) }) {
		return refuse("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
			place+".Sid", "%q has other characters", s.sid)
	}
	s.source.Sid = s.sid
	return nil
}

func isAlphanumeric(c rune) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func (r *reader) effect(s *statement, o object, place string) error {
	place += ".Effect"
	v, ok := o.get("Effect")
	if !ok {
		return refuse(r.say(saySyntax, sayMissing+"Effect"), place, "it is missing")
	}
	text, _ := v.(string)
	switch {
	case text == "Allow":
		s.allow, s.source.Effect = true, Allow
	case text == "Deny":
		s.source.Effect = ExplicitDeny
	case strings.EqualFold(text, "Allow") || strings.EqualFold(text, "Deny"):
		return refuse(r.say(sayLegacy, "Invalid effect: "+text), place, "write Allow or Deny, in this case")
	default:
		return refuse(r.say(saySyntax, "Invalid effect: "+text), place, "it must be Allow or Deny")
	}
	return nil
}

// pair finds which of an element and its Not is there, and its strings.
func (r *reader) pair(o object, name, place string) (list []string, not bool, err error) {
	for _, element := range []string{name, "Not" + name} {
		v, ok := o.get(element)
		if !ok {
			continue
		}
		list, err = stringList(v, place+"."+element)
		return list, element != name, err
	}
	return nil, false, nil
}

// stringList reads a string or a list of them.
func stringList(v any, place string) ([]string, error) {
	if text, ok := v.(string); ok {
		return []string{text}, nil
	}
	values, ok := v.([]any)
	if !ok {
		return nil, refuse(saySyntax, place, "it must be a string or a list of strings")
	}
	list := make([]string, 0, len(values))
	for _, v := range values {
		text, ok := v.(string)
		if !ok {
			return nil, refuse(saySyntax, place, "it must be a string or a list of strings")
		}
		list = append(list, text)
	}
	return list, nil
}

// scalarList reads what a condition compares with: strings, numbers, booleans.
func scalarList(v any, place string) ([]string, error) {
	values, ok := v.([]any)
	if !ok {
		values = []any{v}
	}
	list := make([]string, 0, len(values))
	for _, v := range values {
		switch v := v.(type) {
		case string:
			list = append(list, v)
		case json.Number:
			list = append(list, v.String())
		case bool:
			list = append(list, strconv.FormatBool(v))
		default:
			return nil, refuse(saySyntax, place, "it must be a string, a number, a boolean or a list of them")
		}
	}
	return list, nil
}
