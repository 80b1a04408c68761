package web

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// client is who asks: one request, in the version of HTTP that it came by.
type client interface {
	// part is the next part of the request's body, which holds until the next one; io.EOF
	// at its end. pause is called before it waits for more.
	part(pause func() error) ([]byte, error)
	// whole is the rest of the body, when it has come with the head.
	whole() ([]byte, bool)
	// trailer is what came behind the body, once it has ended.
	trailer() wire.Fields

	// begin says the head of the answer; length is -1 for a body whose end is not known.
	begin(status int, reason string, h wire.Fields, length int64) error
	write(part []byte) error
	flush() error
	end(trailer wire.Fields) error
	// abort cuts the connection, so that nobody takes half an answer for a whole.
	abort()

	// deaf reads no more of the body: who waits for it waits no longer.
	deaf()
	// context ends when the client has gone away.
	context() context.Context
	gone() bool
	// watch has the connection to a target cut when the client goes away, until the next
	// call; nil for none.
	watch(u *upstream)

	// hijack gives the connection away, and what of it was read: only in HTTP/1.
	hijack() (net.Conn, io.Reader)
	// request is the request for those who know net/http only, without its body in HTTP/1.
	request() (*http.Request, error)
}

// connection is what is known of a client's connection.
type connection struct {
	net.Conn
	began   time.Time
	trace   string // its id, in the logs
	client  netip.AddrPort
	from    string               // client, in words
	address string               // of it, without the port
	tls     *tls.ConnectionState // nil for none
}

func (f *front) connected(c net.Conn) connection {
	out := connection{Conn: c, began: f.engine.Now(), trace: "TID_" + hexID(16)}
	if at, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		p := at.AddrPort()
		out.client = netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	out.from, out.address = out.client.String(), out.client.Addr().String()
	if secure, ok := c.(*tls.Conn); ok {
		state := secure.ConnectionState()
		out.tls = &state
	}
	return out
}
