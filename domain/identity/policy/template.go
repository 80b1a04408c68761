package policy

import (
	"fmt"
	"strings"
)

// template is a text of a policy with its variables. Its literal parts are marked
// already.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
type template []part

type part struct {
	text     string // of a literal part; a variable's default otherwise
	name     string // of a variable, as it is written; empty for a literal
	key      string // name in lower case
	defaults bool   // text is what a missing variable stands for
}

// marking turns literal text of a template into a marked pattern.
type marking func(string) string

func plain(text string) string { return text }

// parseTemplate finds the variables of text.
func parseTemplate(text string, mark marking) (template, error) {
	var t template
	for {
		before, rest, found := strings.Cut(text, "${")
		if before != "" {
			t = append(t, part{text: mark(before)})
		}
		if !found {
			return t.joined(), nil
		}
		inside, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("${ is never closed")
		}
		p, err := parseVariable(inside)
		if err != nil {
			return nil, err
		}
		t, text = append(t, p), after
	}
}

func parseVariable(inside string) (part, error) {
	switch inside {
	case "*", "?", "$":
		return part{text: inside}, nil
	}
	name, fallback, defaults := strings.Cut(inside, ",")
	p := part{name: strings.TrimSpace(name), defaults: defaults}
	if p.name == "" || strings.ContainsAny(p.name, " '\"${") {
		return part{}, fmt.Errorf("${%s} names no key", inside)
	}
	p.key = foldKey(p.name)
	if !defaults {
		return p, nil
	}
	fallback = strings.TrimSpace(fallback)
	if len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'' {
		return part{}, fmt.Errorf("the default in ${%s} must be in single quotes", inside)
	}
	p.text = fallback[1 : len(fallback)-1]
	return p, nil
}

// joined makes one part of neighbouring literals.
func (t template) joined() template {
	var out template
	for _, p := range t {
		if n := len(out); p.name == "" && n > 0 && out[n-1].name == "" {
			out[n-1].text += p.text
			continue
		}
		out = append(out, p)
	}
	return out
}

// constant is the text of a template without variables.
func (t template) constant() (string, bool) {
	switch {
	case len(t) == 0:
		return "", true
	case len(t) == 1 && t[0].name == "":
		return t[0].text, true
	}
	return "", false
}

// foldKey is the form in which Keys is asked: lower case, but for what follows a
// slash.
func foldKey(name string) string {
	head, tail, found := strings.Cut(name, "/")
	if !found {
		return strings.ToLower(name)
	}
	return strings.ToLower(head) + "/" + tail
}

// fill puts the request's values in; ok is false when one is missing or not
// single.
func (e *evaluation) fill(t template) (text string, ok bool) {
	var b strings.Builder
	for i := range t {
		p := &t[i]
		if p.name == "" {
			b.WriteString(p.text)
			continue
		}
		values, _ := e.find(p.key)
		switch {
		case len(values) == 1:
			b.WriteString(strings.ToValidUTF8(values[0], "\uFFFD"))
		case len(values) == 0 && p.defaults:
			b.WriteString(p.text)
		default:
			e.miss(p.name)
			return "", false
		}
	}
	return b.String(), true
}
