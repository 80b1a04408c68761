package lines

import (
	"fmt"
	"regexp"
	"strings"
)

// DatetimeStart makes the pattern that begins an event from a date format in
// Python's strftime codes, as awslogs-datetime-format has it. What is not a code is
// part of a regular expression, where Docker's documentation escapes brackets; those
// that are not escaped mean themselves too, for a class of dates makes no sense.
// https://docs.docker.com/engine/logging/drivers/awslogs/#awslogs-datetime-format
func DatetimeStart(format string) (*regexp.Regexp, error) {
	var out strings.Builder
	for rest := format; rest != ""; {
		piece, n, err := datetimePiece(format, rest)
		if err != nil {
			return nil, err
		}
		out.WriteString(piece)
		rest = rest[n:]
	}
	return regexp.Compile(out.String())
}

// datetimePiece is the pattern for the first n bytes of what is left of a format.
func datetimePiece(format, rest string) (piece string, n int, err error) {
	switch rest[0] {
	case '[', ']':
		return `\` + rest[:1], 1, nil
	case '\\':
		n = min(2, len(rest))
		return rest[:n], n, nil
	case '%':
	default:
		return rest[:1], 1, nil
	}
	if len(rest) == 1 {
		return "", 0, fmt.Errorf("awslogs-datetime-format %q ends with a lone %%", format)
	}
	piece, known := datetimeCode(rest[1])
	if !known {
		return "", 0, fmt.Errorf("awslogs-datetime-format %q: there is no code %%%c", format, rest[1])
	}
	return piece, 2, nil
}

func datetimeCode(code byte) (pattern string, known bool) {
	switch code {
	case 'a', 'b', 'h':
		return `[[:alpha:]]{3}`, true
	case 'A', 'B':
		return `[[:alpha:]]{3,9}`, true
	case 'd', 'H', 'I', 'm', 'M', 'S', 'U', 'W', 'y':
		return `\d{2}`, true
	case 'e', 'k', 'l':
		return `[ \d]?\d`, true
	case 'w', 'u':
		return `\d`, true
	case 'f':
		return `\d{1,6}`, true
	case 'L':
		return `\d{3}`, true
	case 'j':
		return `\d{3}`, true
	case 'Y':
		return `\d{4}`, true
	case 'p':
		return `[AP]M`, true
	case 'z':
		return `(?:[+-]\d{2}:?\d{2}|Z)`, true
	case 'Z':
		return `[A-Z]{1,4}T?`, true
	case 's':
		return `\d{10}`, true
	case 'F':
		return `\d{4}-\d{2}-\d{2}`, true
	case 'T', 'X':
		return `\d{2}:\d{2}:\d{2}`, true
	case 'R':
		return `\d{2}:\d{2}`, true
	case 'D', 'x':
		return `\d{2}/\d{2}/\d{2}`, true
	case 'c':
		return `[[:alpha:]]{3} [[:alpha:]]{3} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}`, true
	case '%':
		return `%`, true
	}
	return "", false
}
