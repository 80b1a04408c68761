package acm

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/acm"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

func (a *API) renewCertificate(ctx context.Context, call *gateway.Call, in *shape.RenewCertificateRequest) (*wire.Empty, error) {
	c, err := find(a.store.View(), call, *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if c.Request == nil || !c.Request.Exported {
		return nil, fault.New(fault.Validation, "Certificate ARN: %s is not eligible for renewal.", c.ARN).
			WithHint("exported certificates are renewed by this call; those of listeners are renewed by themselves")
	}
	return &wire.Empty{}, a.renew(ctx, c, call.Now)
}

// renew issues a certificate anew, unless it went meanwhile.
func (a *API) renew(ctx context.Context, c *balancer.Certificate, now time.Time) error {
	issue, err := a.issue(c, now)
	if err != nil {
		return err
	}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		have, ok := store.Certificates.Get(tx, c.ARN)
		if !ok || have.Request == nil {
			return nil
		}
		next, request := *have, *have.Request
		request.RenewedAt = now
		next.Request = &request
		return issue(tx, &next)
	})
	return err
}

// renewBefore is how long before its end a certificate is renewed, as ACM does.
// https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html
const renewBefore = 60 * 24 * time.Hour

// Renew issues anew what ends soon and would be missed: requested certificates that a
// listener serves. It is called now and then.
func (a *API) Renew(ctx context.Context, now time.Time) error {
	v := a.store.View()
	for c := range store.Certificates.All(v) {
		if c.Request == nil || !inUse(v, c) || now.Add(renewBefore).Before(c.NotAfter) {
			continue
		}
		if err := a.renew(ctx, c, now); err != nil {
			return err
		}
	}
	return nil
}

func (a *API) resendValidationEmail(_ context.Context, call *gateway.Call, in *shape.ResendValidationEmailRequest) (*wire.Empty, error) {
	c, err := find(a.store.View(), call, *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	return nil, fault.New(fault.InvalidState, "Certificate %s is not pending validation.", c.ARN)
}

func (a *API) updateOptions(ctx context.Context, call *gateway.Call, in *shape.UpdateCertificateOptionsRequest) (*wire.Empty, error) {
	err := a.change(ctx, call, *in.CertificateArn, func(_ *store.Tx, c *balancer.Certificate) error {
		if c.Request == nil {
			return fault.New(fault.InvalidState, "Certificate %s was imported: it has no options.", c.ARN)
		}
		request := *c.Request
		switch {
		case in.Options.ValidationMethod != "" && string(in.Options.ValidationMethod) != c.Validation:
			return fault.New(fault.Validation, "The validation method of an issued certificate cannot change.")
		case in.Options.Export != "" && in.Options.Export != showOptions(c).Export:
			return fault.New(fault.Validation, "The export option cannot change once a certificate was requested.")
		case in.Options.CertificateTransparencyLoggingPreference != "":
			request.Transparency = in.Options.CertificateTransparencyLoggingPreference == shape.CertificateTransparencyLoggingPreferenceEnabled
		}
		c.Request = &request
		return nil
	})
	return &wire.Empty{}, err
}
