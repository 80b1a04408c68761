package balancer

import "slices"

// SSLPolicy is a predefined security policy of TLS listeners.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
type SSLPolicy struct {
	Name      string
	Protocols []string // TLSv1.3, TLSv1.2, TLSv1.1, TLSv1
	Ciphers   []string // OpenSSL's names, the preferred first
}

// DefaultSSLPolicy is the policy of a listener whose maker names none.
const DefaultSSLPolicy = "ELBSecurityPolicy-2016-08"

// Groups of ciphers that the policies are made of.
var (
	tls13    = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
	ecdheGCM = []string{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"}
	ecdhe256 = []string{"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"}
	cbc128   = []string{"ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256"}
	cbc256   = []string{"ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384"}
	sha128   = []string{"ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA"}
	shaOf256 = []string{"ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA"}
	rsa      = []string{"AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256"}
	rsaSHA   = []string{"AES128-SHA", "AES256-SHA"}
)

// SSLPolicies are all that there are. Names of FIPS policies say which ciphers they
// have; the module that runs them is berth's own.
func SSLPolicies() []SSLPolicy {
	v13, v1312 := []string{"TLSv1.3"}, []string{"TLSv1.3", "TLSv1.2"}
	v1311, v1310 := []string{"TLSv1.3", "TLSv1.2", "TLSv1.1"}, []string{"TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"}
	v12, v11, v10 := v1312[1:], v1311[1:], v1310[1:]
	of := slices.Concat[[]string]
	gcm, cbc, sha := of(ecdheGCM, ecdhe256), of(cbc128, cbc256), of(sha128, shaOf256)
	all := of(ecdheGCM, cbc128, sha128, ecdhe256, cbc256, shaOf256)
	classic := of(all, []string{"AES128-GCM-SHA256", "AES128-SHA256", "AES128-SHA", "AES256-GCM-SHA384", "AES256-SHA256", "AES256-SHA"})
	return []SSLPolicy{
		{DefaultSSLPolicy, v10, classic},
		{"ELBSecurityPolicy-TLS-1-2-2017-01", v12, of(ecdheGCM, cbc128, ecdhe256, cbc256, rsa)},
		{"ELBSecurityPolicy-TLS-1-1-2017-01", v11, classic},
		{"ELBSecurityPolicy-2015-05", v10, classic},
		{"ELBSecurityPolicy-TLS-1-2-Ext-2018-06", v12, classic},
		{"ELBSecurityPolicy-FS-2018-06", v10, all},
		{"ELBSecurityPolicy-FS-1-1-2019-08", v11, all},
		{"ELBSecurityPolicy-FS-1-2-2019-08", v12, all},
		{"ELBSecurityPolicy-FS-1-2-Res-2019-08", v12, of(ecdheGCM, cbc128, ecdhe256, cbc256)},
		{"ELBSecurityPolicy-FS-1-2-Res-2020-10", v12, gcm},
		{"ELBSecurityPolicy-TLS13-1-3-2021-06", v13, tls13},
		{"ELBSecurityPolicy-TLS13-1-2-2021-06", v1312, of(tls13, ecdheGCM, cbc128, ecdhe256, cbc256)},
		{"ELBSecurityPolicy-TLS13-1-2-Res-2021-06", v1312, of(tls13, gcm)},
		{"ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", v1312, of(tls13, ecdheGCM, cbc128, ecdhe256, cbc256, rsa)},
		{"ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", v1312, of(tls13, gcm, cbc, sha, rsa, rsaSHA)},
		{"ELBSecurityPolicy-TLS13-1-1-2021-06", v1311, of(tls13, classic)},
		{"ELBSecurityPolicy-TLS13-1-0-2021-06", v1310, of(tls13, classic)},
		{"ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04", v13, tls13[:2]},
		{"ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04", v1312, of(tls13[:2], ecdheGCM, cbc128, ecdhe256, cbc256)},
		{"ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04", v1312, of(tls13[:2], gcm)},
		{"ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-2023-04", v1312, of(tls13[:2], all)},
		{"ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-2023-04", v1312, of(tls13[:2], ecdheGCM, cbc128, ecdhe256, cbc256, rsa)},
		{"ELBSecurityPolicy-TLS13-1-2-Ext2-FIPS-2023-04", v1312, of(tls13[:2], classic)},
		{"ELBSecurityPolicy-TLS13-1-1-FIPS-2023-04", v1311, of(tls13[:2], classic)},
		{"ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04", v1310, of(tls13[:2], classic)},
	}
}

// FindSSLPolicy finds a policy by its name.
func FindSSLPolicy(name string) (SSLPolicy, bool) {
	for _, p := range SSLPolicies() {
		if p.Name == name {
			return p, true
		}
	}
	return SSLPolicy{}, false
}

// Negotiation is how a secure listener of the balancer speaks TLS.
func (b *Balancer) Negotiation(l *Listener) SSLPolicy {
	if b.Kind == Classic {
		return b.Classic.Negotiation(l)
	}
	p, ok := FindSSLPolicy(l.SSLPolicy)
	if !ok {
		p, _ = FindSSLPolicy(DefaultSSLPolicy)
	}
	return p
}
