package acm

import (
	"context"

	"github.com/google/uuid"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/acm"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/certificate"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

func (a *API) importCertificate(ctx context.Context, call *gateway.Call, in *shape.ImportCertificateRequest) (*shape.ImportCertificateResponse, error) {
	bundle, err := certificate.Read(in.Certificate, in.PrivateKey, in.CertificateChain, call.Now)
	if err != nil {
		return nil, err
	}
	if in.CertificateArn != nil {
		return a.importAgain(ctx, call, in, bundle)
	}
	tags, err := withTags(nil, member.Some(in.Tags, readTag))
	if err != nil {
		return nil, err
	}
	c := &balancer.Certificate{
		Scope: call.Scope, ARN: newARN(call), Type: balancer.Imported, Tags: tags, CreatedAt: call.Now, ImportedAt: call.Now,
	}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error { return a.put(tx, call, c, bundle) })
	return &shape.ImportCertificateResponse{CertificateArn: &c.ARN}, err
}

func newARN(call *gateway.Call) string {
	return call.Scope.Of("acm", "certificate/"+uuid.NewString())
}

// importAgain gives an imported certificate new content: its ARN, and what serves it,
// stay.
// https://docs.aws.amazon.com/acm/latest/userguide/import-reimport.html
func (a *API) importAgain(ctx context.Context, call *gateway.Call, in *shape.ImportCertificateRequest, bundle certificate.Bundle) (*shape.ImportCertificateResponse, error) {
	if len(in.Tags) > 0 {
		return nil, fault.New(fault.Validation, "Tags cannot be applied when reimporting a certificate.").WithHint("use AddTagsToCertificate")
	}
	err := a.change(ctx, call, *in.CertificateArn, func(tx *store.Tx, c *balancer.Certificate) error {
		if c.Type != balancer.Imported {
			return fault.New(fault.Validation, "The certificate %s was not imported and cannot be reimported.", c.ARN)
		}
		if now := certificate.Algorithm(bundle.Leaf); now != c.Algorithm {
			return fault.New(fault.Validation, "The key algorithm of a reimported certificate cannot change from %s to %s.", c.Algorithm, now)
		}
		c.ImportedAt = call.Now
		return a.put(tx, call, c, bundle)
	})
	return &shape.ImportCertificateResponse{CertificateArn: in.CertificateArn}, err
}

// put stores a certificate with the content of the bundle.
func (a *API) put(tx *store.Tx, call *gateway.Call, c *balancer.Certificate, b certificate.Bundle) error {
	key, err := certificate.KeyPEM(b.Key)
	if err != nil {
		return err
	}
	if c.Key, err = a.keyring.Seal(tx, c.Scope, c.ARN, key, call.Now); err != nil {
		return err
	}
	names := certificate.Names(b.Leaf)
	if c.Domain = ""; len(names) > 0 {
		c.Domain = names[0]
	}
	c.Names, c.Chain, c.Serial, c.Algorithm = names, b.PEM(), certificate.Serial(b.Leaf), certificate.Algorithm(b.Leaf)
	c.NotBefore, c.NotAfter = b.Leaf.NotBefore, b.Leaf.NotAfter
	store.Certificates.Put(tx, c)
	return nil
}
