package web

import (
	"io"
	"net/http"
	"sync/atomic"
)

// counting is an answer whose status and bytes are counted.
type counting struct {
	http.ResponseWriter
	x      *exchange
	status int // 0 before an answer begins
	bytes  int64
}

func (c *counting) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		c.status = status
	}
	c.x.speak()
	c.ResponseWriter.WriteHeader(status)
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach what is below.
func (c *counting) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// counted is a request's body whose bytes are counted.
type counted struct {
	io.ReadCloser
	x     *exchange
	bytes int64
	err   error       // the client's, when reading failed; nil at its end
	ended atomic.Bool // all of it was read
	moved func()      // is told of each part; nil for nobody
}

func (c *counted) Read(b []byte) (int, error) {
	if c.bytes == 0 {
		c.x.speak() // the client may wait to be told to continue
	}
	c.x.listen()
	n, err := c.ReadCloser.Read(b)
	c.bytes += int64(n)
	if n > 0 && c.moved != nil {
		c.moved()
	}
	switch {
	case err == io.EOF:
		c.ended.Store(true)
		c.x.listened()
	case err != nil:
		c.err = err
	}
	return n, err
}
