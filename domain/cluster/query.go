package cluster

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Query is a compiled expression of the cluster query language.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-query-language.html
type Query struct {
	text string
	root node
}

// Subject is what an expression is asked about. Values gives all values of a
// subject name such as "attribute:ecs.instance-type", "agentConnected" or
// "task:group"; none when the instance does not have it.
type Subject interface {
	Values(name string) []string
}

type node interface{ match(Subject) bool }

type (
	both   struct{ a, b node }
	either struct{ a, b node }
	invert struct{ a node }
	test   struct {
		subject string
		op      operator
		args    []string
		pattern *regexp.Regexp // of =~ and !~
	}
)

func (n both) match(s Subject) bool   { return n.a.match(s) && n.b.match(s) }
func (n either) match(s Subject) bool { return n.a.match(s) || n.b.match(s) }
func (n invert) match(s Subject) bool { return !n.a.match(s) }

type operator string

const (
	opEqual        operator = "=="
	opNotEqual     operator = "!="
	opGreater      operator = ">"
	opGreaterEqual operator = ">="
	opLess         operator = "<"
	opLessEqual    operator = "<="
	opExists       operator = "exists"
	opNotExists    operator = "!exists"
	opIn           operator = "in"
	opNotIn        operator = "!in"
	opMatches      operator = "=~"
	opNotMatches   operator = "!~"
)

// operatorWords maps every spelling to its operator.
var operatorWords = map[string]operator{
	"==": opEqual, "equals": opEqual, "!=": opNotEqual, "not_equals": opNotEqual,
	">": opGreater, "greater_than": opGreater, ">=": opGreaterEqual, "greater_than_equal": opGreaterEqual,
	"<": opLess, "less_than": opLess, "<=": opLessEqual, "less_than_equal": opLessEqual,
	"exists": opExists, "!exists": opNotExists, "not_exists": opNotExists,
	"in": opIn, "!in": opNotIn, "not_in": opNotIn,
	"=~": opMatches, "matches": opMatches, "!~": opNotMatches, "not_matches": opNotMatches,
}

// String is the expression as it was written.
func (q *Query) String() string { return q.text }

// Match tells whether the subject satisfies the expression.
func (q *Query) Match(s Subject) bool { return q.root.match(s) }

// match holds a test true if any of the subject's values satisfies it. A negative
// test is the opposite of its positive one, so it holds where there is no value.
func (t test) match(s Subject) bool {
	values := s.Values(t.subject)
	switch t.op {
	case opExists:
		return len(values) > 0
	case opNotExists:
		return len(values) == 0
	case opNotEqual:
		return !t.any(values, opEqual)
	case opNotIn:
		return !t.any(values, opIn)
	case opNotMatches:
		return !t.any(values, opMatches)
	}
	return t.any(values, t.op)
}

func (t test) any(values []string, op operator) bool {
	for _, v := range values {
		if t.holds(v, op) {
			return true
		}
	}
	return false
}

func (t test) holds(v string, op operator) bool {
	switch op {
	case opMatches:
		return t.pattern.MatchString(v)
	case opEqual, opIn:
		for _, arg := range t.args {
			if v == arg || compare(v, arg) == 0 && !isPlain(v, arg) {
				return true
			}
		}
		return false
	case opGreater:
		return compare(v, t.args[0]) > 0
	case opGreaterEqual:
		return compare(v, t.args[0]) >= 0
	case opLess:
		return compare(v, t.args[0]) < 0
	case opLessEqual:
		return compare(v, t.args[0]) <= 0
	}
	return false
}

// isPlain tells that neither side is a number, version or time, so that only
// equal text is equal.
func isPlain(a, b string) bool { return ordinal(a) == nil || ordinal(b) == nil }

// compare orders numbers, versions (1.105.1) and times by value, all else as text.
func compare(a, b string) int {
	x, y := ordinal(a), ordinal(b)
	if x == nil || y == nil {
		return strings.Compare(a, b)
	}
	for i := range max(len(x), len(y)) {
		if d := at(x, i) - at(y, i); d != 0 {
			if d < 0 {
				return -1
			}
			return 1
		}
	}
	return 0
}

func at(x []float64, i int) float64 {
	if i < len(x) {
		return x[i]
	}
	return 0
}

var timeLayouts = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"}

func ordinal(s string) []float64 {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return []float64{float64(t.Unix())}
		}
	}
	if strings.Count(s, ".") < 2 {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return []float64{f}
		}
		return nil
	}
	var out []float64
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		out = append(out, float64(n))
	}
	return out
}

// ParseQuery compiles an expression. The error says where it went wrong.
func ParseQuery(text string) (*Query, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.pos != len(p.tokens) {
		return nil, fmt.Errorf("unexpected %q", p.tokens[p.pos].text)
	}
	return &Query{text: text, root: root}, nil
}
