package wire

import (
	"errors"
	"io"
	"sync"
)

// BufferSize is of the buffers that connections borrow.
const BufferSize = 16 << 10

// Buffers lends buffers to connections. The zero value has none yet.
type Buffers struct{ pool sync.Pool }

// Take lends a buffer of BufferSize bytes.
func (b *Buffers) Take() *[]byte {
	if lent, ok := b.pool.Get().(*[]byte); ok {
		return lent
	}
	lent := make([]byte, BufferSize)
	return &lent
}

// Give takes a buffer back.
func (b *Buffers) Give(lent *[]byte) { b.pool.Put(lent) }

// Source reads from a connection by a buffer that it borrows when something is to be
// read and gives back when it is told to rest.
type Source struct {
	from io.Reader
	pool *Buffers
	lent *[]byte // nil while the Source rests
	buf  []byte  // what lent holds, or larger while a head does not fit
	r, w int     // what of buf was read and not taken yet
	dry  error   // why nothing more comes; the Source says it once all is taken
}

// NewSource makes a Source that reads from a connection.
func NewSource(from io.Reader, pool *Buffers) *Source { return &Source{from: from, pool: pool} }

// Buffered is what came and was not taken; it holds until the next call that reads.
func (s *Source) Buffered() []byte { return s.buf[s.r:s.w] }

// Take drops the first n of what is buffered.
func (s *Source) Take(n int) { s.r += n }

// Fill reads once more from the connection, behind what is buffered.
func (s *Source) Fill() error {
	if s.dry != nil {
		return s.dry
	}
	s.room()
	n, err := s.from.Read(s.buf[s.w:])
	s.w += n
	if n > 0 {
		if errors.Is(err, io.EOF) {
			s.dry = err
		}
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// Begin puts a byte that was read elsewhere before what comes.
func (s *Source) Begin(b byte) {
	s.room()
	s.buf[s.w] = b
	s.w++
}

// room makes place for at least one byte.
func (s *Source) room() {
	switch {
	case s.lent == nil:
		s.lent = s.pool.Take()
		s.buf, s.r, s.w = *s.lent, 0, 0
	case s.r == s.w:
		s.buf, s.r, s.w = *s.lent, 0, 0
	case s.w == len(s.buf) && s.r > 0:
		s.w = copy(s.buf, s.buf[s.r:s.w])
		s.r = 0
	case s.w == len(s.buf):
		s.buf = append(s.buf[:s.w:s.w], make([]byte, len(s.buf))...)
	}
}

// Rest gives the buffer back, unless there is something in it.
func (s *Source) Rest() {
	if s.lent == nil || s.r < s.w {
		return
	}
	s.drop()
}

// Drop gives the buffer back, whatever is in it.
func (s *Source) Drop() {
	if s.lent != nil {
		s.drop()
	}
}

func (s *Source) drop() {
	s.pool.Give(s.lent)
	s.lent, s.buf, s.r, s.w = nil, nil, 0, 0
}

// Read implements io.Reader.
func (s *Source) Read(p []byte) (int, error) {
	if s.r == s.w {
		if err := s.Fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.buf[s.r:s.w])
	s.r += n
	return n, nil
}
