package web

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/ssl"
)

// certificatesOf are the certificates of a snapshot, by ARN.
func (e *Engine) certificatesOf(s *balancer.Snapshot) map[string]*tls.Certificate {
	all := map[string]*tls.Certificate{}
	for n := range s.Certificates {
		c := &s.Certificates[n]
		pair, err := tls.X509KeyPair(c.Chain, c.Key)
		if err != nil {
			e.Log.Error("a certificate cannot be used", "certificate", c.ARN, "err", err)
			continue
		}
		all[c.ARN] = &pair
	}
	return all
}

// configOf is how a listener speaks TLS.
func (e *Engine) configOf(l *listener, s *balancer.Snapshot, certificates map[string]*tls.Certificate) *tls.Config {
	c := ssl.Front(l.balancer.Negotiation(l.Listener))
	c.NextProtos = protocols(l)
	var usable []*tls.Certificate
	for _, arn := range l.Certificates {
		if pair := certificates[arn]; pair != nil {
			usable = append(usable, pair)
		}
	}
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return pick(usable, hello) }
	if m := l.MutualAuth; m != nil {
		e.askClients(c, m, s)
	}
	return c
}

var errNoCertificate = errors.New("the listener has no certificate that can be used")

// pick is the certificate for the name that the client asks for: the one that names it
// most exactly; without one, the listener's default.
func pick(all []*tls.Certificate, hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	var wild *tls.Certificate
	for _, c := range all {
		if c.Leaf == nil || hello.ServerName == "" || hello.SupportsCertificate(c) != nil {
			continue
		}
		if slices.ContainsFunc(c.Leaf.DNSNames, func(n string) bool { return strings.EqualFold(n, hello.ServerName) }) {
			return c, nil
		}
		if wild == nil {
			wild = c
		}
	}
	switch {
	case wild != nil:
		return wild, nil
	case len(all) > 0:
		return all[0], nil
	}
	return nil, errNoCertificate
}

// askClients has clients show certificates.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html
func (e *Engine) askClients(c *tls.Config, m *balancer.MutualAuth, s *balancer.Snapshot) {
	switch m.Mode {
	case "passthrough":
		c.ClientAuth = tls.RequestClientCert
	case "verify":
		c.ClientAuth = tls.RequireAnyClientCert
		trusted, revoked := e.trust(m, s)
		if m.AdvertiseCANames == "on" {
			c.ClientCAs = trusted
		}
		c.VerifyConnection = func(state tls.ConnectionState) error {
			return verify(state.PeerCertificates, trusted, revoked, m.IgnoreExpiry, e.Now())
		}
	}
}

// trust is the pool of a trust store, and the serial numbers of what was revoked.
func (e *Engine) trust(m *balancer.MutualAuth, s *balancer.Snapshot) (*x509.CertPool, map[string]bool) {
	pool, revoked := x509.NewCertPool(), map[string]bool{}
	for n := range s.TrustStores {
		store := &s.TrustStores[n]
		if store.ARN != m.TrustStoreARN {
			continue
		}
		pool.AppendCertsFromPEM(store.Bundle)
		for _, r := range store.Revocations {
			readRevoked(r.List, revoked)
		}
	}
	return pool, revoked
}
