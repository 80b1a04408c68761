package signin

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

var errInside = errors.New("the address of the identity provider is one of the machine's own")

// Outside makes a client that reaches no address of this machine or its link, whatever a
// name stands for, but those that an operator has allowed (nil: none). It follows no
// redirects: an endpoint is where it was said to be.
func Outside(allowed func(netip.Addr) bool) *http.Client {
	dialer := &net.Dialer{Timeout: patience, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if inside(at.Addr().Unmap()) && (allowed == nil || !allowed(at.Addr().Unmap())) {
			return errInside
		}
		return nil
	}}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: patience,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func inside(a netip.Addr) bool {
	return a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast()
}
