package join

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// PinnedTLS trusts the server at host when its chain carries the certificate
// authority with the pin, and that authority signed for the host.
func PinnedTLS(host string, pin Pin) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		ServerName: host,
		// The usual check needs the authority beforehand; ours, which follows,
		// takes it from the chain and proves it by the pin.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			return verifyPinned(s.PeerCertificates, host, pin)
		},
	}
}

func verifyPinned(chain []*x509.Certificate, host string, pin Pin) error {
	for _, candidate := range chain {
		if PinOf(candidate.Raw) != pin || !candidate.IsCA {
			continue
		}
		roots := x509.NewCertPool()
		roots.AddCert(candidate)
		if _, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			return fmt.Errorf("the server's certificate does not hold for %s: %w", host, err)
		}
		return nil
	}
	return errors.New("the server's certificate authority is not the one this join token was made for; make a token on that server")
}

// AuthorityTLS trusts servers whose certificates the authority (PEM) signed.
func AuthorityTLS(authority []byte) (*tls.Config, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, errors.New("the certificate authority is not in PEM form")
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, nil
}

func checkPEM(authority []byte, pin Pin) error {
	block, _ := pem.Decode(authority)
	if block == nil || PinOf(block.Bytes) != pin {
		return errors.New("the server sent another certificate authority than the join token's")
	}
	return nil
}
