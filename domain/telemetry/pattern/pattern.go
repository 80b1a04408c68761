// Package pattern is the filter pattern language of CloudWatch Logs: which log
// messages a search, a live tail or a metric filter takes.
//
// A pattern has one of four forms, told apart by its first character: terms
// (ERROR -DEBUG "out of memory", ?WARN ?ERROR), a regular expression (%5\d\d%),
// a condition on JSON messages ({ $.status = 5* && $.path != "/health" }), or a
// list of the fields of a space-delimited message ([ip, ..., status = 4*, size]).
// The empty pattern takes everything.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
package pattern

import (
	"fmt"
	"strings"
)

// MaxLength is how many characters AWS admits in a pattern.
const MaxLength = 1024

// maxRegexes is how many regular expressions one JSON or space-delimited pattern
// may hold.
const maxRegexes = 2

// Pattern is a parsed filter pattern. It never changes and may be shared. The nil
// pattern takes every message.
type Pattern struct {
	source  string
	matcher matcher // nil takes everything
}

type matcher interface {
	matches(message string) bool
}

// Error says what is wrong with a pattern, in AWS's words where they are known.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func invalid(format string, args ...any) error {
	return &Error{Message: "Invalid filter pattern: " + fmt.Sprintf(format, args...)}
}

func badTerm(term string) error { return invalid("Invalid character(s) in term '%s'", term) }

// Parse reads a pattern. The error is always an *Error.
func Parse(source string) (*Pattern, error) {
	if len(source) > MaxLength {
		return nil, invalid("it is longer than %d characters", MaxLength)
	}
	text := strings.TrimSpace(source)
	m, err := parseForm(text)
	if err != nil {
		return nil, err
	}
	return &Pattern{source: source, matcher: m}, nil
}

func parseForm(text string) (matcher, error) {
	switch {
	case text == "":
		return nil, nil
	case text[0] == '{':
		if len(text) < 2 || text[len(text)-1] != '}' {
			return nil, &Error{Message: "If a filter pattern starts with '{' it must end with '}'"}
		}
		return parseJSON(text[1 : len(text)-1])
	case text[0] == '[':
		if len(text) < 2 || text[len(text)-1] != ']' {
			return nil, &Error{Message: "If a filter pattern starts with '[' it must end with ']'"}
		}
		return parseFields(text[1 : len(text)-1])
	default:
		return parseTerms(text)
	}
}

// Match tells whether the pattern takes the message.
func (p *Pattern) Match(message string) bool {
	return p == nil || p.matcher == nil || p.matcher.matches(message)
}

// Everything tells whether the pattern takes every message, whatever it says.
func (p *Pattern) Everything() bool { return p == nil || p.matcher == nil }

// String is the pattern as it was written.
func (p *Pattern) String() string {
	if p == nil {
		return ""
	}
	return p.source
}
