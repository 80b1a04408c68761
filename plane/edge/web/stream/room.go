package stream

import (
	"time"

	"golang.org/x/net/http2"
)

// give notes that n bytes of a body were taken, with conn.mu, and tells by how much the
// windows of the stream and of the connection are to grow.
func (s *Stream) give(n int) (own, whole int) {
	s.owed += n
	s.conn.owed += n
	if !s.ended && s.owed >= streamRoom/2 {
		own, s.owed = s.owed, 0
		s.room += int64(own)
	}
	return own, s.conn.due()
}

// due is by how much the connection's window is to grow, with c.mu.
func (c *Conn) due() (whole int) {
	if c.owed >= wholeRoom/2 {
		whole, c.owed = c.owed, 0
		c.room += int64(whole)
	}
	return whole
}

// leave takes a stream away that was served.
func (c *Conn) leave(s *Stream) {
	c.mu.Lock()
	over := s.err != nil
	s.over(errReset)
	c.owed += len(s.in)
	s.in = nil
	whole, said, unread := c.due(), s.said, !s.ended
	c.mu.Unlock()
	switch {
	case over: // nobody listens
	case !said:
		_ = c.sendReset(s.id, http2.ErrCodeInternal)
	case unread: // RFC 9113, 8.1: the client need not go on with its body
		_ = c.sendReset(s.id, http2.ErrCodeNo)
	}
	_ = c.sendWindows(s.id, 0, whole)

	c.mu.Lock()
	delete(c.streams, s.id)
	none := len(c.streams) == 0
	if none {
		c.rest(true)
	}
	end := none && c.draining
	c.mu.Unlock()
	if end {
		c.end()
	}
}

// rest begins or ends the time that a connection may be without requests, with c.mu.
func (c *Conn) rest(begins bool) {
	if c.closed {
		return
	}
	var until time.Time
	if begins {
		until = time.Now().Add(c.Idle)
	}
	_ = c.conn.SetReadDeadline(until)
}
