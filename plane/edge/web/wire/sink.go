package wire

import "io"

// Sink writes to a connection by a buffer that it borrows while there is something to be
// written. Its first error stays.
type Sink struct {
	to   io.Writer
	pool *Buffers
	lent *[]byte // nil while nothing waits
	n    int
	err  error
}

// NewSink makes a Sink that writes to a connection.
func NewSink(to io.Writer, pool *Buffers) *Sink { return &Sink{to: to, pool: pool} }

// Free is where to append what is to be written next; Wrote says what it became.
func (s *Sink) Free() []byte {
	if s.lent == nil {
		s.lent, s.n = s.pool.Take(), 0
	}
	return (*s.lent)[:s.n]
}

// Wrote takes what Free gave, and what was appended to it.
func (s *Sink) Wrote(b []byte) {
	if len(b) <= len(*s.lent) {
		s.n = len(b)
		return
	}
	s.n = 0
	s.write(b)
}

func (s *Sink) write(b []byte) {
	if s.err == nil && len(b) > 0 {
		_, s.err = s.to.Write(b)
	}
}

// Write implements io.Writer.
func (s *Sink) Write(p []byte) (int, error) {
	free := s.Free()
	if s.n > 0 && s.n+len(p) > len(*s.lent) {
		s.write(free)
		s.n = 0
	}
	if len(p) > len(*s.lent) {
		s.write(p)
	} else {
		s.n += copy((*s.lent)[s.n:], p)
	}
	return len(p), s.err
}

// Flush writes all and gives the buffer back.
func (s *Sink) Flush() error {
	if s.lent != nil {
		s.write((*s.lent)[:s.n])
		s.pool.Give(s.lent)
		s.lent, s.n = nil, 0
	}
	return s.err
}

// Drop gives the buffer back, whatever is in it.
func (s *Sink) Drop() {
	if s.lent != nil {
		s.pool.Give(s.lent)
		s.lent, s.n = nil, 0
	}
}
