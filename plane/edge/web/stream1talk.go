package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

var _ client = (*stream1)(nil)

// errDeaf says that nothing more of a body is read.
var errDeaf = errors.New("the rest of the body is not wanted")

func (c *stream1) part(pause func() error) ([]byte, error) {
	c.body.Pause = func() error {
		if err := pause(); err != nil {
			return err
		}
		return c.listen()
	}
	return c.body.Part()
}

func (c *stream1) whole() ([]byte, bool) { return c.body.Whole() }

func (c *stream1) trailer() wire.Fields { return c.body.Trailer }

// listen gives the client as long as it may idle for its next bytes.
func (c *stream1) listen() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deafened {
		return errDeaf
	}
	if c.continues && !c.begun {
		c.speak()
		if _, err := c.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n")); err != nil {
			return err
		}
	}
	c.continues = false
	return c.reading.allow(time.Now(), c.x.l.idle, c.SetReadDeadline)
}

func (c *stream1) deaf() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deafened = true
	_ = c.SetReadDeadline(past)
}

// speak gives the client as long as it may idle to take what is written next.
func (c *stream1) speak() { _ = c.writing.allow(c.x.now, c.x.l.idle, c.SetWriteDeadline) }

func (c *stream1) begin(status int, reason string, h wire.Fields, length int64) error {
	c.mu.Lock()
	c.begun = true
	c.mu.Unlock()
	r := &c.x.asked
	bare := r.Method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
	c.chunked = !bare && length < 0 && r.Minor == 1
	c.keep = r.Persists && !r.Last && !c.old() && (bare || c.chunked || length >= 0)
	b := append(c.sink.Free(), "HTTP/1.1 "...)
	b = append(strconv.AppendInt(b, int64(status), 10), ' ')
	if text := http.StatusText(status); text != "" {
		reason = text
	}
	b = append(append(b, reason...), "\r\n"...)
	b = h.Append(b)
	if length >= 0 && status != http.StatusNoContent && status != http.StatusNotModified {
		b = append(b, "Content-Length: "...)
		b = append(strconv.AppendInt(b, length, 10), "\r\n"...)
	}
	if !h.Has("Date") {
		b = append(b, "Date: "...)
		b = append(time.Now().UTC().AppendFormat(b, http.TimeFormat), "\r\n"...)
	}
	if c.chunked {
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	switch {
	case !c.keep:
		b = append(b, "Connection: close\r\n"...)
	case r.Minor == 0:
		b = append(b, "Connection: keep-alive\r\n"...)
	}
	c.speak()
	c.sink.Wrote(append(b, "\r\n"...))
	return nil
}

// old tells connections that have lived as long as the balancer lets them, and all of
// them once the socket is closed.
func (c *stream1) old() bool {
	return c.closing.Load() || c.x.began.Sub(c.began) > c.x.l.keepAlive
}

func (c *stream1) write(part []byte) error {
	if len(part) == 0 {
		return nil
	}
	c.speak()
	if c.chunked {
		c.sink.Wrote(wire.AppendSize(c.sink.Free(), len(part)))
		_, _ = c.sink.Write(part) // the sink keeps its error
		part = []byte("\r\n")
	}
	_, err := c.sink.Write(part)
	return err
}

func (c *stream1) flush() error {
	c.speak()
	return c.sink.Flush()
}

func (c *stream1) end(trailer wire.Fields) error {
	if c.chunked {
		c.sink.Wrote(wire.AppendEnd(c.sink.Free(), trailer))
	}
	err := c.flush()
	c.said = err == nil
	return err
}

func (c *stream1) request() (*http.Request, error) {
	r := &c.x.asked
	u, err := url.ParseRequestURI(r.Origin())
	if err != nil {
		return nil, err
	}
	return (&http.Request{
		Method: r.Method, URL: u, Proto: r.Proto, ProtoMajor: r.Major, ProtoMinor: r.Minor, Header: headerOf(r.Fields), Body: http.NoBody,
		Host: r.Host, RequestURI: r.Target, RemoteAddr: c.from, TLS: c.tls,
	}).WithContext(c.context()), nil
}

func (c *stream1) context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		c.ctx, c.cancel = context.WithCancel(context.Background())
		if c.away {
			c.cancel()
		}
	}
	return c.ctx
}
