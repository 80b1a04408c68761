package pattern

import (
	"encoding/json"
	"io"
	"strings"
)

// document takes messages that are JSON and meet a condition.
type document struct{ condition condition[any] }

func parseJSON(text string) (matcher, error) {
	s := &scanner{src: text}
	wildcards := 0
	root, err := parseEither(s, func() (condition[any], error) { return parseProperty(s, &wildcards) })
	if err != nil {
		return nil, err
	}
	if s.skipSpace(); !s.done() {
		return nil, badTerm(wordAt(s.src, s.pos))
	}
	return &document{condition: root}, nil
}

// parseProperty reads one test of a property.
func parseProperty(s *scanner, wildcards *int) (condition[any], error) {
	path, err := s.parseSelector()
	if err != nil {
		return nil, err
	}
	if *wildcards += path.wildcards(); *wildcards > maxWildcards {
		return nil, invalid("it holds more than %d wildcard selectors", maxWildcards)
	}
	s.skipSpace()
	if s.takeWord("IS") {
		return parseIs(s, path)
	}
	if s.takeWord("NOT") {
		if s.skipSpace(); !s.takeWord("EXISTS") {
			return nil, invalid("NOT is followed by EXISTS")
		}
		return absent{path}, nil
	}
	op, ok := s.operator()
	if !ok {
		return nil, invalid("an operator is missing after the property selector")
	}
	s.skipSpace()
	right, err := s.parseOperand(op, ")")
	if err != nil {
		return nil, err
	}
	return comparison{path, op, right}, nil
}

func parseIs(s *scanner, path selector) (condition[any], error) {
	s.skipSpace()
	switch {
	case s.takeWord("NULL"):
		return is{path, nil}, nil
	case s.takeWord("TRUE"):
		return is{path, true}, nil
	case s.takeWord("FALSE"):
		return is{path, false}, nil
	}
	return nil, invalid("IS is followed by NULL, TRUE or FALSE")
}

func (d *document) matches(message string) bool {
	decoder := json.NewDecoder(strings.NewReader(message))
	decoder.UseNumber()
	var root any
	if decoder.Decode(&root) != nil {
		return false
	}
	if _, err := decoder.Token(); err != io.EOF {
		return false
	}
	return d.condition.holds(root)
}

// comparison holds when a value the selector reaches compares so. Objects, arrays
// and null are not values: they compare with nothing, not even by !=.
type comparison struct {
	path  selector
	op    operator
	right operand
}

func (c comparison) holds(root any) bool {
	return c.path.visit(root, func(node any) bool {
		v, ok := leaf(node)
		return ok && c.right.holds(c.op, v)
	})
}

func leaf(node any) (value, bool) {
	switch n := node.(type) {
	case string:
		return value{text: n}, true
	case json.Number:
		return textValue(n.String()), true
	case bool:
		if n {
			return value{text: "true"}, true
		}
		return value{text: "false"}, true
	}
	return value{}, false
}

// is holds for a property that is exactly null, true or false.
type is struct {
	path selector
	want any
}

func (i is) holds(root any) bool {
	return i.path.visit(root, func(node any) bool {
		switch node.(type) {
		case nil, bool:
			return node == i.want
		}
		return false
	})
}

// absent holds when the document has no such property.
type absent struct{ path selector }

func (a absent) holds(root any) bool {
	return !a.path.visit(root, func(any) bool { return true })
}
