package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/berthhq/berth/protocol/join"
	"github.com/berthhq/berth/protocol/keyfile"
)

const (
	// keyFile has the private key and the certificate, mode 0600. One file, so
	// that a crash never leaves half an authority.
	keyFile = "authority.pem"
	// CertificateFile has the certificate alone, for SSL_CERT_FILE and people.
	CertificateFile = "authority.crt"

	authorityLife = 20 * 365 * 24 * time.Hour // agents keep its pin
	backdate      = time.Hour                 // for clocks that run behind ours
)

// Authority signs certificates.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Open reads the authority in dir, and makes it when there is none.
func Open(dir string, now time.Time) (*Authority, error) {
	path := filepath.Join(dir, keyFile)
	a, err := read(path, now)
	if err != nil {
		return nil, fmt.Errorf("the certificate authority in %s: %w", dir, err)
	}
	if err := os.WriteFile(filepath.Join(dir, CertificateFile), a.PEM(), 0o644); err != nil {
		return nil, fmt.Errorf("the certificate authority in %s: %w", dir, err)
	}
	return a, nil
}

// Pin is what join tokens carry.
func (a *Authority) Pin() join.Pin { return join.PinOf(a.certificate.Raw) }

// PEM is the authority's certificate.
func (a *Authority) PEM() []byte { return encodeCertificate(a.certificate.Raw) }

func read(path string, now time.Time) (*Authority, error) {
	certificate, private, err := readPair(path, func() ([]byte, error) { return create(now) })
	if err != nil {
		return nil, err
	}
	a := &Authority{certificate: certificate}
	if a.key, err = x509.ParseECPrivateKey(private); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if !a.key.PublicKey.Equal(a.certificate.PublicKey) {
		return nil, fmt.Errorf("%s is damaged: its key is not its certificate's", path)
	}
	return a, nil
}

// readPair reads a file with a certificate and a private key, in DER, and makes it
// with what fresh gives when there is none.
func readPair(path string, fresh func() ([]byte, error)) (*x509.Certificate, []byte, error) {
	text, err := keyfile.ReadOrMake(path, fresh)
	if err != nil {
		return nil, nil, err
	}
	first, rest := pem.Decode(text)
	private, _ := pem.Decode(rest)
	if first == nil || private == nil {
		return nil, nil, fmt.Errorf("%s is damaged: restore it, or remove it and join all agents again", path)
	}
	certificate, err := x509.ParseCertificate(first.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return certificate, private.Bytes, nil
}

// create makes a new authority: its certificate and key, in PEM.
func create(now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{"berth"}, CommonName: "berth authority " + serial.Text(16)[:8]},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(encodeCertificate(certificate), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})...), nil
}

func serialNumber() (*big.Int, error) {
	// 2^126 plus 126 random bits: always 127 bits long and positive, as RFC 5280 asks.
	base := new(big.Int).Lsh(big.NewInt(1), 126)
	n, err := rand.Int(rand.Reader, base)
	if err != nil {
		return nil, err
	}
	return n.Add(n, base), nil
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
