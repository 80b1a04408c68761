package certificate

import (
	"crypto/x509"
	"fmt"
	"strings"
)

// Serial is the serial number as ACM writes it: octets with colons.
func Serial(c *x509.Certificate) string {
	octets := c.SerialNumber.Bytes()
	words := make([]string, len(octets))
	for i, b := range octets {
		words[i] = fmt.Sprintf("%02x", b)
	}
	return strings.Join(words, ":")
}

// SignatureAlgorithm is how it was signed, as ACM names it: SHA256WITHRSA.
func SignatureAlgorithm(c *x509.Certificate) string {
	name := c.SignatureAlgorithm.String() // SHA256-RSA, ECDSA-SHA256
	if hash, ok := strings.CutPrefix(name, "ECDSA-"); ok {
		return hash + "WITHECDSA"
	}
	hash, _, _ := strings.Cut(name, "-RSA")
	return hash + "WITHRSA"
}

// Usages are the key usages in ACM's words.
func Usages(c *x509.Certificate) (names []string) {
	for _, u := range []struct {
		bit  x509.KeyUsage
		name string
	}{
		{x509.KeyUsageDigitalSignature, "DIGITAL_SIGNATURE"}, {x509.KeyUsageContentCommitment, "NON_REPUDIATION"},
		{x509.KeyUsageKeyEncipherment, "KEY_ENCIPHERMENT"}, {x509.KeyUsageDataEncipherment, "DATA_ENCIPHERMENT"},
		{x509.KeyUsageKeyAgreement, "KEY_AGREEMENT"}, {x509.KeyUsageCertSign, "CERTIFICATE_SIGNING"},
		{x509.KeyUsageCRLSign, "CRL_SIGNING"}, {x509.KeyUsageEncipherOnly, "ENCIPHER_ONLY"}, {x509.KeyUsageDecipherOnly, "DECIPHER_ONLY"},
	} {
		if c.KeyUsage&u.bit != 0 {
			names = append(names, u.name)
		}
	}
	return names
}

// Purpose is an extended key usage in ACM's words.
type Purpose struct{ Name, OID string }

// Purposes are the extended key usages.
func Purposes(c *x509.Certificate) (all []Purpose) {
	for _, u := range c.ExtKeyUsage {
		all = append(all, purposeOf(u))
	}
	for _, oid := range c.UnknownExtKeyUsage {
		all = append(all, Purpose{"CUSTOM", oid.String()})
	}
	return all
}

func purposeOf(u x509.ExtKeyUsage) Purpose {
	switch u {
	case x509.ExtKeyUsageServerAuth:
		return Purpose{"TLS_WEB_SERVER_AUTHENTICATION", "1.3.6.1.5.5.7.3.1"}
	case x509.ExtKeyUsageClientAuth:
		return Purpose{"TLS_WEB_CLIENT_AUTHENTICATION", "1.3.6.1.5.5.7.3.2"}
	case x509.ExtKeyUsageCodeSigning:
		return Purpose{"CODE_SIGNING", "1.3.6.1.5.5.7.3.3"}
	case x509.ExtKeyUsageEmailProtection:
		return Purpose{"EMAIL_PROTECTION", "1.3.6.1.5.5.7.3.4"}
	case x509.ExtKeyUsageIPSECEndSystem:
		return Purpose{"IPSEC_END_SYSTEM", "1.3.6.1.5.5.7.3.5"}
	case x509.ExtKeyUsageIPSECTunnel:
		return Purpose{"IPSEC_TUNNEL", "1.3.6.1.5.5.7.3.6"}
	case x509.ExtKeyUsageIPSECUser:
		return Purpose{"IPSEC_USER", "1.3.6.1.5.5.7.3.7"}
	case x509.ExtKeyUsageTimeStamping:
		return Purpose{"TIME_STAMPING", "1.3.6.1.5.5.7.3.8"}
	case x509.ExtKeyUsageOCSPSigning:
		return Purpose{"OCSP_SIGNING", "1.3.6.1.5.5.7.3.9"}
	case x509.ExtKeyUsageAny:
		return Purpose{"ANY", "2.5.29.37.0"}
	}
	return Purpose{"CUSTOM", ""}
}
