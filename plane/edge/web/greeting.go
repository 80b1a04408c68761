package web

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/berthhq/berth/plane/edge/ssl"
)

// arrived is a connection over which TLS is to come about.
type arrived struct {
	net.Conn
	at time.Time
}

// greet writes a connection into the balancer's connection log, if it keeps one. why is
// nil but where TLS did not come about.
func (f *front) greet(c *connection, why error) {
	if l := f.now(); l != nil && l.greets && f.engine.Connection != nil {
		f.engine.Connection(l.balancer.ARN, f.node, c.greeting(f.port, why))
	}
}

// greeting is how the connection began, in the connection log.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html
func (c *connection) greeting(port int, why error) []byte {
	b := &line{make([]byte, 0, 256)}
	b.time(c.began)
	b.field(c.address)
	b.number(int64(c.client.Port()))
	b.number(int64(port))
	if c.tls == nil || why != nil {
		b.field("- - -")
	} else {
		b.field(ssl.VersionName(c.tls.Version))
		b.field(ssl.SuiteName(c.tls.CipherSuite))
		b.spent(c.began.Sub(c.Conn.(*tls.Conn).NetConn().(*arrived).at), true)
	}
	if c.tls == nil || len(c.tls.PeerCertificates) == 0 {
		b.field(`"-" - -`)
	} else {
		leaf := c.tls.PeerCertificates[0]
		b.quoted(leaf.Subject.String())
		b.field("NotBefore=" + leaf.NotBefore.UTC().Format(time.RFC3339) + ";NotAfter=" + leaf.NotAfter.UTC().Format(time.RFC3339))
		b.field(strings.ToUpper(leaf.SerialNumber.Text(16)))
	}
	switch {
	case why != nil:
		b.field("Failed:" + refusal(why, c.began))
	case c.tls != nil:
		b.field("Success")
	default:
		b.field("-")
	}
	b.field(c.trace)
	return b.text[1:]
}

// refusal is AWS's word for why TLS did not come about.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html#connection-log-error-reason-codes
func refusal(why error, now time.Time) string {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.Is(why, errRevoked):
		return "ClientCertCrlHit"
	case errors.As(why, &unknown):
		return "ClientCertUntrusted"
	case !errors.As(why, &invalid):
		return "UnmappedConnectionError"
	case invalid.Reason != x509.Expired:
		return "ClientCertInvalid"
	case now.Before(invalid.Cert.NotBefore):
		return "ClientCertNotYetValid"
	}
	return "ClientCertExpired"
}
