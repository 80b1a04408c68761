// Package acm answers the part of AWS Certificate Manager that load balancers need.
// https://docs.aws.amazon.com/acm/latest/APIReference/Welcome.html
//
// Requested certificates are issued at once, by an authority of berth's own: nobody
// outside vouches for them, and clients must be told to trust it. Private keys are
// sealed before they come near the store.
package acm

import (
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/store"
)

// Keyring seals private keys for the certificate that the ARN names, and opens them.
type Keyring interface {
	Seal(tx *store.Tx, scope arn.Scope, resource string, plain []byte, now time.Time) ([]byte, error)
	Open(r store.Reader, scope arn.Scope, resource string, sealed []byte) ([]byte, error)
}

// Authority issues certificates: the chain and a new private key, both PEM.
type Authority interface {
	Certify(domains []string, algorithm string, now time.Time) (chain, key []byte, err error)
}

// Config is what the API is built from.
type Config struct {
	Store     store.Store
	Keyring   Keyring
	Authority Authority
}

// API answers the Certificate Manager.
type API struct {
	store     store.Store
	keyring   Keyring
	authority Authority
}

// New makes the API.
func New(c Config) *API { return &API{store: c.Store, keyring: c.Keyring, authority: c.Authority} }

// Operations are the handlers by operation name.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"ImportCertificate":   gateway.Handle(a.importCertificate),
		"RequestCertificate":  gateway.Handle(a.requestCertificate),
		"DescribeCertificate": gateway.Handle(a.describeCertificate),
		"GetCertificate":      gateway.Handle(a.getCertificate),
		"ListCertificates":    gateway.Handle(a.listCertificates),
		"DeleteCertificate":   gateway.Handle(a.deleteCertificate),
		"ExportCertificate":   gateway.Handle(a.exportCertificate),
		"RenewCertificate":    gateway.Handle(a.renewCertificate),

		"AddTagsToCertificate":      gateway.Handle(a.addTags),
		"RemoveTagsFromCertificate": gateway.Handle(a.removeTags),
		"ListTagsForCertificate":    gateway.Handle(a.listTags),

		"ResendValidationEmail":    gateway.Handle(a.resendValidationEmail),
		"UpdateCertificateOptions": gateway.Handle(a.updateOptions),
	}
}
