package haproxy

import (
	"regexp"
	"strings"
)

// quoted is text as one word of a configuration, taken as it is.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", "").Replace(text) + `"`
}

// formatted escapes text for a log format.
func formatted(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// wildcard makes a regular expression of a pattern with * and ?, each for characters
// of the class.
func wildcard(pattern, class string) string {
	var out strings.Builder
	for _, c := range pattern {
		switch c {
		case '*':
			out.WriteString(class + "*")
		case '?':
			out.WriteString(class)
		default:
			out.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return out.String()
}
