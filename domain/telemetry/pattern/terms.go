package pattern

import (
	"regexp"
	"strings"
)

// terms takes unstructured messages by what they contain.
type terms struct {
	required []term
	excluded []term
	optional []term // counts only when it is all there is
}

// term is a literal text or a regular expression.
type term struct {
	text string
	re   *regexp.Regexp // nil for a literal
}

func (t term) in(message string) bool {
	if t.re != nil {
		return t.re.MatchString(message)
	}
	return strings.Contains(message, t.text)
}

func parseTerms(text string) (matcher, error) {
	s := &scanner{src: text}
	out := &terms{}
	for s.skipSpace(); !s.done(); s.skipSpace() {
		start, list := s.pos, &out.required
		switch {
		case s.take("-"):
			list = &out.excluded
			s.skipSpace()
		case s.take("?"):
			list = &out.optional
		}
		t, err := parseTerm(s, start)
		if err != nil {
			return nil, err
		}
		*list = append(*list, t)
	}
	return out, nil
}

// parseTerm reads a term whose sign, if any, began at start.
func parseTerm(s *scanner, start int) (term, error) {
	var t term
	var err error
	switch s.peek() {
	case '"':
		t.text, err = s.quoted('"')
		// " " is AWS's way to say everything.
		t.text = strings.TrimSpace(t.text)
	case '%':
		t.re, err = s.regex()
	default:
		t.text = s.run("")
		if t.text == "" || strings.IndexFunc(t.text, func(r rune) bool { return !isWord(r) }) >= 0 {
			err = badTerm(wordAt(s.src, start))
		}
	}
	if err != nil {
		return term{}, err
	}
	if s.run("") != "" || s.startsLogic() {
		return term{}, badTerm(wordAt(s.src, start))
	}
	return t, nil
}

// wordAt is the text from start to the next space, for messages.
func wordAt(src string, start int) string {
	word, _, _ := strings.Cut(src[start:], " ")
	return word
}

func (t *terms) matches(message string) bool {
	for _, e := range t.excluded {
		if e.in(message) {
			return false
		}
	}
	for _, r := range t.required {
		if !r.in(message) {
			return false
		}
	}
	if len(t.optional) == 0 || len(t.required)+len(t.excluded) > 0 {
		return true
	}
	for _, o := range t.optional {
		if o.in(message) {
			return true
		}
	}
	return false
}
