package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"
)

// DomainLife is how long certificates of users' domains hold: ACM's 13 months.
const DomainLife = 395 * 24 * time.Hour

// Certify makes a key of the kind that ACM calls by the name, and a certificate of the
// domains for it. chain has the certificate and the authority's, key is PKCS #8; both
// are PEM. Users' domains have an authority of their own: who may ask for certificates
// must not get one that agents or peers take for a server's.
func (a *Authority) Certify(domains []string, algorithm string, now time.Time) (chain, key []byte, err error) {
	private, err := newKey(algorithm)
	if err != nil {
		return nil, nil, err
	}
	template, err := a.template(Server, domains, now)
	if err != nil {
		return nil, nil, err
	}
	template.NotAfter = now.Add(DomainLife)
	template.Subject.Organization = nil
	if len(template.Subject.CommonName) > 64 { // X.520's bound; the name is an alternative one as well
		template.Subject.CommonName = ""
	}
	if algorithm == "RSA_2048" {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, private.Public(), a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("issuing a certificate for %v: %w", domains, err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return append(encodeCertificate(der), a.PEM()...), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}

func newKey(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "RSA_2048":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "EC_prime256v1":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EC_secp384r1":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	return nil, fmt.Errorf("no certificates are issued with keys of the kind %s", algorithm)
}
