package web

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/balancer"
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
	c := &tls.Config{NextProtos: protocols(l), MinVersion: tls.VersionTLS10}
	var usable []*tls.Certificate
	for _, arn := range l.Certificates {
		if pair := certificates[arn]; pair != nil {
			usable = append(usable, pair)
		}
	}
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return pick(usable, hello) }
	if p, ok := balancer.FindSSLPolicy(l.SSLPolicy); ok {
		c.MinVersion, c.MaxVersion = versions(p.Protocols)
		c.CipherSuites = suites(p.Ciphers)
	}
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

func versions(names []string) (low, high uint16) {
	known := map[string]uint16{"TLSv1": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}
	for _, n := range names {
		v := known[n]
		if low == 0 || v < low {
			low = v
		}
		high = max(high, v)
	}
	return low, high
}

// suites are those of the policy that Go has; TLS 1.3's are not for choosing.
func suites(names []string) []uint16 {
	var ids []uint16
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if slices.Contains(names, openSSLName(s.Name)) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// openSSLName is a cipher suite's name in OpenSSL's way, which AWS uses.
func openSSLName(name string) string {
	if !strings.Contains(name, "_WITH_") {
		return name
	}
	s := strings.TrimPrefix(name, "TLS_")
	s = strings.TrimPrefix(strings.ReplaceAll(s, "_WITH_", "_"), "RSA_")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "AES_128", "AES128"), "AES_256", "AES256")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "_CBC_SHA", "_SHA"), "_", "-")
	return strings.TrimSuffix(s, "-POLY1305-SHA256") + map[bool]string{true: "-POLY1305"}[strings.HasSuffix(s, "-POLY1305-SHA256")]
}

func cipherName(id uint16) string { return openSSLName(tls.CipherSuiteName(id)) }

// tlsFor is the listener's way at the moment of the handshake.
func (f *front) tlsFor(*tls.ClientHelloInfo) (*tls.Config, error) {
	if l := f.now(); l != nil && l.tls != nil {
		return l.tls, nil
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
