package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// load is work that a client in its namespace does against an address.
type load struct {
	name, unit string
	count      float64 // of units in a round
	most       float64 // of ours to the other's
	do         func(at string) error
}

// dialer connects as a client does.
type dialer func(at string) (net.Conn, error)

func dialTCP(at string) (net.Conn, error) { return net.DialTimeout("tcp4", at, time.Minute) }

func dialTLS(at string) (net.Conn, error) {
	c, err := dialTCP(at)
	if err != nil {
		return nil, err
	}
	return tls.Client(c, trusting()), nil
}

// connections asks once on each of many.
func connections(dial dialer, at string, n int) error {
	for range n {
		c, err := dial(at)
		if err != nil {
			return err
		}
		if err := ask(c, bufio.NewReader(c)); err != nil {
			return err
		}
		c.Close()
	}
	return nil
}

// bulk gets that many bytes.
func bulk(dial dialer, at string, n int64) error {
	c, err := dial(at)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "GET /?bytes=%d HTTP/1.1\r\nHost: example.com\r\n\r\n", n); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReaderSize(c, 64<<10), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	got, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, answer.Body, make([]byte, 64<<10))
	if err == nil && got != n {
		err = fmt.Errorf("%d of %d bytes came", got, n)
	}
	return err
}
