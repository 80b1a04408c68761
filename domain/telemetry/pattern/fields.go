package pattern

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fields takes space-delimited messages by their number of fields and conditions
// on them.
type fields struct {
	names      []string // by position; "" for a field without a name
	ellipsis   int      // how many names stand before the ellipsis; -1 without one
	conditions []condition[row]
}

// row is the fields of one message, by name.
type row map[string]value

// fieldTest compares one field.
type fieldTest struct {
	name  string
	op    operator
	right operand
}

func (t fieldTest) holds(r row) bool { return t.right.holds(t.op, r[t.name]) }

const fieldEllipsis = "..."

func parseFields(text string) (matcher, error) {
	s := &scanner{src: text}
	out := &fields{ellipsis: -1}
	var tested []string
	for {
		if err := out.parseField(s, &tested); err != nil {
			return nil, err
		}
		if s.skipSpace(); s.done() {
			break
		}
		if !s.take(",") {
			return nil, badTerm(wordAt(s.src, s.pos))
		}
	}
	for _, name := range tested {
		if !slices.Contains(out.names, name) {
			return nil, invalid("no field is named '%s'", name)
		}
	}
	return out, nil
}

// parseField reads one entry of the list. Its name is the first its condition
// mentions.
func (f *fields) parseField(s *scanner, tested *[]string) error {
	if s.skipSpace(); s.done() || s.peek() == ',' {
		f.names = append(f.names, "")
		return nil
	}
	if s.take(fieldEllipsis) {
		if f.ellipsis >= 0 {
			return invalid("it holds more than one '...'")
		}
		f.ellipsis = len(f.names)
		return nil
	}
	start := s.pos
	if name := s.fieldName(); name != "" {
		if s.skipSpace(); s.done() || s.peek() == ',' {
			f.names = append(f.names, name)
			return nil
		}
	}
	s.pos = start
	first := ""
	condition, err := parseEither(s, func() (condition[row], error) {
		test, err := parseFieldTest(s)
		if first == "" {
			first = test.name
		}
		*tested = append(*tested, test.name)
		return test, err
	})
	if err != nil {
		return err
	}
	f.names = append(f.names, first)
	f.conditions = append(f.conditions, condition)
	return nil
}

func parseFieldTest(s *scanner) (test fieldTest, err error) {
	s.skipSpace()
	if test.name = s.fieldName(); test.name == "" {
		return test, badTerm(wordAt(s.src, s.pos))
	}
	s.skipSpace()
	var ok bool
	if test.op, ok = s.operator(); !ok {
		return test, invalid("an operator is missing after '%s'", test.name)
	}
	s.skipSpace()
	test.right, err = s.parseOperand(test.op, ",)")
	return test, err
}

// fieldName consumes a name: letters, digits, and - _ $ @ .
func (s *scanner) fieldName() string {
	rest := s.rest()
	end := strings.IndexFunc(rest, func(r rune) bool { return !isWord(r) && !strings.ContainsRune("-$@.", r) })
	if end < 0 {
		end = len(rest)
	}
	s.pos += end
	return rest[:end]
}

func (f *fields) matches(message string) bool {
	r, ok := f.read(message)
	if !ok {
		return false
	}
	for _, c := range f.conditions {
		if !c.holds(r) {
			return false
		}
	}
	return true
}

// read names the message's fields. Without an ellipsis the last name takes the
// rest of the line, so [level, text] reads "ERROR disk is full".
func (f *fields) read(message string) (row, bool) {
	tokens := splitFields(message)
	count := len(f.names)
	if len(tokens) < count {
		return nil, false
	}
	r := make(row, count)
	for i, name := range f.names {
		at := i
		if f.ellipsis >= 0 && i >= f.ellipsis {
			at = len(tokens) - count + i
		}
		text := tokens[at].text
		if f.ellipsis < 0 && i == count-1 && len(tokens) > count {
			text = strings.TrimSpace(message[tokens[at].start:])
		}
		if name != "" {
			r[name] = textValue(text)
		}
	}
	return r, true
}

type token struct {
	text  string
	start int // where it begins in the message, its bracket or quote included
}

// splitFields cuts at white space; what brackets or double quotes enclose is one
// field.
func splitFields(message string) []token {
	var out []token
	for i := 0; i < len(message); {
		r, n := utf8.DecodeRuneInString(message[i:])
		if unicode.IsSpace(r) {
			i += n
			continue
		}
		end, text := fieldEnd(message, i)
		out = append(out, token{text: text, start: i})
		i = end
	}
	return out
}

func fieldEnd(message string, start int) (end int, text string) {
	if closer := map[byte]string{'[': "]", '"': `"`}[message[start]]; closer != "" {
		if n := strings.Index(message[start+1:], closer); n >= 0 {
			return start + 1 + n + 1, message[start+1 : start+1+n]
		}
	}
	n := strings.IndexFunc(message[start:], unicode.IsSpace)
	if n < 0 {
		n = len(message) - start
	}
	return start + n, message[start : start+n]
}
