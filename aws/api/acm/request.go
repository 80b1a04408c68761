package acm

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/acm"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/certificate"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// tokenLife is how long a repeated request gives the certificate that is there.
const tokenLife = time.Hour

// maxNames is ACM's quota of names in a certificate.
const maxNames = 100

func (a *API) requestCertificate(ctx context.Context, call *gateway.Call, in *shape.RequestCertificateRequest) (*shape.RequestCertificateResponse, error) {
	c, err := requested(call, in)
	if err != nil {
		return nil, err
	}
	if have, ok := repeated(a.store.View(), c); ok {
		return &shape.RequestCertificateResponse{CertificateArn: &have.ARN}, nil
	}
	issue, err := a.issue(c, call.Now)
	if err != nil {
		return nil, err
	}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		if have, ok := repeated(tx, c); ok {
			c = have
			return nil
		}
		return issue(tx, c)
	})
	return &shape.RequestCertificateResponse{CertificateArn: &c.ARN}, err
}

// Issue has a certificate made for a name as a request would, which takes a while. What
// it gives stores the certificate.
func (a *API) Issue(call *gateway.Call, name string, tags []workload.Tag) (func(*store.Tx) (*balancer.Certificate, error), error) {
	c, err := requested(call, &shape.RequestCertificateRequest{DomainName: &name, ValidationMethod: shape.ValidationMethodDns})
	if err != nil {
		return nil, err
	}
	c.Tags = tags
	issue, err := a.issue(c, call.Now)
	return func(tx *store.Tx) (*balancer.Certificate, error) {
		made := *c // a transaction may be tried again
		return &made, issue(tx, &made)
	}, err
}

// requested is the record of a request, without its content.
func requested(call *gateway.Call, in *shape.RequestCertificateRequest) (*balancer.Certificate, error) {
	if err := supported(in); err != nil {
		return nil, err
	}
	tags, err := withTags(nil, member.Some(in.Tags, readTag))
	if err != nil {
		return nil, err
	}
	names := []string{strings.ToLower(*in.DomainName)}
	for _, name := range in.SubjectAlternativeNames {
		if name = strings.ToLower(name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > maxNames {
		return nil, fault.New(fault.LimitExceeded, "Error: the number of domain names exceeds the limit of %d.", maxNames)
	}
	domains, err := validationDomains(names, in.DomainValidationOptions)
	if err != nil {
		return nil, err
	}
	options := member.Value(in.Options)
	return &balancer.Certificate{
		Scope: call.Scope, ARN: newARN(call), Type: balancer.AmazonIssued, Domain: names[0], Names: names, Tags: tags, CreatedAt: call.Now,
		Validation: string(or(in.ValidationMethod, shape.ValidationMethodEmail)), Token: member.Value(in.IdempotencyToken),
		Algorithm: string(or(in.KeyAlgorithm, shape.KeyAlgorithmRsa2048)),
		Request: &balancer.CertificateRequest{
			Domains:      domains,
			Transparency: options.CertificateTransparencyLoggingPreference != shape.CertificateTransparencyLoggingPreferenceDisabled,
			Exportable:   options.Export == shape.CertificateExportEnabled,
		},
	}, nil
}

func or[T ~string](said, otherwise T) T {
	if said == "" {
		return otherwise
	}
	return said
}

// supported refuses what the authority does not do.
func supported(in *shape.RequestCertificateRequest) error {
	switch {
	case in.CertificateAuthorityArn != nil:
		return fault.New(fault.InvalidKeyARN, "The certificate authority %s does not exist.", *in.CertificateAuthorityArn).
			WithHint("berth has no AWS Private CA: request without a certificate authority, or import a certificate")
	case in.ManagedBy != "" || in.ValidationMethod == shape.ValidationMethodHttp:
		return fault.New(fault.Validation, "HTTP validation is for certificates that CloudFront manages.").WithHint("berth has no CloudFront: use DNS or EMAIL")
	}
	switch in.KeyAlgorithm {
	case "", shape.KeyAlgorithmRsa2048, shape.KeyAlgorithmECPrime256v1, shape.KeyAlgorithmECSecp384r1:
		return nil
	}
	return fault.New(fault.Validation, "The key algorithm %s is not supported for public certificates.", in.KeyAlgorithm).
		WithHint("use RSA_2048, EC_prime256v1 or EC_secp384r1")
}

// validationDomains are those that were given, by name: each is its name or a parent.
func validationDomains(names []string, options []shape.DomainValidationOption) (map[string]string, error) {
	var domains map[string]string
	for _, o := range options {
		name, domain := strings.ToLower(*o.DomainName), strings.ToLower(*o.ValidationDomain)
		if !slices.Contains(names, name) || name != domain && !strings.HasSuffix(name, "."+domain) {
			return nil, fault.New(fault.InvalidDomainValidationOptions, "The domain %s cannot be validated by %s.", *o.DomainName, *o.ValidationDomain)
		}
		if domains == nil {
			domains = map[string]string{}
		}
		domains[name] = domain
	}
	return domains, nil
}

// repeated finds the certificate of a request with the same token and names.
func repeated(r store.Reader, c *balancer.Certificate) (*balancer.Certificate, bool) {
	if c.Token == "" {
		return nil, false
	}
	for have := range store.Certificates.Prefix(r, c.Scope.Of("acm", "certificate/")) {
		if have.Token == c.Token && slices.Equal(have.Names, c.Names) && c.CreatedAt.Sub(have.CreatedAt) < tokenLife {
			return have, true
		}
	}
	return nil, false
}

// issue has a certificate made, which takes a while, and gives what stores it.
func (a *API) issue(c *balancer.Certificate, now time.Time) (func(*store.Tx, *balancer.Certificate) error, error) {
	chain, key, err := a.authority.Certify(c.Names, c.Algorithm, now)
	if err != nil {
		return nil, err
	}
	leaf, err := certificate.Leaf(chain)
	if err != nil {
		return nil, err
	}
	return func(tx *store.Tx, c *balancer.Certificate) (err error) {
		if c.Key, err = a.keyring.Seal(tx, c.Scope, c.ARN, key, now); err != nil {
			return err
		}
		c.Chain, c.Serial, c.NotBefore, c.NotAfter = chain, certificate.Serial(leaf), leaf.NotBefore, leaf.NotAfter
		store.Certificates.Put(tx, c)
		return nil
	}, nil
}
