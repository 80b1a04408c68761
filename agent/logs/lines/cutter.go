// Package lines turns the bytes a container printed into log events: it cuts
// lines, joins those that belong together, and packs events into batches that
// CloudWatch Logs takes. Every event knows where in the output it ends, so that
// what was shipped can be told from what was not.
package lines

import (
	"bytes"
	"unicode/utf8"
)

// maxLine is where a line that does not end is cut: 256 KiB less the 26 bytes an
// event costs, as Docker's driver does. Each invalid byte becomes three, which
// still fits an event.
const maxLine = 256<<10 - 26

// Event is a line, or several joined.
type Event struct {
	Text string // without the newline at its end; valid UTF-8; never empty
	Time int64  // milliseconds since 1970
	End  int64  // offset in the output after its newline
}

// Cutter cuts output into lines. Its zero value begins at offset 0.
type Cutter struct {
	pending []byte // the start of a line whose end has not come
	at      int64  // offset after pending
}

// SeekTo begins anew at an offset that is the start of a line.
func (c *Cutter) SeekTo(offset int64) { c.pending, c.at = nil, offset }

// Pending tells whether a line has begun.
func (c *Cutter) Pending() bool { return len(c.pending) > 0 }

// Settled is the offset before which every line was emitted.
func (c *Cutter) Settled() int64 { return c.at - int64(len(c.pending)) }

// Add takes the next bytes and emits the lines that ended in them. timeOf is the
// time at which the byte before an offset came. Empty lines are left out, for an
// event cannot be empty.
func (c *Cutter) Add(b []byte, timeOf func(offset int64) int64, emit func(Event)) {
	for len(b) > 0 {
		n := bytes.IndexByte(b, '\n') + 1
		room := maxLine - len(c.pending)
		switch {
		case n > 0 && n-1 <= room:
			c.take(b[:n])
			c.emit(len(c.pending)-1, timeOf, emit)
		case len(b) > room:
			n = room
			c.take(b[:n])
			c.emit(wholeRunes(c.pending), timeOf, emit)
		default:
			n = len(b)
			c.take(b)
		}
		b = b[n:]
	}
}

// Flush emits a line that will not end any more.
func (c *Cutter) Flush(timeOf func(offset int64) int64, emit func(Event)) {
	if c.Pending() {
		c.emit(len(c.pending), timeOf, emit)
	}
}

func (c *Cutter) take(b []byte) {
	c.pending = append(c.pending, b...)
	c.at += int64(len(b))
}

// emit makes an event of the first n pending bytes and drops a newline after them.
func (c *Cutter) emit(n int, timeOf func(int64) int64, emit func(Event)) {
	text, rest := c.pending[:n], c.pending[n:]
	if len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	end := c.at - int64(len(rest))
	if len(text) > 0 {
		emit(Event{Text: string(bytes.ToValidUTF8(text, []byte("\uFFFD"))), Time: timeOf(end), End: end})
	}
	c.pending = append(c.pending[:0], rest...)
}

// wholeRunes is how many bytes of b are left without a rune cut at its end.
func wholeRunes(b []byte) int {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return i
			}
			break
		}
	}
	return len(b)
}
