package wire

import (
	"errors"
	"strings"
)

// Answer is the head of an answer.
type Answer struct {
	Status int
	Reason string // words for people
	Fields Fields
	Length int64 // of the body; -1 when only its end tells
	// Persists tells whether the connection goes on after it.
	Persists bool
	chunked  bool
}

var (
	errAnswer     = errors.New("not an answer of HTTP/1.1")
	errLongAnswer = errors.New("the head of the answer is too long")
)

// Read reads the head of an answer to a request of the method.
func (a *Answer) Read(s *Source, method string) error {
	text, err := s.head(maxAnswer, func() error { return nil })
	if errors.Is(err, errTooLong) {
		return errLongAnswer
	}
	if err != nil {
		return err
	}
	*a = Answer{Fields: a.Fields[:0]}
	first, rest, ok := line(text, false)
	if !ok {
		return errAnswer
	}
	minor, ok := a.first(first)
	if !ok {
		return errAnswer
	}
	var fault *Fault
	if a.Fields, fault = fields(a.Fields, rest, false); fault != nil {
		return errAnswer
	}
	a.Persists = minor == 1 && !a.Fields.Names("Connection", "close")
	return a.frame(method, minor)
}

// first reads the status line.
func (a *Answer) first(text string) (minor int, ok bool) {
	if len(text) < len("HTTP/1.1 200") || text[:7] != "HTTP/1." || !digit(text[7]) || text[8] != ' ' {
		return 0, false
	}
	if text[7] != '0' {
		minor = 1
	}
	for _, c := range []byte(text[9:12]) {
		if !digit(c) {
			return 0, false
		}
		a.Status = a.Status*10 + int(c-'0')
	}
	if text = text[12:]; text != "" && text[0] != ' ' {
		return 0, false
	}
	a.Reason = trim(text)
	return minor, a.Status >= 100 && a.Status < 600 && printable(a.Reason)
}

// frame finds how long the body is (RFC 9112, 6.3).
func (a *Answer) frame(method string, minor int) error {
	f, fault := framingOf(&a.Fields)
	if fault != nil {
		return errAnswer
	}
	switch {
	case a.Status < 200 || a.Status == 204 || a.Status == 304:
	case method == "HEAD":
		if a.Length = -1; f.lengths > 0 && f.coding == "" {
			a.Length = f.length // what it would be
		}
	case f.coding != "":
		a.Length, a.chunked = -1, minor == 1 && (strings.EqualFold(f.coding, "chunked") && f.codings == 1)
		if a.Persists = a.Persists && a.chunked && f.lengths == 0; !a.chunked && minor == 1 {
			return errAnswer // a coding that the client did not ask for
		}
	case f.lengths > 0:
		a.Length = f.length
	default:
		a.Length, a.Persists = -1, false
	}
	return nil
}

// Bare tells whether the answer has no body, whatever its head says.
func (a *Answer) Bare(method string) bool {
	return method == "HEAD" || a.Status < 200 || a.Status == 204 || a.Status == 304
}
