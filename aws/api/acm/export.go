package acm

import (
	"context"
	"crypto/rand"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/acm"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/certificate"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

func (a *API) exportCertificate(ctx context.Context, call *gateway.Call, in *shape.ExportCertificateRequest) (*shape.ExportCertificateResponse, error) {
	var sealed *balancer.Certificate
	err := a.change(ctx, call, *in.CertificateArn, func(_ *store.Tx, c *balancer.Certificate) error {
		if c.Request == nil || !c.Request.Exportable {
			return fault.New(fault.Validation, "Certificate ARN: %s is not eligible to be exported.", c.ARN).WithHint("request it with the option Export=ENABLED")
		}
		request := *c.Request
		request.Exported = true
		c.Request, sealed = &request, c
		return nil
	})
	if err != nil {
		return nil, err
	}
	key, err := a.keyring.Open(a.store.View(), sealed.Scope, sealed.ARN, sealed.Key)
	if err != nil {
		return nil, err
	}
	encrypted, err := certificate.Encrypt(key, in.Passphrase, rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf, chain := certificate.Split(sealed.Chain)
	return &shape.ExportCertificateResponse{Certificate: new(string(leaf)), CertificateChain: new(string(chain)), PrivateKey: new(string(encrypted))}, nil
}
