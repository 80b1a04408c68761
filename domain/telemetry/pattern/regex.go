package pattern

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// maxProgram bounds a regular expression's compiled size. Matching takes time in
// proportion to it and to the message: at 1,000 instructions the worst message of
// 1 MiB takes some seconds, without a bound minutes.
const maxProgram = 1000

// regexSymbols are the characters AWS admits in a regular expression besides
// letters, digits and space: literal symbols, then operators.
const regexSymbols = ":_#=@/;,-" + `^$?[]{}|\*+.`

// regexEscapes are the letters that mean a class after a backslash; \xhh is a
// character by its code.
const regexEscapes = "dDsSwWx"

// regex consumes %...%, which must come next.
func (s *scanner) regex() (*regexp.Regexp, error) {
	start := s.pos
	s.pos++
	body := s.pos
	for !s.done() {
		switch s.src[s.pos] {
		case '\\':
			s.pos++
		case '%':
			text := s.src[body:s.pos]
			s.pos++
			s.regexes++
			return compileRegex(text)
		}
		s.pos++
	}
	s.pos = len(s.src)
	return nil, badTerm(s.src[start:])
}

func compileRegex(text string) (*regexp.Regexp, error) {
	if text == "" {
		return nil, badTerm("%%")
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\':
			if i+1 == len(text) || !escapable(text[i+1]) {
				return nil, badTerm("%" + text + "%")
			}
			i++
			out.WriteByte('\\')
			out.WriteByte(text[i])
		case c == '{':
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return nil, badTerm("%" + text + "%")
			}
			out.WriteString(repetition(text[i : i+end+1]))
			i += end
		case isASCIIWord(c), c == ' ', strings.IndexByte(regexSymbols, c) >= 0:
			out.WriteByte(c)
		default:
			return nil, badTerm("%" + text + "%")
		}
	}
	re, err := regexp.Compile(out.String())
	if err != nil {
		return nil, badTerm("%" + text + "%")
	}
	if programSize(out.String()) > maxProgram {
		return nil, invalid("the regular expression %%%s%% is too complex", text)
	}
	return re, nil
}

func programSize(expression string) int {
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return 0
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return 0
	}
	return len(program.Inst)
}

// repetition gives {m,n} the form Go's syntax knows: no spaces, and a lower bound.
func repetition(braces string) string {
	braces = strings.ReplaceAll(braces, " ", "")
	if strings.HasPrefix(braces, "{,") {
		return "{0" + braces[1:]
	}
	return braces
}

func escapable(c byte) bool {
	return c == '%' || strings.IndexByte(regexEscapes, c) >= 0 || strings.IndexByte(regexSymbols, c) >= 0
}

func isASCIIWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}
