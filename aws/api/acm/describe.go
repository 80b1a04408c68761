package acm

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/acm"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/certificate"
	"github.com/berthhq/berth/store"
)

func (a *API) describeCertificate(_ context.Context, call *gateway.Call, in *shape.DescribeCertificateRequest) (*shape.DescribeCertificateResponse, error) {
	v := a.store.View()
	c, err := find(v, call, *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	leaf, err := certificate.Leaf(c.Chain)
	if err != nil {
		return nil, err
	}
	return &shape.DescribeCertificateResponse{Certificate: showDetail(c, leaf, usersOf(v, c.ARN), call.Now)}, nil
}

func (a *API) getCertificate(_ context.Context, call *gateway.Call, in *shape.GetCertificateRequest) (*shape.GetCertificateResponse, error) {
	c, err := find(a.store.View(), call, *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	leaf, chain := certificate.Split(c.Chain)
	return &shape.GetCertificateResponse{Certificate: new(string(leaf)), CertificateChain: member.Present(string(chain))}, nil
}

func status(c *balancer.Certificate, now time.Time) shape.CertificateStatus {
	if now.After(c.NotAfter) {
		return shape.CertificateStatusExpired
	}
	return shape.CertificateStatusIssued
}

func showDetail(c *balancer.Certificate, leaf *x509.Certificate, users []string, now time.Time) *shape.CertificateDetail {
	d := &shape.CertificateDetail{
		CertificateArn: &c.ARN, DomainName: &c.Domain, SubjectAlternativeNames: c.Names, Serial: &c.Serial,
		Subject: new(leaf.Subject.String()), Issuer: new(issuer(leaf)), CreatedAt: &c.CreatedAt, ImportedAt: member.Time(c.ImportedAt),
		Status: status(c, now), NotBefore: &c.NotBefore, NotAfter: &c.NotAfter, KeyAlgorithm: shape.KeyAlgorithm(c.Algorithm),
		SignatureAlgorithm: new(certificate.SignatureAlgorithm(leaf)), InUseBy: users, Type: shape.CertificateType(c.Type),
		KeyUsages: []shape.KeyUsage{}, ExtendedKeyUsages: []shape.ExtendedKeyUsage{}, RenewalEligibility: eligibility(c, users),
		Options: showOptions(c), CertificateKeyPairOrigin: origin(c),
	}
	for _, name := range certificate.Usages(leaf) {
		d.KeyUsages = append(d.KeyUsages, shape.KeyUsage{Name: shape.KeyUsageName(name)})
	}
	for _, p := range certificate.Purposes(leaf) {
		d.ExtendedKeyUsages = append(d.ExtendedKeyUsages, shape.ExtendedKeyUsage{Name: shape.ExtendedKeyUsageName(p.Name), OID: member.Present(p.OID)})
	}
	if c.Request != nil {
		d.IssuedAt, d.DomainValidationOptions = &c.CreatedAt, showValidations(c)
		d.RenewalSummary = showRenewal(c)
	}
	return d
}

// issuer is the organisation that signed it, or whatever names the signer.
func issuer(leaf *x509.Certificate) string {
	if o := leaf.Issuer.Organization; len(o) > 0 {
		return o[0]
	}
	return leaf.Issuer.CommonName
}

func origin(c *balancer.Certificate) shape.CertificateKeyPairOrigin {
	if c.Request == nil {
		return shape.CertificateKeyPairOriginCustomerProvided
	}
	return shape.CertificateKeyPairOriginAwsManaged
}

// eligibility is of certificates that somebody would miss.
func eligibility(c *balancer.Certificate, users []string) shape.RenewalEligibility {
	if c.Request != nil && (len(users) > 0 || c.Request.Exported) {
		return shape.RenewalEligibilityEligible
	}
	return shape.RenewalEligibilityIneligible
}

func showOptions(c *balancer.Certificate) *shape.CertificateOptions {
	o := &shape.CertificateOptions{
		CertificateTransparencyLoggingPreference: shape.CertificateTransparencyLoggingPreferenceDisabled, Export: shape.CertificateExportDisabled,
	}
	if c.Request != nil && c.Request.Transparency {
		o.CertificateTransparencyLoggingPreference = shape.CertificateTransparencyLoggingPreferenceEnabled
	}
	if c.Request != nil && c.Request.Exportable {
		o.Export = shape.CertificateExportEnabled
	}
	return o
}

// showValidations are done: the authority asks nobody.
func showValidations(c *balancer.Certificate) []shape.DomainValidation {
	return member.Each(c.Names, func(name *string) shape.DomainValidation {
		domain := *name
		if said := c.Request.Domains[domain]; said != "" {
			domain = said
		}
		v := shape.DomainValidation{
			DomainName: name, ValidationDomain: &domain, ValidationStatus: shape.DomainStatusSuccess, ValidationMethod: shape.ValidationMethod(c.Validation),
		}
		if v.ValidationMethod == shape.ValidationMethodDns {
			record := certificate.RecordOf(c.Scope.Account, *name)
			v.ResourceRecord = &shape.ResourceRecord{Name: &record.Name, Type: shape.RecordTypeCname, Value: &record.Value}
		} else {
			v.ValidationEmails = certificate.Mailboxes(domain)
		}
		return v
	})
}

func showRenewal(c *balancer.Certificate) *shape.RenewalSummary {
	if c.Request.RenewedAt.IsZero() {
		return nil
	}
	return &shape.RenewalSummary{
		RenewalStatus: shape.RenewalStatusSuccess, DomainValidationOptions: showValidations(c), UpdatedAt: &c.Request.RenewedAt,
	}
}

// inUse tells whether a balancer serves the certificate.
func inUse(r store.Reader, c *balancer.Certificate) bool {
	return store.Listeners.Has(r, store.ListenersByCertificate, c.ARN)
}
