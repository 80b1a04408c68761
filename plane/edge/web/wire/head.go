package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// errTooLong says that a head is longer than it may be.
var errTooLong = errors.New("the head is too long")

// head reads up to the empty line that ends a head, and takes it. more is asked before
// each further read.
func (s *Source) head(most int, more func() error) (string, error) {
	for from := 0; ; {
		b := s.Buffered()
		if end := endOf(b, from); end > 0 {
			if end > most {
				return "", errTooLong
			}
			text := string(b[:end])
			s.Take(end)
			return text, nil
		}
		if len(b) > most {
			return "", errTooLong
		}
		from = max(0, len(b)-3)
		if err := more(); err != nil {
			return "", err
		}
		if err := s.Fill(); err != nil {
			return "", ended(err, len(b))
		}
	}
}

// ended tells an end in the middle of something from one before it.
func ended(err error, had int) error {
	if had > 0 && errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// endOf is where the head ends that begins b; 0 when it does not end there. What is
// before from holds no end.
func endOf(b []byte, from int) int {
	for {
		at := bytes.IndexByte(b[from:], '\n')
		if at < 0 {
			return 0
		}
		from += at + 1
		switch {
		case len(b) > from && b[from] == '\n':
			return from + 1
		case len(b) > from+1 && b[from] == '\r' && b[from+1] == '\n':
			return from + 2
		}
	}
}

// line cuts the first line off. Strictly, it ends with CR LF and has no other CR.
func line(text string, strict bool) (first, rest string, ok bool) {
	at := strings.IndexByte(text, '\n')
	if at < 0 {
		return "", "", false
	}
	first, rest = text[:at], text[at+1:]
	switch {
	case strings.HasSuffix(first, "\r"):
		first = first[:len(first)-1]
	case strict:
		return "", "", false
	}
	return first, rest, strings.IndexByte(first, '\r') < 0
}

// fields reads the fields of a head up to its end, and adds them. Folded lines are
// refused: RFC 9112, 5.2.
func fields(to Fields, text string, strict bool) (Fields, *Fault) {
	for {
		one, rest, ok := line(text, strict)
		if !ok {
			return to, badHeader
		}
		if one == "" {
			return to, nil
		}
		text = rest
		if len(one) > maxLine {
			return to, longField
		}
		if len(to) == maxFields {
			return to, longHead
		}
		name, value, ok := strings.Cut(one, ":")
		if !ok || !token(name) {
			return to, badHeader
		}
		if value = trim(value); !printable(value) {
			return to, badHeader
		}
		to = append(to, Field{name, value})
	}
}

// tokens are the characters of names (RFC 9110, 5.6.2).
var tokens = func() (t [256]bool) { // never changed
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		t[c] = true
	}
	return t
}()

func token(s string) bool {
	for n := range len(s) {
		if !tokens[s[n]] {
			return false
		}
	}
	return s != ""
}

// printable tells whether s may be a value: it has no controls but tabs.
func printable(s string) bool {
	for n := range len(s) {
		if c := s[n]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
