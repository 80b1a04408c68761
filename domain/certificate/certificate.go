// Package certificate reads and checks what is brought to the Certificate Manager: a
// certificate, its private key and its chain, in PEM.
// https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-prerequisites.html
package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/fault"
)

// Bundle is a certificate with its chain and key.
type Bundle struct {
	Leaf  *x509.Certificate
	Chain []*x509.Certificate // of authorities, the one that signed the leaf first
	Key   crypto.Signer
}

// Read reads a bundle and checks that its parts belong together and are good at the
// time; chain may be empty. What it refuses is a Validation fault.
func Read(leaf, key, chain []byte, now time.Time) (Bundle, error) {
	certificates, err := readCertificates(leaf)
	switch {
	case err != nil || len(certificates) == 0:
		return Bundle{}, refuse("The certificate is not in a valid PEM format.")
	case len(certificates) > 1:
		return Bundle{}, refuse("The certificate field contains more than one certificate. You can specify only one certificate in this field.")
	}
	b := Bundle{Leaf: certificates[0]}
	if b.Chain, err = readCertificates(chain); err != nil || len(chain) > 0 && len(b.Chain) == 0 {
		return Bundle{}, refuse("The certificate chain is not in a valid PEM format.")
	}
	if b.Key, err = readKey(key); err != nil {
		return Bundle{}, err
	}
	return b, b.check(now)
}

func (b *Bundle) check(now time.Time) error {
	switch {
	case Algorithm(b.Leaf) == "":
		return refuse("The key algorithm of the certificate is not supported.").WithHint("use RSA of 1024 to 4096 bits, or an elliptic curve: P-256, P-384 or P-521")
	case !matches(b.Leaf, b.Key):
		return refuse("The private key does not match the certificate.")
	case now.Before(b.Leaf.NotBefore):
		return refuse("The certificate is not valid yet.").WithHint("it is from %s on", b.Leaf.NotBefore.UTC().Format(time.RFC3339))
	case now.After(b.Leaf.NotAfter):
		return refuse("The certificate has expired.").WithHint("it ended at %s", b.Leaf.NotAfter.UTC().Format(time.RFC3339))
	case len(b.Chain) == 0 && !signed(b.Leaf, b.Leaf):
		return refuse("Provided certificate is not a valid self signed. Please provide either a valid self-signed certificate or certificate chain.")
	}
	child := b.Leaf
	for n, parent := range b.Chain {
		if !signed(child, parent) {
			return refuse("Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate is: %d", n)
		}
		child = parent
	}
	return nil
}

// signed tells whether the parent's key signed the child. x509's own CheckSignatureFrom
// would refuse self-signed certificates that are no authorities.
func signed(child, parent *x509.Certificate) bool {
	return string(child.RawIssuer) == string(parent.RawSubject) &&
		parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature) == nil
}

func matches(leaf *x509.Certificate, key crypto.Signer) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(leaf.PublicKey)
}

func readCertificates(text []byte) (all []*x509.Certificate, err error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			if strings.TrimSpace(string(text)) != "" {
				return nil, refuse("something is no PEM")
			}
			return all, nil
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil || block.Type != "CERTIFICATE" {
			return nil, refuse("a block is no certificate")
		}
		all, text = append(all, c), rest
	}
}

func readKey(text []byte) (crypto.Signer, error) {
	block, rest := pem.Decode(text)
	for block != nil && block.Type == "EC PARAMETERS" {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, refuse("The private key is not in a valid PEM format.")
	}
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, refuse("The private key must be unencrypted.").WithHint("openssl pkey -in KEY -out PLAIN removes the passphrase")
	}
	key, err := parseKey(block.Bytes)
	if signer, ok := key.(crypto.Signer); ok && err == nil {
		return signer, nil
	}
	return nil, refuse("The private key is not supported.")
}

// parseKey reads the forms that openssl writes.
func parseKey(der []byte) (any, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return x509.ParsePKCS8PrivateKey(der)
}

// Algorithm is ACM's name of the certificate's kind of key; empty for an unsupported
// one.
func Algorithm(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		switch key.N.BitLen() {
		case 1024:
			return "RSA_1024"
		case 2048:
			return "RSA_2048"
		case 3072:
			return "RSA_3072"
		case 4096:
			return "RSA_4096"
		}
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return "EC_prime256v1"
		case elliptic.P384():
			return "EC_secp384r1"
		case elliptic.P521():
			return "EC_secp521r1"
		}
	}
	return ""
}

// Names are the domain names of a certificate, its common name first.
func Names(c *x509.Certificate) []string {
	var names []string
	if c.Subject.CommonName != "" {
		names = append(names, c.Subject.CommonName)
	}
	for _, name := range c.DNSNames {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// PEM is the certificate, then its chain.
func (b *Bundle) PEM() []byte {
	out := encode(b.Leaf)
	for _, c := range b.Chain {
		out = append(out, encode(c)...)
	}
	return out
}

func encode(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// Split parts what PEM made: the certificate and its chain, which may be empty.
func Split(text []byte) (leaf, chain []byte) {
	_, rest := pem.Decode(text)
	return text[:len(text)-len(rest)], rest
}

// KeyPEM is a private key in PKCS #8.
func KeyPEM(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Leaf is the first certificate of a stored chain.
func Leaf(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, refuse("The certificate is not in a valid PEM format.")
	}
	return x509.ParseCertificate(block.Bytes)
}

func refuse(format string, args ...any) *fault.Fault {
	return fault.New(fault.Validation, format, args...)
}
