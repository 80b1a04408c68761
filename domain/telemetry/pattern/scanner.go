package pattern

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// scanner walks a pattern's text.
type scanner struct {
	src     string
	pos     int
	regexes int
}

func (s *scanner) rest() string { return s.src[s.pos:] }

func (s *scanner) done() bool { return s.pos >= len(s.src) }

func (s *scanner) skipSpace() {
	for !s.done() {
		r, n := utf8.DecodeRuneInString(s.rest())
		if !unicode.IsSpace(r) {
			return
		}
		s.pos += n
	}
}

// peek is the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.done() {
		return 0
	}
	return s.src[s.pos]
}

// take consumes the token if it comes next.
func (s *scanner) take(token string) bool {
	if !strings.HasPrefix(s.rest(), token) {
		return false
	}
	s.pos += len(token)
	return true
}

// takeWord consumes a keyword in any case, if a whole word of it comes next.
func (s *scanner) takeWord(word string) bool {
	rest := s.rest()
	if len(rest) < len(word) || !strings.EqualFold(rest[:len(word)], word) {
		return false
	}
	if len(rest) > len(word) && isWord(rune(rest[len(word)])) {
		return false
	}
	s.pos += len(word)
	return true
}

// run consumes up to white space or a byte of stops, or to && or ||.
func (s *scanner) run(stops string) string {
	start := s.pos
	for !s.done() {
		r, n := utf8.DecodeRuneInString(s.rest())
		if unicode.IsSpace(r) || strings.ContainsRune(stops, r) {
			break
		}
		if s.startsLogic() {
			break
		}
		s.pos += n
	}
	return s.src[start:s.pos]
}

func (s *scanner) startsLogic() bool {
	return strings.HasPrefix(s.rest(), "&&") || strings.HasPrefix(s.rest(), "||")
}

// quoted consumes a string in the given quotes, which must come next. A backslash
// keeps the character after it.
func (s *scanner) quoted(quote byte) (string, error) {
	start := s.pos
	s.pos++
	var text strings.Builder
	for !s.done() {
		c := s.src[s.pos]
		s.pos++
		switch {
		case c == quote:
			return text.String(), nil
		case c == '\\' && !s.done():
			next := s.src[s.pos]
			s.pos++
			if next != quote && next != '\\' {
				text.WriteByte('\\')
			}
			text.WriteByte(next)
		default:
			text.WriteByte(c)
		}
	}
	return "", badTerm(s.src[start:])
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
