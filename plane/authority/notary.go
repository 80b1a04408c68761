package authority

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/smallstep/pkcs7"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/protocol/join"
)

// notaryFile has the notary's certificate and private key, mode 0600.
const notaryFile = "identity.pem"

// Notary signs instance identity documents, with an RSA key that the authority
// signed: the tools that check such documents know no other kind.
type Notary struct {
	certificate *x509.Certificate
	key         *rsa.PrivateKey
}

// document is an instance identity document in EC2's form.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html
type document struct {
	AccountID        string `json:"accountId"`
	Architecture     string `json:"architecture"`
	AvailabilityZone string `json:"availabilityZone"`
	ImageID          string `json:"imageId"`
	InstanceID       string `json:"instanceId"`
	InstanceType     string `json:"instanceType"`
	PendingTime      string `json:"pendingTime"`
	PrivateIP        string `json:"privateIp"`
	Region           string `json:"region"`
	Version          string `json:"version"`
}

// Notary reads the authority's notary in dir, and makes it when there is none.
func (a *Authority) Notary(dir string, now time.Time) (*Notary, error) {
	path := filepath.Join(dir, notaryFile)
	n, err := readNotary(path, func() ([]byte, error) { return a.createNotary(now) })
	if err != nil {
		return nil, fmt.Errorf("the key that signs instance identities: %w", err)
	}
	if err := n.certificate.CheckSignatureFrom(a.certificate); err != nil {
		return nil, fmt.Errorf("%s is not of this authority: remove it, and let machines join again (%w)", path, err)
	}
	return n, nil
}

func readNotary(path string, fresh func() ([]byte, error)) (*Notary, error) {
	certificate, private, err := readPair(path, fresh)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS1PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Notary{certificate, key}, nil
}

func (a *Authority) createNotary(now time.Time) ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"berth"}, CommonName: "berth instance identities"},
		NotBefore:    now.Add(-backdate),
		NotAfter:     a.certificate.NotAfter, // machines keep what it signs
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return append(encodeCertificate(certificate), private...), nil
}

// PEM is the certificate by which anybody checks what the notary signed.
func (n *Notary) PEM() []byte { return encodeCertificate(n.certificate.Raw) }

// Identify signs a document in all of EC2's forms.
func (n *Notary) Identify(d document) (join.Identity, error) {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return join.Identity{}, err
	}
	sum := sha256.Sum256(text)
	signature, err := rsa.SignPKCS1v15(rand.Reader, n.key, crypto.SHA256, sum[:])
	if err != nil {
		return join.Identity{}, fmt.Errorf("sign an instance identity: %w", err)
	}
	envelope, err := n.envelope(text)
	if err != nil {
		return join.Identity{}, fmt.Errorf("sign an instance identity: %w", err)
	}
	return join.Identity{Document: string(text), Signature: wrapped(signature), PKCS7: envelope, RSA2048: envelope}, nil
}

// envelope is the PKCS#7 form, which carries the document and the certificate.
func (n *Notary) envelope(text []byte) (string, error) {
	signed, err := pkcs7.NewSignedData(text)
	if err != nil {
		return "", err
	}
	signed.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := signed.AddSigner(n.certificate, n.key, pkcs7.SignerInfoConfig{}); err != nil {
		return "", err
	}
	der, err := signed.Finish()
	return wrapped(der), err
}

// wrapped is base64 in lines of 76, as EC2 gives it.
func wrapped(data []byte) string {
	text := base64.StdEncoding.EncodeToString(data)
	var lines []string
	for ; len(text) > 76; text = text[76:] {
		lines = append(lines, text[:76])
	}
	return strings.Join(append(lines, text), "\n")
}

// Check tells whether a document is one that the notary signed. Its faults are
// AccessDenied.
func (n *Notary) Check(text, signature string) error {
	raw, err := base64.StdEncoding.DecodeString(signature) // which passes over line ends
	sum := sha256.Sum256([]byte(text))
	if err != nil || rsa.VerifyPKCS1v15(&n.key.PublicKey, crypto.SHA256, sum[:], raw) != nil {
		return fault.New(fault.AccessDenied, "The instance identity document is not signed by this server's authority.").
			WithHint("let the machine join with a token that this server made")
	}
	return nil
}
