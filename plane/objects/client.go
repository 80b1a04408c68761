package objects

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/berthhq/berth/protocol/sigv4"
)

// mostConnections is what the program takes at a time.
const mostConnections = 1024

// What the socket's only caller signs with. They are no secret: the socket's mode is
// what protects it.
const (
	keyID     = "berth"
	keySecret = "the-socket-is-the-lock"

	// Region is what requests on the socket are signed for, whatever their bucket's.
	Region = "us-east-1"

	healthPath = "/-/health" // no bucket has such a name
)

// Keys sign requests on the socket.
func Keys() sigv4.Keys { return sigv4.Keys{ID: keyID, Secret: keySecret} }

// Dial is a transport whose every request goes to the socket, which may be served
// now or later.
func Dial(socket string) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
		// A connection for each request: what is left unread of a body must never be
		// taken for another request.
		DisableKeepAlives:  true,
		MaxConnsPerHost:    mostConnections,
		DisableCompression: true, // objects are as they are
		WriteBufferSize:    64 << 10,
		ReadBufferSize:     64 << 10,
	}
}

// Healthy tells whether the socket is served.
func Healthy(ctx context.Context, socket string) error {
	transport := Dial(socket)
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://objects"+healthPath, nil)
	if err != nil {
		return err
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the store of objects answers %s", answer.Status)
	}
	return nil
}
