package wire

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// place is where in an HTTP message a member lives.
type place uint8

const (
	inBody place = iota
	inPath
	inQuery
)

// timeFormat is how a timestamp is written.
type timeFormat uint8

const (
	timeDefault timeFormat = iota
	timeISO8601
	timeHTTP
	timeUnix
)

// tag is a field's tag, read.
type tag struct {
	name                         string
	query                        string // name in query strings
	itemName, keyName, valueName string // names in XML; defaults filled in
	flat                         bool
	in                           place
	time                         timeFormat
	required                     bool
	token                        bool
	secret                       bool
	limits                       limits // of the member
	each, keys                   limits // of its items and keys
}

// limits are the model's constraints on one value.
type limits struct {
	min, max       float64
	hasMin, hasMax bool
	pattern        string
	match          *regexp.Regexp // nil when there is none, or Go cannot read it
}

func (l *limits) any() bool { return l.hasMin || l.hasMax || l.match != nil }

func readTag(f reflect.StructField) tag {
	words := strings.Split(f.Tag.Get("wire"), ",")
	t := tag{name: words[0], query: words[0], itemName: "member", keyName: "key", valueName: "value"}
	for _, w := range words[1:] {
		t.word(w)
	}
	t.limits.setPattern(f.Tag.Get("match"))
	t.each.setPattern(f.Tag.Get("each"))
	return t
}

func (t *tag) word(w string) {
	name, value, _ := strings.Cut(w, "=")
	switch name {
	case "query":
		t.query = value
	case "item":
		t.itemName = value
	case "key":
		t.keyName = value
	case "value":
		t.valueName = value
	case "flat":
		t.flat = true
	case "in":
		t.in = places(value)
	case "time":
		t.time = timeFormats(value)
	case "req":
		t.required = true
	case "token":
		t.token = true
	case "secret":
		t.secret = true
	default:
		t.bound(name, value)
	}
}

func (t *tag) bound(name, value string) {
	l := &t.limits
	if rest, ok := strings.CutPrefix(name, "each."); ok {
		l, name = &t.each, rest
	} else if rest, ok := strings.CutPrefix(name, "key."); ok {
		l, name = &t.keys, rest
	}
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case err == nil && name == "min":
		l.min, l.hasMin = n, true
	case err == nil && name == "max":
		l.max, l.hasMax = n, true
	default:
		panic("wire: unknown word in a tag: " + name + "=" + value)
	}
}

func places(word string) place {
	switch word {
	case "path":
		return inPath
	case "query":
		return inQuery
	}
	panic("wire: unknown place in a tag: " + word)
}

func timeFormats(word string) timeFormat {
	switch word {
	case "iso8601":
		return timeISO8601
	case "http":
		return timeHTTP
	case "unix":
		return timeUnix
	}
	panic("wire: unknown time format in a tag: " + word)
}

// setPattern compiles one of the models' patterns, which are Java's. Those that
// Go's engine cannot read (they look ahead) are not checked.
func (l *limits) setPattern(pattern string) {
	if pattern == "" {
		return
	}
	l.pattern = pattern
	if re, err := regexp.Compile("^(?:" + goPattern(pattern) + ")$"); err == nil {
		l.match = re
	}
}

// goPattern rewrites Java's \uXXXX, which Go writes \x{XXXX}; two halves of a
// surrogate pair are one character.
func goPattern(java string) string {
	var b strings.Builder
	for i := 0; i < len(java); i++ {
		if java[i] != '\\' || i+1 >= len(java) {
			b.WriteByte(java[i])
			continue
		}
		if r, ok := escapedRune(java[i:]); ok {
			i += 5
			if low, ok := escapedRune(java[i+1:]); ok && utf16.IsSurrogate(r) && utf16.DecodeRune(r, low) != utf8.RuneError {
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			fmt.Fprintf(&b, `\x{%X}`, r)
			continue
		}
		b.WriteString(java[i : i+2])
		i++
	}
	return b.String()
}

// escapedRune reads the \uXXXX that a text starts with.
func escapedRune(text string) (rune, bool) {
	if len(text) < 6 || text[:2] != `\u` {
		return 0, false
	}
	n, err := strconv.ParseUint(text[2:6], 16, 32)
	return rune(n), err == nil
}
