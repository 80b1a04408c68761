// Package ssl puts the security policies of listeners in the words of Go's TLS.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
package ssl

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/balancer"
)

// Front is a configuration that speaks TLS with clients as a policy has it.
func Front(p balancer.SSLPolicy) *tls.Config {
	oldest, newest := Versions(p)
	return &tls.Config{MinVersion: oldest, MaxVersion: newest, CipherSuites: Suites(p)}
}

// Back is a configuration that speaks TLS with targets. Their certificates are not
// verified, as on AWS; but where keys are named, theirs must be one of them.
func Back(keys []string) *tls.Config {
	c := &tls.Config{InsecureSkipVerify: true}
	if len(keys) > 0 {
		c.VerifyConnection = func(s tls.ConnectionState) error {
			if have := base64.StdEncoding.EncodeToString(s.PeerCertificates[0].RawSubjectPublicKeyInfo); !slices.Contains(keys, have) {
				return errStranger
			}
			return nil
		}
	}
	return c
}

var errStranger = errors.New("the target's public key is none of those that the policy names")

// Versions are the oldest and the newest TLS of a policy.
func Versions(p balancer.SSLPolicy) (oldest, newest uint16) {
	known := map[string]uint16{"TLSv1": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}
	for _, name := range p.Protocols {
		v := known[name]
		if oldest == 0 || v < oldest {
			oldest = v
		}
		newest = max(newest, v)
	}
	return oldest, newest
}

// Suites are those of a policy that Go has, not nil where there is none; TLS 1.3's are
// not for choosing.
func Suites(p balancer.SSLPolicy) []uint16 {
	ids := []uint16{}
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if slices.Contains(p.Ciphers, openSSLName(s.Name)) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// SuiteName is a cipher suite's name in OpenSSL's way, which AWS uses.
func SuiteName(id uint16) string { return openSSLName(tls.CipherSuiteName(id)) }

// VersionName is a TLS version as AWS writes it: TLSv1.2.
func VersionName(v uint16) string { return strings.ReplaceAll(tls.VersionName(v), "TLS ", "TLSv") }

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
