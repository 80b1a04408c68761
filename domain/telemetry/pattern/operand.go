package pattern

import (
	"regexp"
	"strconv"
	"strings"
)

// operator compares a value of the message with an operand of the pattern.
type operator string

const (
	equal        operator = "="
	notEqual     operator = "!="
	less         operator = "<"
	lessEqual    operator = "<="
	greater      operator = ">"
	greaterEqual operator = ">="
)

func (s *scanner) operator() (operator, bool) {
	for _, op := range []operator{notEqual, lessEqual, greaterEqual, less, greater, equal} {
		if s.take(string(op)) {
			return op, true
		}
	}
	return "", false
}

// value is what a message holds at a selector or in a field.
type value struct {
	text    string
	number  float64
	numeric bool
}

func textValue(text string) value {
	n, ok := parseNumber(text)
	return value{text: text, number: n, numeric: ok}
}

// operand is the right side of a condition.
type operand struct {
	text       string // without its wildcards
	openBefore bool   // * at the start
	openAfter  bool   // * at the end
	number     float64
	numeric    bool           // written as a number, not quoted
	re         *regexp.Regexp // nil unless written as %...%
}

// parseOperand reads a quoted string, a regular expression, or a bare word that
// ends at one of stops.
func (s *scanner) parseOperand(op operator, stops string) (operand, error) {
	var o operand
	var err error
	start := s.pos
	switch s.peek() {
	case '"':
		if o.text, err = s.quoted('"'); err != nil {
			return o, err
		}
	case '%':
		if o.re, err = s.regex(); err != nil {
			return o, err
		}
		if s.regexes > maxRegexes {
			return o, invalid("it holds more than %d regular expressions", maxRegexes)
		}
	default:
		if o.text = s.run(stops); o.text == "" {
			return o, invalid("a value is missing after '%s'", op)
		}
		if strings.ContainsAny(o.text, `"{}()=<>&|%'\`) {
			return o, badTerm(o.text)
		}
		o.number, o.numeric = parseNumber(o.text)
	}
	if op != equal && op != notEqual && !o.numeric {
		return o, invalid("'%s' needs a number, not '%s'", op, s.src[start:s.pos])
	}
	o.openWildcards()
	return o, nil
}

// openWildcards takes the asterisks off both ends. Within a text an asterisk is
// itself.
func (o *operand) openWildcards() {
	if rest, ok := strings.CutPrefix(o.text, "*"); ok {
		o.text, o.openBefore = rest, true
	}
	if rest, ok := strings.CutSuffix(o.text, "*"); ok {
		o.text, o.openAfter = rest, true
	}
}

func (o operand) holds(op operator, v value) bool {
	switch op {
	case equal:
		return o.equals(v)
	case notEqual:
		return !o.equals(v)
	}
	if !v.numeric {
		return false
	}
	switch op {
	case less:
		return v.number < o.number
	case lessEqual:
		return v.number <= o.number
	case greater:
		return v.number > o.number
	default:
		return v.number >= o.number
	}
}

func (o operand) equals(v value) bool {
	switch {
	case o.re != nil:
		return o.re.MatchString(v.text)
	case o.openBefore && o.openAfter:
		return strings.Contains(v.text, o.text)
	case o.openBefore:
		return strings.HasSuffix(v.text, o.text)
	case o.openAfter:
		return strings.HasPrefix(v.text, o.text)
	case o.numeric && v.numeric:
		return v.number == o.number
	default:
		return v.text == o.text
	}
}

// parseNumber reads an integer or decimal with an optional sign and exponent.
// Go's other spellings (0x1p4, Inf, 1_000) are not numbers here.
func parseNumber(text string) (float64, bool) {
	if text == "" || strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}
