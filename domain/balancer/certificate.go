package balancer

import "time"

// Types of certificates, as the Certificate Manager names them.
const (
	Imported     = "IMPORTED"
	AmazonIssued = "AMAZON_ISSUED"
)

// CertificateRequest is what only requested certificates have.
type CertificateRequest struct {
	// Domains are the validation domains that were given, by domain name.
	Domains              map[string]string
	Transparency         bool // logged on AWS; the preference is kept
	Exportable, Exported bool
	RenewedAt            time.Time // zero until it was
}
