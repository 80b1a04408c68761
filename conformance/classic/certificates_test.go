package classic_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/store"
)

// pair is a certificate with its key.
type pair struct {
	cert     *x509.Certificate
	key      crypto.Signer
	pem, raw []byte // the certificate and the key
}

// signed makes a certificate; the parent is nil for a self-signed one.
func signed(t testing.TB, name string, curve elliptic.Curve, from, to time.Time, parent *pair) *pair {
	t.Helper()
	key := done[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(curve, rand.Reader))
	serial := done[*big.Int](t)(rand.Int(rand.Reader, big.NewInt(1<<62)))
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{"Acme"}}, NotBefore: from, NotAfter: to, DNSNames: []string{name, "www." + name},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	by := &pair{cert: template, key: key}
	if parent != nil {
		by = parent
	}
	der := done[[]byte](t)(x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key))
	return &pair{
		cert: done[*x509.Certificate](t)(x509.ParseCertificate(der)), key: key,
		pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		raw: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: done[[]byte](t)(x509.MarshalECPrivateKey(key))}),
	}
}

func fresh(t testing.TB, name string, parent *pair) *pair {
	return signed(t, name, elliptic.P256(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour), parent)
}

func (h *house) imported(p *pair) string {
	h.t.Helper()
	return *done[*acm.ImportCertificateOutput](h.t)(h.certificates.ImportCertificate(background, &acm.ImportCertificateInput{Certificate: p.pem, PrivateKey: p.raw})).CertificateArn
}

func (h *house) described(arn string) *types.CertificateDetail {
	h.t.Helper()
	return done[*acm.DescribeCertificateOutput](h.t)(h.certificates.DescribeCertificate(background, &acm.DescribeCertificateInput{CertificateArn: &arn})).Certificate
}

// listen has a listener serve certificates, as elbv2's records say it.
func (h *house) listen(certificates ...string) {
	h.Put(h.t, func(tx *store.Tx) {
		store.Listeners.Put(tx, &balancer.Listener{Scope: gatewaytest.Scope, ARN: "arn:listener", BalancerARN: "arn:balancer", Certificates: certificates})
	})
}

func TestImportGivesBackWhatCame(t *testing.T) {
	h := open(t)
	root := fresh(t, "root.test", nil)
	middle := fresh(t, "middle.test", root)
	leaf := fresh(t, "a.test", middle)
	chain := append(append([]byte{}, middle.pem...), root.pem...)
	made := done[*acm.ImportCertificateOutput](t)(h.certificates.ImportCertificate(background, &acm.ImportCertificateInput{
		Certificate: leaf.pem, PrivateKey: leaf.raw, CertificateChain: chain, Tags: []types.Tag{{Key: new("a"), Value: new("b")}},
	}))
	got := done[*acm.GetCertificateOutput](t)(h.certificates.GetCertificate(background, &acm.GetCertificateInput{CertificateArn: made.CertificateArn}))
	equal(t, "certificate", *got.Certificate, string(leaf.pem))
	equal(t, "chain", *got.CertificateChain, string(chain))
	d := h.described(*made.CertificateArn)
	equal(t, "domain and names", *d.DomainName+" "+strings.Join(d.SubjectAlternativeNames, " "), "a.test a.test www.a.test")
	equal(t, "type", d.Type, types.CertificateTypeImported)
	equal(t, "status", d.Status, types.CertificateStatusIssued)
	equal(t, "key", d.KeyAlgorithm, types.KeyAlgorithmEcPrime256v1)
	equal(t, "issuer", *d.Issuer, "Acme")
	equal(t, "signature", *d.SignatureAlgorithm, "SHA256WITHECDSA")
	equal(t, "purpose", d.ExtendedKeyUsages[0].Name, types.ExtendedKeyUsageNameTlsWebServerAuthentication)
	tags := done[*acm.ListTagsForCertificateOutput](t)(h.certificates.ListTagsForCertificate(background, &acm.ListTagsForCertificateInput{CertificateArn: made.CertificateArn}))
	equal(t, "tag", *tags.Tags[0].Key+*tags.Tags[0].Value, "ab")
	kept, _ := store.Certificates.Get(h.Store.View(), *made.CertificateArn)
	if strings.Contains(string(kept.Key), "PRIVATE") {
		t.Error("the store has the key in the clear")
	}
	snapshot := balancer.Snapshot{Certificates: []balancer.Certificate{*kept}}
	h.keyring.Unseal(h.Store.View(), &snapshot)
	if _, err := tls.X509KeyPair(snapshot.Certificates[0].Chain, snapshot.Certificates[0].Key); err != nil {
		t.Errorf("what an edge gets is no key pair: %v", err)
	}
	without := h.imported(fresh(t, "self.test", nil))
	if got := done[*acm.GetCertificateOutput](t)(h.certificates.GetCertificate(background, &acm.GetCertificateInput{CertificateArn: &without})); got.CertificateChain != nil {
		t.Error("a chain from nowhere")
	}
}

func TestImportRefuses(t *testing.T) {
	h := open(t)
	root, other := fresh(t, "root.test", nil), fresh(t, "other.test", nil)
	leaf, now := fresh(t, "a.test", root), time.Now()
	old := signed(t, "old.test", elliptic.P256(), now.Add(-2*time.Hour), now.Add(-time.Hour), nil)
	early := signed(t, "early.test", elliptic.P256(), now.Add(time.Hour), now.Add(2*time.Hour), nil)
	odd := signed(t, "odd.test", elliptic.P224(), now.Add(-time.Hour), now.Add(time.Hour), nil)
	for name, c := range map[string]struct {
		cert, key, chain []byte
		words            string
	}{
		"no PEM":          {[]byte("x"), leaf.raw, nil, "The certificate is not in a valid PEM format."},
		"two":             {append(append([]byte{}, leaf.pem...), root.pem...), leaf.raw, nil, "contains more than one certificate"},
		"another's key":   {root.pem, leaf.raw, nil, "does not match"},
		"no key":          {root.pem, root.pem, nil, "The private key is not supported."},
		"encrypted key":   {root.pem, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"), nil, "must be unencrypted"},
		"over":            {old.pem, old.raw, nil, "has expired"},
		"not yet":         {early.pem, early.raw, nil, "not valid yet"},
		"unknown curve":   {odd.pem, odd.raw, nil, "not supported"},
		"no chain":        {leaf.pem, leaf.raw, nil, "Provided certificate is not a valid self signed."},
		"another's chain": {leaf.pem, leaf.raw, append(append([]byte{}, root.pem...), other.pem...), "The index within the chain of the invalid certificate is: 1"},
		"chain no PEM":    {leaf.pem, leaf.raw, []byte("x"), "The certificate chain is not in a valid PEM format."},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.certificates.ImportCertificate(background, &acm.ImportCertificateInput{Certificate: c.cert, PrivateKey: c.key, CertificateChain: c.chain})
			refused(t, err, "ValidationException", c.words)
		})
	}
}

func TestImportAgainKeepsTheARN(t *testing.T) {
	h := open(t)
	arn, next := h.imported(fresh(t, "a.test", nil)), fresh(t, "b.test", nil)
	h.listen(arn)
	in := &acm.ImportCertificateInput{CertificateArn: &arn, Certificate: next.pem, PrivateKey: next.raw}
	equal(t, "arn", *done[*acm.ImportCertificateOutput](t)(h.certificates.ImportCertificate(background, in)).CertificateArn, arn)
	d := h.described(arn)
	equal(t, "domain", *d.DomainName, "b.test")
	equal(t, "user", d.InUseBy[0], "arn:balancer")
	in.Tags = []types.Tag{{Key: new("a")}}
	_, err := h.certificates.ImportCertificate(background, in)
	refused(t, err, "ValidationException", "Tags cannot be applied")
	bigger := signed(t, "b.test", elliptic.P384(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour), nil)
	_, err = h.certificates.ImportCertificate(background, &acm.ImportCertificateInput{CertificateArn: &arn, Certificate: bigger.pem, PrivateKey: bigger.raw})
	refused(t, err, "ValidationException", "cannot change")
	nobodys := arn[:len(arn)-4] + "0000"
	_, err = h.certificates.ImportCertificate(background, &acm.ImportCertificateInput{CertificateArn: &nobodys, Certificate: next.pem, PrivateKey: next.raw})
	refused(t, err, "ResourceNotFoundException", nobodys)
}

func TestRequestsAreIssuedAtOnce(t *testing.T) {
	h := open(t)
	in := &acm.RequestCertificateInput{
		DomainName: new("a.test"), SubjectAlternativeNames: []string{"*.a.test", "b.test"}, ValidationMethod: types.ValidationMethodDns,
		IdempotencyToken: new("once"), KeyAlgorithm: types.KeyAlgorithmEcPrime256v1,
	}
	arn := *done[*acm.RequestCertificateOutput](t)(h.certificates.RequestCertificate(background, in)).CertificateArn
	equal(t, "again", *done[*acm.RequestCertificateOutput](t)(h.certificates.RequestCertificate(background, in)).CertificateArn, arn)
	d := h.described(arn)
	equal(t, "status", d.Status, types.CertificateStatusIssued)
	equal(t, "type", d.Type, types.CertificateTypeAmazonIssued)
	equal(t, "names", strings.Join(d.SubjectAlternativeNames, " "), "a.test *.a.test b.test")
	equal(t, "validations", len(d.DomainValidationOptions), 3)
	first, wildcard := d.DomainValidationOptions[0], d.DomainValidationOptions[1]
	equal(t, "validated", first.ValidationStatus, types.DomainStatusSuccess)
	equal(t, "the wildcard's record", *wildcard.ResourceRecord.Name, *first.ResourceRecord.Name)
	if !strings.HasSuffix(*first.ResourceRecord.Name, ".a.test.") || !strings.HasSuffix(*first.ResourceRecord.Value, ".acm-validations.aws.") {
		t.Errorf("record %s %s", *first.ResourceRecord.Name, *first.ResourceRecord.Value)
	}
	got := done[*acm.GetCertificateOutput](t)(h.certificates.GetCertificate(background, &acm.GetCertificateInput{CertificateArn: &arn}))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(*got.CertificateChain))
	block, _ := pem.Decode([]byte(*got.Certificate))
	leaf := done[*x509.Certificate](t)(x509.ParseCertificate(block.Bytes))
	for _, name := range []string{"a.test", "x.a.test", "b.test"} {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := h.certificates.RequestCertificate(background, &acm.RequestCertificateInput{DomainName: new("a.test"), CertificateAuthorityArn: new("arn:aws:acm-pca:eu-central-1:123456789012:certificate-authority/x")})
	refused(t, err, "InvalidArnException", "does not exist")
	_, err = h.certificates.RequestCertificate(background, &acm.RequestCertificateInput{DomainName: new("a.test"), DomainValidationOptions: []types.DomainValidationOption{{DomainName: new("a.test"), ValidationDomain: new("b.test")}}})
	refused(t, err, "InvalidDomainValidationOptionsException", "a.test")
	_, err = h.certificates.ResendValidationEmail(background, &acm.ResendValidationEmailInput{CertificateArn: &arn, Domain: new("a.test"), ValidationDomain: new("a.test")})
	refused(t, err, "InvalidStateException", "not pending")
}

func TestListOfCertificates(t *testing.T) {
	h := open(t)
	var arns []string
	for _, name := range []string{"a.test", "b.test", "c.test"} {
		arns = append(arns, *done[*acm.RequestCertificateOutput](t)(h.certificates.RequestCertificate(background, &acm.RequestCertificateInput{DomainName: &name})).CertificateArn)
	}
	curve := h.imported(fresh(t, "d.test", nil))
	list := func(in *acm.ListCertificatesInput) (got []string) {
		for p := acm.NewListCertificatesPaginator(h.certificates, in); p.HasMorePages(); {
			for _, c := range done[*acm.ListCertificatesOutput](t)(p.NextPage(background)).CertificateSummaryList {
				got = append(got, *c.CertificateArn)
			}
		}
		return got
	}
	equal(t, "RSA alone, as AWS does", strings.Join(list(&acm.ListCertificatesInput{MaxItems: new(int32(1))}), " "), strings.Join(arns, " "))
	equal(t, "curves", strings.Join(list(&acm.ListCertificatesInput{Includes: &types.Filters{KeyTypes: []types.KeyAlgorithm{types.KeyAlgorithmEcPrime256v1}}}), " "), curve)
	equal(t, "newest first", list(&acm.ListCertificatesInput{MaxItems: new(int32(2)), SortBy: types.SortByCreatedAt, SortOrder: types.SortOrderDescending})[0], arns[2])
	equal(t, "expired", len(list(&acm.ListCertificatesInput{CertificateStatuses: []types.CertificateStatus{types.CertificateStatusExpired}})), 0)
	equal(t, "usage", len(list(&acm.ListCertificatesInput{Includes: &types.Filters{ExtendedKeyUsage: []types.ExtendedKeyUsageName{types.ExtendedKeyUsageNameCodeSigning}}})), 0)
	_, err := h.certificates.ListCertificates(background, &acm.ListCertificatesInput{SortBy: types.SortByCreatedAt})
	refused(t, err, "ValidationException", "together")
}

func TestWhatIsServedStays(t *testing.T) {
	h := open(t)
	arn := h.imported(fresh(t, "a.test", nil))
	h.listen(arn)
	_, err := h.certificates.DeleteCertificate(background, &acm.DeleteCertificateInput{CertificateArn: &arn})
	refused(t, err, "ResourceInUseException", "is in use")
	h.listen()
	done[*acm.DeleteCertificateOutput](t)(h.certificates.DeleteCertificate(background, &acm.DeleteCertificateInput{CertificateArn: &arn}))
	_, err = h.certificates.DescribeCertificate(background, &acm.DescribeCertificateInput{CertificateArn: &arn})
	refused(t, err, "ResourceNotFoundException", arn)
	_, err = h.certificates.DescribeCertificate(background, &acm.DescribeCertificateInput{CertificateArn: new("arn:aws:iam::123456789012:server-certificate/x")})
	refused(t, err, "ValidationException", "") // of the model
}

func TestServedCertificatesAreRenewed(t *testing.T) {
	h := open(t)
	arn := *done[*acm.RequestCertificateOutput](t)(h.certificates.RequestCertificate(background, &acm.RequestCertificateInput{DomainName: new("a.test")})).CertificateArn
	h.listen(arn)
	before := h.described(arn)
	equal(t, "eligible", before.RenewalEligibility, types.RenewalEligibilityEligible)
	renew := func(ahead time.Duration) string {
		if err := h.api.Renew(background, time.Now().Add(ahead)); err != nil {
			t.Fatal(err)
		}
		return *h.described(arn).Serial
	}
	equal(t, "serial after a day", renew(24*time.Hour), *before.Serial)
	if renew(340*24*time.Hour) == *before.Serial {
		t.Error("it ends soon and is not renewed")
	}
	equal(t, "renewal", h.described(arn).RenewalSummary.RenewalStatus, types.RenewalStatusSuccess)
}

func TestExportsOpenWithTheirPassphrase(t *testing.T) {
	h := open(t)
	in := &acm.RequestCertificateInput{DomainName: new("a.test"), Options: &types.CertificateOptions{Export: types.CertificateExportEnabled}}
	arn := *done[*acm.RequestCertificateOutput](t)(h.certificates.RequestCertificate(background, in)).CertificateArn
	out := done[*acm.ExportCertificateOutput](t)(h.certificates.ExportCertificate(background, &acm.ExportCertificateInput{CertificateArn: &arn, Passphrase: []byte("open sesame")}))
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, []byte(*out.PrivateKey), 0o600); err != nil {
		t.Fatal(err)
	}
	if plain, err := exec.Command("openssl", "pkey", "-in", path, "-passin", "pass:open sesame").Output(); err != nil {
		t.Errorf("openssl: %v", err)
	} else if _, err := tls.X509KeyPair([]byte(*out.Certificate), plain); err != nil {
		t.Error(err)
	}
	if exec.Command("openssl", "pkey", "-in", path, "-passin", "pass:wrong").Run() == nil {
		t.Error("it opens with another passphrase")
	}
	done[*acm.RenewCertificateOutput](t)(h.certificates.RenewCertificate(background, &acm.RenewCertificateInput{CertificateArn: &arn}))
	other := h.imported(fresh(t, "b.test", nil))
	_, err := h.certificates.ExportCertificate(background, &acm.ExportCertificateInput{CertificateArn: &other, Passphrase: []byte("open sesame")})
	refused(t, err, "ValidationException", "not eligible to be exported")
	_, err = h.certificates.RenewCertificate(background, &acm.RenewCertificateInput{CertificateArn: &other})
	refused(t, err, "ValidationException", "not eligible for renewal")
}

func TestTagsAndOptionsOfCertificates(t *testing.T) {
	h := open(t)
	arn := *done[*acm.RequestCertificateOutput](t)(h.certificates.RequestCertificate(background, &acm.RequestCertificateInput{DomainName: new("a.test")})).CertificateArn
	tag := func(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }
	done[*acm.AddTagsToCertificateOutput](t)(h.certificates.AddTagsToCertificate(background, &acm.AddTagsToCertificateInput{CertificateArn: &arn, Tags: []types.Tag{tag("a", "1"), tag("b", "2"), tag("c", "")}}))
	done[*acm.RemoveTagsFromCertificateOutput](t)(h.certificates.RemoveTagsFromCertificate(background, &acm.RemoveTagsFromCertificateInput{CertificateArn: &arn, Tags: []types.Tag{{Key: new("a")}, tag("b", "other")}}))
	left := done[*acm.ListTagsForCertificateOutput](t)(h.certificates.ListTagsForCertificate(background, &acm.ListTagsForCertificateInput{CertificateArn: &arn})).Tags
	equal(t, "tags left", len(left), 2)
	_, err := h.certificates.AddTagsToCertificate(background, &acm.AddTagsToCertificateInput{CertificateArn: &arn, Tags: []types.Tag{tag("aws:x", "")}})
	refused(t, err, "InvalidTagException", "aws:")
	done[*acm.UpdateCertificateOptionsOutput](t)(h.certificates.UpdateCertificateOptions(background, &acm.UpdateCertificateOptionsInput{CertificateArn: &arn, Options: &types.CertificateOptions{CertificateTransparencyLoggingPreference: types.CertificateTransparencyLoggingPreferenceDisabled}}))
	equal(t, "preference", h.described(arn).Options.CertificateTransparencyLoggingPreference, types.CertificateTransparencyLoggingPreferenceDisabled)
}
