package web

import (
	"io"
	"net/http"
)

// counting is an answer whose status and bytes are counted.
type counting struct {
	http.ResponseWriter
	status int // 0 before an answer begins
	bytes  int64
}

func (c *counting) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		c.status = status
	}
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
	bytes int64
	err   error // the client's, when reading failed; nil at its end
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.bytes += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}
