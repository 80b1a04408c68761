package main

import (
	"bufio"
	"net"
)

// unheaded are the connections of a listener, without the header of the proxy protocol
// that may come ahead.
type unheaded struct{ net.Listener }

// Accept implements net.Listener.
func (u unheaded) Accept() (net.Conn, error) {
	c, err := u.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &unheadedConn{c.(*net.TCPConn), nil}, nil
}

type unheadedConn struct {
	*net.TCPConn
	in *bufio.Reader
}

// Read implements net.Conn.
func (c *unheadedConn) Read(b []byte) (int, error) {
	if c.in == nil {
		c.in = bufio.NewReaderSize(c.TCPConn, 4<<10)
		const head = 16 // bytes, the last two of them the length of the rest
		if first, err := c.in.Peek(head); err == nil && first[0] == '\r' {
			if _, err := c.in.Discard(head + int(first[14])<<8 + int(first[15])); err != nil {
				return 0, err
			}
		}
	}
	return c.in.Read(b)
}
