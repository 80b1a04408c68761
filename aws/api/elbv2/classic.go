package elbv2

import (
	"crypto/rand"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// Settle gives a balancer of the first API a node in each of the subnets, and no others.
// Without subnets it releases all.
func (a *API) Settle(tx *store.Tx, b *balancer.Balancer, subnets []*network.Subnet, now time.Time) error {
	var all []place
	for _, s := range subnets {
		all = append(all, place{subnet: s})
	}
	if len(all) > 0 {
		if err := checkPlaces(tx, b, all); err != nil {
			return err
		}
	}
	return a.settle(tx, b, all, now)
}

// Lock gives a balancer the secret that seals its cookies.
func (a *API) Lock(tx *store.Tx, b *balancer.Balancer, now time.Time) (err error) {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	b.Secret, err = a.keyring.Seal(tx, b.Scope, b.ARN, secret, now)
	return err
}

// NewID makes ids as those of balancers are.
func (a *API) NewID() string { return a.newID() }
