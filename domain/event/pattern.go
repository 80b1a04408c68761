package event

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/berthhq/berth/domain/fault"
)

// Pattern chooses events.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
type Pattern struct{ root *node }

// node matches an object: each field, and of each alternative one.
type node struct {
	fields       []field
	alternatives [][]*node
}

// field is a member with what it must hold: an object that matches sub, or a value
// that passes one of the filters.
type field struct {
	name    string
	sub     *node // nil at a leaf
	filters []filter
}

// ParsePattern reads an event pattern. What is wrong with it comes as an
// InvalidEventPattern fault.
func ParsePattern(text string) (*Pattern, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		return nil, badPattern("it is not one JSON object")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, badPattern("Filter is not an object")
	}
	root, err := parseNode(object, "")
	if err != nil {
		return nil, err
	}
	return &Pattern{root}, nil
}

func badPattern(format string, args ...any) error {
	return fault.New(fault.InvalidEventPattern, "Event pattern is not valid. Reason: %s", fmt.Sprintf(format, args...))
}

const or = "$or"

func parseNode(object map[string]any, path string) (*node, error) {
	if len(object) == 0 {
		return nil, badPattern("Empty objects are not allowed").(*fault.Fault).
			WithHint("name what the event must hold%s, for example {\"source\": [\"aws.ecs\"]}", inside(path))
	}
	n := &node{}
	for name, v := range object {
		at := path + "." + name
		switch v := v.(type) {
		case map[string]any:
			sub, err := parseNode(v, at)
			if err != nil {
				return nil, err
			}
			n.fields = append(n.fields, field{name: name, sub: sub})
		case []any:
			if err := n.add(name, v, at); err != nil {
				return nil, err
			}
		default:
			return nil, badPattern("%q must be an object or an array", name)
		}
	}
	return n, nil
}

func inside(path string) string {
	if path == "" {
		return ""
	}
	return " at " + path[1:]
}

// add adds what an array says: alternatives, or the filters of a leaf.
func (n *node) add(name string, list []any, path string) error {
	switch {
	case len(list) == 0:
		return badPattern("Empty arrays are not allowed")
	case name == or:
		return n.addAlternatives(list, path)
	}
	f := field{name: name}
	for _, v := range list {
		parsed, err := parseFilter(v)
		if err != nil {
			return err
		}
		f.filters = append(f.filters, parsed)
	}
	n.fields = append(n.fields, f)
	return nil
}

func (n *node) addAlternatives(list []any, path string) error {
	var nodes []*node
	for _, v := range list {
		object, ok := v.(map[string]any)
		if !ok {
			return badPattern("%s must be an array of objects", or)
		}
		sub, err := parseNode(object, path)
		if err != nil {
			return err
		}
		nodes = append(nodes, sub)
	}
	n.alternatives = append(n.alternatives, nodes)
	return nil
}

// Matches tells whether the pattern chooses an event, as Decode reads its JSON.
func (p *Pattern) Matches(event any) bool { return p.root.matches(event) }

// Admits tells whether the pattern may choose an event of a source and type; false
// when it certainly does not.
func (p *Pattern) Admits(source, detailType string) bool {
	known := map[string]any{"source": source, "detail-type": detailType}
	for i := range p.root.fields {
		f := &p.root.fields[i]
		if _, ok := known[f.name]; ok && !f.matches(known) {
			return false
		}
	}
	return true
}

// matches tests a value where the pattern has an object. Of an array one element
// must match as a whole; what is no object has no fields.
func (n *node) matches(v any) bool {
	candidates := objects(v, nil)
	if len(candidates) == 0 {
		return n.matchesObject(nil)
	}
	for _, c := range candidates {
		if n.matchesObject(c) {
			return true
		}
	}
	return false
}

func (n *node) matchesObject(object map[string]any) bool {
	for i := range n.fields {
		if !n.fields[i].matches(object) {
			return false
		}
	}
	for _, nodes := range n.alternatives {
		if !anyMatches(nodes, object) {
			return false
		}
	}
	return true
}

func anyMatches(nodes []*node, object map[string]any) bool {
	for _, n := range nodes {
		if n.matchesObject(object) {
			return true
		}
	}
	return false
}

func (f *field) matches(object map[string]any) bool {
	v, present := object[f.name]
	if f.sub != nil {
		return f.sub.matches(v)
	}
	var values []any
	if present {
		values = leaves(v, nil)
	}
	for i := range f.filters {
		if f.filters[i].passes(values) {
			return true
		}
	}
	return false
}

func objects(v any, to []map[string]any) []map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return append(to, v)
	case []any:
		for _, e := range v {
			to = objects(e, to)
		}
	}
	return to
}

// leaves are the values a filter looks at: a value that is no object, or those in
// an array.
func leaves(v any, to []any) []any {
	switch v := v.(type) {
	case map[string]any:
		return to
	case []any:
		for _, e := range v {
			to = leaves(e, to)
		}
		return to
	}
	return append(to, v)
}
