package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	certificateLife = 90 * 24 * time.Hour
	renewBefore     = 30 * 24 * time.Hour // long enough to notice that renewal fails
)

// Use is what a certificate proves.
type Use int

// Uses.
const (
	Server Use = iota // a server to its clients
	Peer              // servers of a set to each other, both ways
)

// Issue signs a new key for the names, which are DNS names and IP addresses. The
// chain carries the authority, so that a machine that joins can pin it.
func (a *Authority) Issue(use Use, names []string, now time.Time) (*tls.Certificate, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("issuing a certificate: no names to put in it")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate: %w", err)
	}
	template, err := a.template(use, names, now)
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate for %v: %w", names, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate for %v: %w", names, err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

func (a *Authority) template(use Use, names []string, now time.Time) (*x509.Certificate, error) {
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{"berth"}, CommonName: names[0]},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(certificateLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if use == Peer {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, name)
		}
	}
	return t, nil
}

// ServerTLS serves certificates for the names, and renews them while it runs.
func (a *Authority) ServerTLS(names []string, clock func() time.Time) *tls.Config {
	r := &renewal{authority: a, names: names, clock: clock}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return r.current() },
	}
}

// PeerPool is what peers check each other with.
func (a *Authority) PeerPool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

type renewal struct {
	authority *Authority
	names     []string
	clock     func() time.Time

	mu   sync.Mutex
	last *tls.Certificate // nil before the first handshake
}

func (r *renewal) current() (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock()
	if r.last != nil && now.Before(r.last.Leaf.NotAfter.Add(-renewBefore)) {
		return r.last, nil
	}
	fresh, err := r.authority.Issue(Server, r.names, now)
	if err != nil {
		return nil, err
	}
	r.last = fresh
	return fresh, nil
}
