package flow

import (
	"crypto/tls"
	"net/netip"
	"time"
)

// Over is a spliced connection that is over, or that found no target.
type Over struct {
	Node   string // interface
	Client netip.AddrPort
	Target netip.AddrPort // not valid for none
	Began  time.Time
	// Connected is how long it took until bytes could go on to the target, Dialing how
	// much of that the target took to accept.
	Connected, Dialing time.Duration
	Received, Sent     int64                // bytes from the client, and to it
	TLS                *tls.ConnectionState // with the client; nil for none
}
