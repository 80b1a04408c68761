package wire

import (
	"bytes"
	"errors"
	"io"
)

// Body is what follows a head.
type Body struct {
	Trailer Fields // known at its end
	// Pause is called before the body waits for more to come: its error ends the reading.
	Pause func() error

	src    *Source
	left   int64 // of it all, or of a chunk; -1 when the connection's end is its end
	chunks bool
	strict bool
	begun  bool // the first chunk has
	spent  int  // bytes that frame chunks, less what they framed
	over   bool
}

// Of makes it the body of a request.
func (b *Body) Of(r *Request, s *Source) {
	*b = Body{src: s, left: max(0, r.Length), chunks: r.Length < 0, strict: true, over: r.Length == 0}
}

// OfAnswer makes it the body of an answer to a request of the method.
func (b *Body) OfAnswer(a *Answer, method string, s *Source) {
	*b = Body{src: s, left: a.Length, chunks: a.chunked, over: a.Length == 0 || a.Bare(method)}
	if a.chunked {
		b.left = 0
	}
}

// Ended tells whether all of it was read.
func (b *Body) Ended() bool { return b.over }

// Part is the next part of the body, which holds until the next call that reads; io.EOF
// at its end.
func (b *Body) Part() ([]byte, error) {
	if b.chunks && b.left == 0 && !b.over {
		if err := b.chunk(); err != nil {
			return nil, err
		}
	}
	if b.over {
		return nil, io.EOF
	}
	if len(b.src.Buffered()) == 0 {
		if err := b.fill(); err != nil {
			return nil, err
		}
	}
	part := b.src.Buffered()
	if b.left >= 0 {
		part = part[:min(int64(len(part)), b.left)]
		b.left -= int64(len(part))
		b.over = b.left == 0 && !b.chunks
	}
	b.src.Take(len(part))
	return part, nil
}

func (b *Body) fill() error {
	if b.Pause != nil {
		if err := b.Pause(); err != nil {
			return err
		}
	}
	if err := b.src.Fill(); err != nil {
		return b.end(err)
	}
	return nil
}

// end is what the end of the connection means.
func (b *Body) end(err error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	if b.left < 0 {
		b.over = true
		return io.EOF
	}
	return io.ErrUnexpectedEOF
}

// maxFraming bounds what chunks may take beyond what they carry: many small ones with
// long extensions cost much and say nothing.
const maxFraming = 16 << 10

// chunk reads up to the data of the next chunk, or to the end of the body.
func (b *Body) chunk() error {
	if b.begun { // the line's end after the data before
		if one, err := b.line(2); err != nil || len(one) > 0 {
			return firstOf(err, errChunk)
		}
	}
	b.begun = true
	one, err := b.line(maxLine)
	if err != nil {
		return err
	}
	if !b.strict {
		one = bytes.TrimRight(one, " \t")
	}
	size, ok := sizeOf(one)
	if !ok {
		return errChunk
	}
	if b.spent = max(0, b.spent+len(one)+4-int(min(size, maxFraming))); b.spent > maxFraming {
		return errChunk
	}
	if b.left = size; size == 0 {
		return b.last()
	}
	return nil
}

func firstOf(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// sizeOf reads the line before a chunk; extensions mean nothing to us (RFC 9112, 7.1.1).
func sizeOf(one []byte) (size int64, ok bool) {
	n := 0
	for ; n < len(one) && hexadecimal(one[n]); n++ {
		if n == 15 {
			return 0, false
		}
		size = size<<4 | int64(value(one[n]))
	}
	rest := one[n:]
	if n == 0 || !printable(string(rest)) {
		return 0, false
	}
	rest = bytes.TrimLeft(rest, " \t")
	return size, len(rest) == 0 && n == len(one) || len(rest) > 0 && rest[0] == ';'
}

func value(c byte) byte {
	if digit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// last reads the trailer.
func (b *Body) last() error {
	var text []byte
	for {
		one, err := b.line(maxLine)
		if err != nil {
			return err
		}
		if len(text)+len(one) > maxLine {
			return errLongTrailer
		}
		if text = append(append(text, one...), "\r\n"...); len(one) == 0 {
			break
		}
	}
	trailer, fault := fields(nil, string(text), true)
	if fault != nil {
		return fault
	}
	trailer.DelFunc(misplaced)
	b.Trailer, b.over = trailer, true
	return nil
}

// misplaced are fields that frame or route a message: in a trailer they come too late to
// mean what they say (RFC 9110, 6.5.1).
func misplaced(f *Field) bool {
	for _, name := range [...]string{"Content-Length", "Transfer-Encoding", "Host", "Trailer", "Connection", "Te", "Upgrade", "Authorization", "Cookie", "Set-Cookie"} {
		if f.Is(name) {
			return true
		}
	}
	return false
}

// line reads one line, without its end.
func (b *Body) line(most int) ([]byte, error) {
	for from := 0; ; {
		have := b.src.Buffered()
		if at := bytes.IndexByte(have[from:], '\n'); at >= 0 {
			one := have[:from+at]
			b.src.Take(from + at + 1)
			switch {
			case len(one) > 0 && one[len(one)-1] == '\r':
				one = one[:len(one)-1]
			case b.strict:
				return nil, errChunk
			}
			if len(one) > most || bytes.IndexByte(one, '\r') >= 0 {
				return nil, errChunk
			}
			return one, nil
		}
		if from = len(have); from > most {
			return nil, errChunk
		}
		if err := b.fill(); err != nil {
			return nil, err
		}
	}
}

// Whole is all of the body that is still to be read, when it has come already; false when
// it has not, or its length is not known.
func (b *Body) Whole() ([]byte, bool) {
	have := b.src.Buffered()
	if b.chunks || b.left < 0 || b.over || int64(len(have)) < b.left {
		return nil, false
	}
	have = have[:b.left]
	b.src.Take(len(have))
	b.left, b.over = 0, true
	return have, true
}

// AppendChunk appends data as a chunk.
func AppendChunk(to, data []byte) []byte {
	to = AppendSize(to, len(data))
	return append(append(to, data...), "\r\n"...)
}

// AppendSize appends the line before a chunk of n bytes.
func AppendSize(to []byte, n int) []byte {
	const digits = "0123456789abcdef"
	shift := 0
	for n>>shift > 15 {
		shift += 4
	}
	for ; shift >= 0; shift -= 4 {
		to = append(to, digits[n>>shift&15])
	}
	return append(to, "\r\n"...)
}

// AppendEnd appends the end of a body in chunks.
func AppendEnd(to []byte, trailer Fields) []byte {
	to = append(to, "0\r\n"...)
	return append(trailer.Append(to), "\r\n"...)
}
