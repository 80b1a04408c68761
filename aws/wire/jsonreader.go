package wire

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/berthhq/berth/domain/fault"
)

// maxDepth bounds nesting, so that a hostile body cannot exhaust the stack.
const maxDepth = 128

// jsonReader walks JSON text once, without building a tree.
type jsonReader struct {
	data    []byte
	pos     int
	depth   int
	scratch []byte // of strings with escapes
}

func malformed(format string, args ...any) error {
	return fault.New(fault.Serialization, format, args...)
}

func (r *jsonReader) bad() error {
	if r.pos >= len(r.data) {
		return malformed("Unexpected end of the JSON text")
	}
	return malformed("Unexpected character (%q) at byte %d of the JSON text", rune(r.data[r.pos]), r.pos)
}

// peek skips white space and shows the next byte; 0 at the end.
func (r *jsonReader) peek() byte {
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

// end fails unless only white space is left.
func (r *jsonReader) end() error {
	if r.peek() != 0 || r.pos < len(r.data) {
		return r.bad()
	}
	return nil
}

func (r *jsonReader) expect(c byte) error {
	if r.peek() != c || r.pos >= len(r.data) {
		return r.bad()
	}
	r.pos++
	return nil
}

// open enters an object or array.
func (r *jsonReader) open(c byte) error {
	if r.depth++; r.depth > maxDepth {
		return malformed("The JSON text is nested too deeply")
	}
	return r.expect(c)
}

// next moves to the next item of an object or array that closes with c; first
// is true before the first item.
func (r *jsonReader) next(c byte, first bool) (more bool, err error) {
	if r.peek() == c {
		r.pos++
		r.depth--
		return false, nil
	}
	if first {
		return true, nil
	}
	if err := r.expect(','); err != nil {
		return false, err
	}
	if r.peek() == c {
		return false, r.bad()
	}
	return true, nil
}

// key reads a member's name and the colon. The bytes are valid until the next read.
func (r *jsonReader) key() ([]byte, error) {
	name, err := r.text()
	if err != nil {
		return nil, err
	}
	return name, r.expect(':')
}

// null consumes a null if there is one.
func (r *jsonReader) null() bool {
	return r.peek() == 'n' && r.word("null") == nil
}

func (r *jsonReader) word(w string) error {
	if len(r.data)-r.pos < len(w) || string(r.data[r.pos:r.pos+len(w)]) != w {
		return r.bad()
	}
	r.pos += len(w)
	return nil
}

// number reads the text of a number.
func (r *jsonReader) number() ([]byte, error) {
	r.peek()
	start := r.pos
	if r.at('-') {
		r.pos++
	}
	if r.at('0') {
		r.pos++
	} else if !r.digits() {
		return nil, r.bad()
	}
	if r.at('.') {
		if r.pos++; !r.digits() {
			return nil, r.bad()
		}
	}
	if r.at('e') || r.at('E') {
		r.pos++
		if r.at('+') || r.at('-') {
			r.pos++
		}
		if !r.digits() {
			return nil, r.bad()
		}
	}
	return r.data[start:r.pos], nil
}

func (r *jsonReader) at(c byte) bool { return r.pos < len(r.data) && r.data[r.pos] == c }

func (r *jsonReader) digits() bool {
	start := r.pos
	for r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' {
		r.pos++
	}
	return r.pos > start
}

// text reads a string. The bytes are valid until the next read.
func (r *jsonReader) text() ([]byte, error) {
	if err := r.expect('"'); err != nil {
		return nil, err
	}
	start := r.pos
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; {
		case c == '"':
			s := r.data[start:r.pos]
			r.pos++
			return s, nil
		case c == '\\' || c >= utf8.RuneSelf:
			r.scratch = append(r.scratch[:0], r.data[start:r.pos]...)
			return r.textWithEscapes()
		case c < ' ':
			return nil, r.bad()
		}
		r.pos++
	}
	return nil, r.bad()
}

// textWithEscapes reads on into scratch; bytes that are not UTF-8 become U+FFFD.
func (r *jsonReader) textWithEscapes() ([]byte, error) {
	for r.pos < len(r.data) {
		c := r.data[r.pos]
		switch {
		case c == '"':
			r.pos++
			return r.scratch, nil
		case c == '\\':
			if err := r.escape(); err != nil {
				return nil, err
			}
		case c < ' ':
			return nil, r.bad()
		case c < utf8.RuneSelf:
			r.scratch = append(r.scratch, c)
			r.pos++
		default:
			c, size := utf8.DecodeRune(r.data[r.pos:])
			r.scratch = utf8.AppendRune(r.scratch, c)
			r.pos += size
		}
	}
	return nil, r.bad()
}

func (r *jsonReader) escape() error {
	r.pos++
	if r.pos >= len(r.data) {
		return r.bad()
	}
	c := r.data[r.pos]
	if plain := unescaped(c); plain != 0 {
		r.pos++
		r.scratch = append(r.scratch, plain)
		return nil
	}
	if c != 'u' {
		return r.bad()
	}
	r.pos++
	u, err := r.hex4()
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(u) {
		u = r.surrogate(u)
	}
	r.scratch = utf8.AppendRune(r.scratch, u)
	return nil
}

// unescaped is what a one-letter escape stands for; 0 when there is none such.
func unescaped(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

// surrogate joins u with the escape that follows, if that is its other half.
func (r *jsonReader) surrogate(u rune) rune {
	back := r.pos
	if r.at('\\') && r.pos+1 < len(r.data) && r.data[r.pos+1] == 'u' {
		r.pos += 2
		if low, err := r.hex4(); err == nil {
			if joined := utf16.DecodeRune(u, low); joined != utf8.RuneError {
				return joined
			}
		}
	}
	r.pos = back
	return utf8.RuneError
}

func (r *jsonReader) hex4() (rune, error) {
	if r.pos+4 > len(r.data) {
		r.pos = len(r.data)
		return 0, r.bad()
	}
	n, err := strconv.ParseUint(string(r.data[r.pos:r.pos+4]), 16, 32)
	if err != nil {
		return 0, r.bad()
	}
	r.pos += 4
	return rune(n), nil
}

// skip passes over any value.
func (r *jsonReader) skip() error {
	switch r.peek() {
	case '{':
		return r.each('{', '}', func() error {
			if _, err := r.key(); err != nil {
				return err
			}
			return r.skip()
		})
	case '[':
		return r.each('[', ']', r.skip)
	case '"':
		_, err := r.text()
		return err
	case 't':
		return r.word("true")
	case 'f':
		return r.word("false")
	case 'n':
		return r.word("null")
	}
	_, err := r.number()
	return err
}

// each calls item for every item of an object or array.
func (r *jsonReader) each(open, closing byte, item func() error) error {
	if err := r.open(open); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := r.next(closing, first)
		if err != nil || !more {
			return err
		}
		if err := item(); err != nil {
			return err
		}
	}
}

// raw passes over any value and shows its text.
func (r *jsonReader) raw() ([]byte, error) {
	r.peek()
	start := r.pos
	err := r.skip()
	return r.data[start:r.pos], err
}

// describe names the kind of the next value, for messages.
func (r *jsonReader) describe() string {
	switch r.peek() {
	case '{':
		return "START_OBJECT"
	case '[':
		return "START_ARRAY"
	case '"':
		return "STRING_VALUE"
	case 't':
		return "TRUE_VALUE"
	case 'f':
		return "FALSE_VALUE"
	case 'n':
		return "NULL_VALUE"
	}
	return "NUMBER_VALUE"
}
