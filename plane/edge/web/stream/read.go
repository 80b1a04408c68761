package stream

import (
	"errors"
	"time"

	"golang.org/x/net/http2"
)

// take does what a frame says.
func (c *Conn) take(f http2.Frame) error {
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		return c.takeHead(f)
	case *http2.DataFrame:
		return c.takeData(f)
	case *http2.SettingsFrame:
		return c.takeSettings(f)
	case *http2.WindowUpdateFrame:
		return c.takeWindow(f)
	case *http2.RSTStreamFrame:
		return c.takeReset(f)
	case *http2.PingFrame:
		return c.takePing(f)
	case *http2.PriorityFrame:
		if f.StreamDep == f.StreamID {
			return streamError(f.StreamID, http2.ErrCodeProtocol)
		}
	case *http2.PushPromiseFrame:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return nil
}

func streamError(id uint32, code http2.ErrCode) error {
	return http2.StreamError{StreamID: id, Code: code}
}

// idle tells whether the client never began a stream, with c.mu.
func (c *Conn) idle(id uint32) bool { return id%2 == 0 || id > c.last }

func (c *Conn) takeHead(f *http2.MetaHeadersFrame) error {
	id := f.StreamID
	if id%2 == 0 {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	c.mu.Lock()
	s, last := c.streams[id], c.last
	c.mu.Unlock()
	switch {
	case s != nil:
		return c.takeTrailer(s, f)
	case id <= last:
		return http2.ConnectionError(http2.ErrCodeStreamClosed)
	case f.HasPriority() && f.Priority.StreamDep == id:
		return streamError(id, http2.ErrCodeProtocol)
	}
	s = &Stream{conn: c, id: id, began: time.Now(), changed: make(chan struct{}, 1)}
	if err := s.read(f); err != nil {
		return err
	}
	return c.enter(s)
}

// A client that takes its requests back within youth is an attacker, after so many of
// them, if they are half of all: CVE-2023-44487.
const (
	youth     = time.Second
	premature = 500
)

// enter has a request served.
func (c *Conn) enter(s *Stream) error {
	c.mu.Lock()
	c.last = s.id
	switch {
	case c.draining:
		c.mu.Unlock()
		return nil // the client was told that nobody serves it
	case len(c.streams) >= maxStreams:
		c.mu.Unlock()
		return streamError(s.id, http2.ErrCodeRefusedStream)
	case c.resets > premature && c.resets > c.opened/2:
		c.mu.Unlock()
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	s.window, s.room = c.initial, streamRoom
	if len(c.streams) == 0 {
		c.rest(false)
	}
	c.streams[s.id] = s
	c.opened++
	c.mu.Unlock()
	c.Workers.serve(s)
	return nil
}

func (c *Conn) takeTrailer(s *Stream, f *http2.MetaHeadersFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case s.ended && s.said:
		return http2.ConnectionError(http2.ErrCodeStreamClosed)
	case errors.Is(s.err, errReset):
		return nil // which the client may not know yet
	case s.ended || s.err != nil:
		return streamError(s.id, http2.ErrCodeStreamClosed)
	case !f.StreamEnded() || len(f.PseudoFields()) > 0 || s.declared > 0:
		return streamError(s.id, http2.ErrCodeProtocol)
	}
	for _, field := range f.RegularFields() {
		s.trailer.Add(field.Name, field.Value)
	}
	s.ended = true
	s.wake()
	return nil
}

func (c *Conn) takeData(f *http2.DataFrame) error {
	id, length := f.StreamID, int64(f.Length)
	c.mu.Lock()
	if c.idle(id) {
		c.mu.Unlock()
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if length > c.room {
		c.mu.Unlock()
		return http2.ConnectionError(http2.ErrCodeFlowControl)
	}
	c.room -= length
	taken, err := c.feed(c.streams[id], f)
	c.owed += int(length) - taken // nobody takes the rest
	whole := c.due()
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return c.sendWindows(id, 0, whole)
}

// feed gives a stream, nil for one that is closed, what came for it, with c.mu, and says how
// much of the connection's room it holds.
func (c *Conn) feed(s *Stream, f *http2.DataFrame) (int, error) {
	data := f.Data()
	switch {
	case s != nil && errors.Is(s.err, errReset):
		return 0, nil // which the client may not know yet
	case s == nil || s.ended || s.err != nil:
		return 0, streamError(f.StreamID, http2.ErrCodeStreamClosed)
	case int64(f.Length) > s.room:
		return 0, streamError(s.id, http2.ErrCodeFlowControl)
	}
	s.room -= int64(f.Length)
	s.owed += int(f.Length) - len(data) // padding
	if s.declared >= 0 {
		s.declared -= int64(len(data))
		if s.declared < 0 || f.StreamEnded() && s.declared > 0 {
			return 0, streamError(s.id, http2.ErrCodeProtocol)
		}
	}
	s.ended = f.StreamEnded()
	if s.deaf {
		s.wake()
		return 0, nil
	}
	s.in = append(s.in, data...)
	s.wake()
	return len(data), nil
}

func (c *Conn) takeSettings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	err := f.ForeachSetting(func(s http2.Setting) error {
		if err := s.Valid(); err != nil {
			return err
		}
		switch s.ID {
		case http2.SettingInitialWindowSize:
			return c.resize(int64(s.Val))
		case http2.SettingHeaderTableSize:
			c.writing.Lock()
			c.encoder.SetMaxDynamicTableSize(min(s.Val, tableSize))
			c.writing.Unlock()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.sendNow(http2.FrameSettings, http2.FlagSettingsAck, 0, nil)
}

// resize changes the windows of all streams (RFC 9113, 6.9.2).
func (c *Conn) resize(to int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	by := to - c.initial
	c.initial = to
	for _, s := range c.streams {
		if s.window += by; s.window > maxWindow {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
		s.wake()
	}
	return nil
}

func (c *Conn) takeWindow(f *http2.WindowUpdateFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.StreamID == 0 {
		if c.window += int64(f.Increment); c.window > maxWindow {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
		for _, s := range c.streams {
			s.wake()
		}
		return nil
	}
	if c.idle(f.StreamID) {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	s := c.streams[f.StreamID]
	if s == nil || s.err != nil {
		return nil
	}
	if s.window += int64(f.Increment); s.window > maxWindow {
		return streamError(s.id, http2.ErrCodeFlowControl)
	}
	s.wake()
	return nil
}

func (c *Conn) takeReset(f *http2.RSTStreamFrame) error {
	c.mu.Lock()
	if c.idle(f.StreamID) {
		c.mu.Unlock()
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	var cut func()
	if s := c.streams[f.StreamID]; s != nil {
		if time.Since(s.began) < youth {
			c.resets++
		}
		cut = s.over(ErrGone)
	}
	c.mu.Unlock()
	if cut != nil {
		cut()
	}
	return nil
}

func (c *Conn) takePing(f *http2.PingFrame) error {
	switch {
	case !f.IsAck():
		return c.sendNow(http2.FramePing, http2.FlagPingAck, 0, f.Data[:])
	case f.Data == draining:
		return c.drained()
	}
	return nil
}
