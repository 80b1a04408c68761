package policy

import (
	"strings"
	"unicode/utf8"
)

// Patterns are kept with their wildcards as bytes that no UTF-8 text has, so that
// text put in for a variable is text and never a wildcard.
const (
	markRun     = '\xff' // any characters
	markOne     = '\xfe' // one character
	markPartRun = '\xfd' // any characters but a colon
	markPartOne = '\xfc' // one character but a colon
)

// markWildcards marks each * and ? of plain text.
func markWildcards(text string) string {
	if !strings.ContainsAny(text, "*?") {
		return text
	}
	b := []byte(text)
	for i, c := range b {
		switch c {
		case '*':
			b[i] = markRun
		case '?':
			b[i] = markOne
		}
	}
	return string(b)
}

// retry is where to go on after a run of any characters when the rest did not fit.
type retry struct {
	pattern, text int
	set           bool
}

// glob matches text with a marked pattern, in time that is at most the product of
// their lengths. Of runs it needs to remember the last of each sort only: one
// more character for an earlier run cannot help where the later one failed.
func glob(pattern, s string) bool {
	var run, partRun retry
	p, i := 0, 0
	for i < len(s) || p < len(pattern) {
		if p < len(pattern) {
			c := pattern[p]
			switch {
			case c < markPartOne:
				if i < len(s) && c == s[i] {
					p, i = p+1, i+1
					continue
				}
			case c == markRun:
				if p++; p == len(pattern) {
					return true
				}
				run, partRun = retry{p, skip(pattern[p], s, i), true}, retry{}
				i = run.text
				continue
			case c == markPartRun:
				p++
				partRun = retry{p, i, true}
				continue
			case i < len(s) && (c == markOne || s[i] != ':'):
				p, i = p+1, i+width(s, i)
				continue
			}
		}
		switch {
		case partRun.set && partRun.text < len(s) && s[partRun.text] != ':':
			partRun.text += width(s, partRun.text)
			p, i = partRun.pattern, partRun.text
		case run.set && run.text < len(s):
			run.text = skip(pattern[run.pattern], s, run.text+width(s, run.text))
			p, i, partRun = run.pattern, run.text, retry{}
		default:
			return false
		}
	}
	return true
}

// skip goes to where a run can end at the earliest: at the next c, when c is no
// wildcard.
func skip(c byte, s string, i int) int {
	if c >= markPartOne {
		return i
	}
	if n := strings.IndexByte(s[i:], c); n >= 0 {
		return i + n
	}
	return len(s)
}

// width is the length of the character at i.
func width(s string, i int) int {
	if s[i] < utf8.RuneSelf {
		return 1
	}
	return runeWidth(s[i:])
}

func runeWidth(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}
