package web_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// authority signs certificates of clients.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{}
	a.cert, a.key = issue(t, nil, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(time.Hour),
	})
	return a
}

func issue(t *testing.T, by *authority, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if by == nil {
		by = &authority{c, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// client is a client's certificate that ends at some time.
func (a *authority) client(t *testing.T, serial int64, end time.Time) *tls.Certificate {
	t.Helper()
	c, key := issue(t, a, &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "ada"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: end,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return &tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key}
}

func (a *authority) revoked(t *testing.T, serial int64) []byte {
	t.Helper()
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(serial), RevocationTime: time.Now()}},
	}, a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestMutualTLS has clients show certificates. Proves 4A.1, mutual TLS.
func TestMutualTLS(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	later := time.Now().Add(time.Hour)
	expired := ours.client(t, 4, time.Now().Add(-time.Hour))
	for name, c := range map[string]struct {
		auth   balancer.MutualAuth
		cert   *tls.Certificate
		want   bool
		header string // that the target gets
		value  string
		logged string // end of the connection's line, without its id
	}{
		"trusted":                   {balancer.MutualAuth{Mode: "verify"}, ours.client(t, 255, later), true, "X-Amzn-Mtls-Clientcert-Serial-Number", "FF", "FF Success"},
		"by subject":                {balancer.MutualAuth{Mode: "verify", AdvertiseCANames: "on"}, ours.client(t, 3, later), true, "X-Amzn-Mtls-Clientcert-Subject", "CN=ada", "3 Success"},
		"by issuer":                 {balancer.MutualAuth{Mode: "verify"}, ours.client(t, 3, later), true, "X-Amzn-Mtls-Clientcert-Issuer", "CN=ours", "3 Success"},
		"untrusted":                 {balancer.MutualAuth{Mode: "verify"}, theirs.client(t, 3, later), false, "", "", "3 Failed:ClientCertUntrusted"},
		"none":                      {balancer.MutualAuth{Mode: "verify"}, nil, false, "", "", "\"-\" - - Failed:UnmappedConnectionError"},
		"revoked":                   {balancer.MutualAuth{Mode: "verify"}, ours.client(t, 7, later), false, "", "", "7 Failed:ClientCertCrlHit"},
		"expired":                   {balancer.MutualAuth{Mode: "verify"}, expired, false, "", "", "4 Failed:ClientCertExpired"},
		"expired, and no matter":    {balancer.MutualAuth{Mode: "verify", IgnoreExpiry: true}, expired, true, "X-Amzn-Mtls-Clientcert-Serial-Number", "4", "4 Success"},
		"passed through":            {balancer.MutualAuth{Mode: "passthrough"}, theirs.client(t, 3, later), true, "X-Cert", "-----BEGIN%20CERTIFICATE-----%0A", "3 Success"},
		"none to be passed":         {balancer.MutualAuth{Mode: "passthrough"}, nil, true, "X-Cert", "", "\"-\" - - Success"},
		"not asked for":             {balancer.MutualAuth{Mode: "off"}, ours.client(t, 3, later), true, "X-Amzn-Mtls-Clientcert-Subject", "", "\"-\" - - Success"},
		"an intermediate's missing": {balancer.MutualAuth{Mode: "verify"}, below(t, ours).client(t, 3, later), false, "", "", "3 Failed:ClientCertUntrusted"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan http.Header, 1)
			target := server(t, func(w http.ResponseWriter, r *http.Request) { seen <- r.Header.Clone() })
			s := newStand(t, func(s *stand) {
				s.secure(t, "app.example.com")
				s.pool("a", target)
				s.otherwise(to("a"))
				c.auth.TrustStoreARN = "trust"
				s.listener().Listener.MutualAuth = &c.auth
				s.front().Balancer.Attributes[balancer.ConnectionLogs] = "true"
				s.listener().Listener.Attributes = map[string]string{"routing.http.request.x_amzn_mtls_clientcert.header_name": "X-Cert"}
				s.snap.TrustStores = []balancer.TrustStore{{ARN: "trust", Bundle: ours.pem(), Revocations: []balancer.Revocation{{ID: 1, List: ours.revoked(t, 7)}}}}
			})
			client := s.secureClient(t)
			if c.cert != nil {
				client.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.cert, nil }
			}
			r, err := http.NewRequest(http.MethodGet, "https://app.example.com/", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Cert", "made up")
			r.Header.Set("X-Amzn-Mtls-Clientcert-Subject", "CN=eve")
			answer, err := client.Do(r)
			s.greeted(t, c.logged)
			if (err == nil) != c.want {
				t.Fatalf("%v", err)
			}
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			if got := (<-seen).Get(c.header); got != c.value && (c.value == "" || !strings.HasPrefix(got, c.value)) {
				t.Errorf("%s is %q", c.header, got)
			}
		})
	}
}

// greeted waits for the line of the one connection there was: how it ended in TLS, and
// that it has the form of AWS's.
func (s *stand) greeted(t *testing.T, end string) {
	t.Helper()
	tick, over := time.NewTicker(time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for {
		s.mu.Lock()
		all := slices.Clone(s.greetings)
		s.mu.Unlock()
		if len(all) > 0 {
			if want := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z 127\.0\.0\.1 \d+ 443 (TLSv1\.3 TLS_\w+ \d+\.\d{3}|- - -) ("-" - -|"CN=ada" NotBefore=\S+Z;NotAfter=\S+Z \w+) \S+ TID_[0-9a-f]{32}$`); !want.MatchString(all[0]) {
				t.Errorf("the line is %s", all[0])
			}
			if before, _, _ := strings.Cut(all[0], " TID_"); !strings.HasSuffix(before, end) {
				t.Errorf("the line is %s, want %s", all[0], end)
			}
			return
		}
		select {
		case <-tick.C:
		case <-over:
			t.Fatal("no line")
		}
	}
}

// below is an authority that another one made.
func below(t *testing.T, a *authority) *authority {
	t.Helper()
	b := &authority{}
	b.cert, b.key = issue(t, a, &x509.Certificate{
		SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: "below"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	})
	return b
}

// TestWhoDoesNotAgree is counted.
func TestWhoDoesNotAgree(t *testing.T) {
	s := newStand(t, func(s *stand) { s.secure(t, "app.example.com"); s.otherwise(says(200, "")) })
	c, in := s.connect(t, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	_, _ = io.Copy(io.Discard, in) // until the balancer ends it
	c.Close()
	tick, end := time.NewTicker(10*time.Millisecond), time.After(10*time.Second)
	defer tick.Stop()
	for {
		for _, n := range s.Counts(time.Now()) {
			if n.Name == "ClientTLSNegotiationErrorCount" && n.Set.Sum == 1 {
				return
			}
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("it is not counted")
		}
	}
}
