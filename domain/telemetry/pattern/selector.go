package pattern

import (
	"strconv"
	"strings"
)

// maxWildcards is how many wildcard selectors a whole JSON pattern may hold; one
// selector may hold one.
const maxWildcards = 3

// selector is a path into a JSON document: $.users[0].name, $.a.*, $.['a.b'].
type selector []step

// step goes from a node to a child.
type step struct {
	key   string
	index int
	kind  stepKind
}

type stepKind int

const (
	byKey stepKind = iota
	byIndex
	anyKey
	anyIndex
)

func (s *scanner) parseSelector() (selector, error) {
	start := s.pos
	if !s.take("$") {
		return nil, invalid("a property selector starts with '$.', not with '%s'", wordAt(s.src, s.pos))
	}
	var path selector
	for {
		st, more, err := s.parseStep()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		path = append(path, st)
	}
	if len(path) == 0 || path.wildcards() > 1 {
		return nil, invalid("'%s' is not a property selector", s.src[start:s.pos])
	}
	return path, nil
}

func (s *scanner) parseStep() (st step, more bool, err error) {
	switch {
	case s.take(".*"):
		return step{kind: anyKey}, true, nil
	case s.take(".["), s.take("["):
		st, err = s.parseBracket()
		return st, true, err
	case s.take("."):
		name := s.takeName()
		if name == "" {
			return st, false, invalid("a property name is missing after '.'")
		}
		return step{kind: byKey, key: name}, true, nil
	}
	return st, false, nil
}

// parseBracket reads what follows '[': an index, '*', or a quoted name.
func (s *scanner) parseBracket() (st step, err error) {
	switch c := s.peek(); c {
	case '*':
		s.pos++
		st.kind = anyIndex
	case '\'', '"':
		st.kind = byKey
		st.key, err = s.quoted(c)
	default:
		digits := s.run("]")
		st.kind = byIndex
		if st.index, err = strconv.Atoi(digits); err != nil || st.index < 0 {
			err = invalid("'[%s]' is not an array index", digits)
		}
	}
	if err == nil && !s.take("]") {
		err = invalid("a ']' is missing")
	}
	return st, err
}

// takeName consumes letters, digits, hyphens and underscores.
func (s *scanner) takeName() string {
	rest := s.rest()
	end := strings.IndexFunc(rest, func(r rune) bool { return !isWord(r) && r != '-' })
	if end < 0 {
		end = len(rest)
	}
	s.pos += end
	return rest[:end]
}

func (p selector) wildcards() int {
	n := 0
	for _, st := range p {
		if st.kind == anyKey || st.kind == anyIndex {
			n++
		}
	}
	return n
}

// visit calls see for each node the selector reaches, until see returns true. It
// tells whether any call did.
func (p selector) visit(node any, see func(any) bool) bool {
	if len(p) == 0 {
		return see(node)
	}
	rest := p[1:]
	switch n := node.(type) {
	case map[string]any:
		if p[0].kind == byKey {
			child, ok := n[p[0].key]
			return ok && rest.visit(child, see)
		}
		if p[0].kind == anyKey {
			for _, child := range n {
				if rest.visit(child, see) {
					return true
				}
			}
		}
	case []any:
		if p[0].kind == byIndex {
			return p[0].index < len(n) && rest.visit(n[p[0].index], see)
		}
		if p[0].kind == anyIndex || p[0].kind == anyKey {
			for _, child := range n {
				if rest.visit(child, see) {
					return true
				}
			}
		}
	}
	return false
}
