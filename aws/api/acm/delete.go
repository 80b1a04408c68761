package acm

import (
	"context"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/acm"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

func (a *API) deleteCertificate(ctx context.Context, call *gateway.Call, in *shape.DeleteCertificateRequest) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		c, err := find(tx, call, *in.CertificateArn)
		if err != nil {
			return err
		}
		if users := usersOf(tx, c.ARN); len(users) > 0 {
			return fault.New(fault.ResourceInUse, "Certificate %s in account %s is in use.", c.ARN, c.Scope.Account).WithHint("take it from the listeners of %s first", users[0])
		}
		store.Certificates.Delete(tx, c.ARN)
		return nil
	})
	return &wire.Empty{}, err
}
