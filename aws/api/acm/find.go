package acm

import (
	"context"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// find finds a certificate of the caller's account and region.
func find(r store.Reader, call *gateway.Call, name string) (*balancer.Certificate, error) {
	a, err := arn.Parse(name)
	if err != nil || a.Service != "acm" || a.Kind() != "certificate" {
		return nil, fault.New(fault.InvalidKeyARN, "Invalid Arn: %s", name)
	}
	if c, ok := store.Certificates.Get(r, name); ok && c.Scope == call.Scope {
		return c, nil
	}
	return nil, fault.New(fault.ResourceNotFound, "Could not find certificate %s.", name)
}

// change stores what fn makes of a copy of the certificate.
func (a *API) change(ctx context.Context, call *gateway.Call, name string, fn func(*store.Tx, *balancer.Certificate) error) error {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := find(tx, call, name)
		if err != nil {
			return err
		}
		next := *have
		if err := fn(tx, &next); err != nil {
			return err
		}
		store.Certificates.Put(tx, &next)
		return nil
	})
	return err
}

// usersOf are the ARNs of the balancers that serve a certificate.
func usersOf(r store.Reader, certificate string) []string {
	seen, users := map[string]bool{}, []string{}
	for l := range store.Listeners.By(r, store.ListenersByCertificate, certificate) {
		if !seen[l.BalancerARN] {
			users = append(users, l.BalancerARN)
		}
		seen[l.BalancerARN] = true
	}
	return users
}
