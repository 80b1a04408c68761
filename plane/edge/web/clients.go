package web

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/berthhq/berth/plane/edge/ssl"
	"github.com/berthhq/berth/plane/edge/web/wire"
)

var errRevoked = errors.New("the client's certificate was revoked")

// verify tells whether a trust store trusts a client's certificate.
func verify(chain []*x509.Certificate, trusted *x509.CertPool, revoked map[string]bool, ignoreExpiry bool, now time.Time) error {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	leaf := chain[0]
	if ignoreExpiry && now.After(leaf.NotAfter) {
		now = leaf.NotAfter
	}
	for _, c := range chain {
		if revoked[serialOf(c.RawIssuer, c.SerialNumber.String())] {
			return errRevoked
		}
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: trusted, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

func serialOf(issuer []byte, number string) string { return string(issuer) + " " + number }

// readRevoked adds what a revocation list names. Lists that cannot be read were refused
// when they were uploaded.
func readRevoked(list []byte, revoked map[string]bool) {
	if block, _ := pem.Decode(list); block != nil {
		list = block.Bytes
	}
	crl, err := x509.ParseRevocationList(list)
	if err != nil {
		return
	}
	for _, r := range crl.RevokedCertificateEntries {
		revoked[serialOf(crl.RawIssuer, r.SerialNumber.String())] = true
	}
}

// identify tells targets how the client's connection is secured, and who the client is.
// What clients themselves say of it never reaches them.
func (x *exchange) identify() {
	state := x.conn.tls
	if state == nil {
		return
	}
	h := &x.out.fields
	if x.l.tlsHeaders {
		h.Set(x.l.RequestHeader("x_amzn_tls_version"), ssl.VersionName(state.Version))
		h.Set(x.l.RequestHeader("x_amzn_tls_cipher_suite"), ssl.SuiteName(state.CipherSuite))
	}
	m := x.l.MutualAuth
	if m == nil || m.Mode == "off" {
		return
	}
	for _, middle := range ofCertificates { // under the names that the listener gave them
		h.Del(x.l.RequestHeader(middle))
	}
	if len(state.PeerCertificates) > 0 {
		x.introduce(h, m.Mode, state)
	}
}

// ofCertificates are the middles of the attributes that name the headers for clients'
// certificates.
var ofCertificates = [...]string{ // never changed
	"x_amzn_mtls_clientcert", "x_amzn_mtls_clientcert_serial_number", "x_amzn_mtls_clientcert_issuer", "x_amzn_mtls_clientcert_subject",
	"x_amzn_mtls_clientcert_validity", "x_amzn_mtls_clientcert_leaf",
}

func (x *exchange) introduce(h *wire.Fields, mode string, state *tls.ConnectionState) {
	set := func(middle, value string) { h.Set(x.l.RequestHeader(middle), value) }
	leaf := state.PeerCertificates[0]
	if mode == "passthrough" {
		var chain strings.Builder
		for _, c := range state.PeerCertificates {
			chain.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
		}
		set("x_amzn_mtls_clientcert", safe(chain.String()))
		return
	}
	set("x_amzn_mtls_clientcert_serial_number", strings.ToUpper(leaf.SerialNumber.Text(16)))
	set("x_amzn_mtls_clientcert_issuer", leaf.Issuer.String())
	set("x_amzn_mtls_clientcert_subject", leaf.Subject.String())
	set("x_amzn_mtls_clientcert_validity", "NotBefore="+leaf.NotBefore.UTC().Format(time.RFC3339)+";NotAfter="+leaf.NotAfter.UTC().Format(time.RFC3339))
	set("x_amzn_mtls_clientcert_leaf", safe(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}))))
}

// safe escapes all of a PEM but the characters that AWS leaves: "+=/".
func safe(s string) string {
	return strings.NewReplacer("%2B", "+", "%3D", "=", "%2F", "/", "+", "%20").Replace(url.QueryEscape(s))
}
