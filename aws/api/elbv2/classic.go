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
	all := placesIn(subnets)
	if len(all) > 0 {
		if err := checkPlaces(tx, b, all); err != nil {
			return err
		}
	}
	return a.settle(tx, b, all, now)
}

// Put finishes an Application balancer whose name, scheme and security groups are said,
// and stores it with a node in each of the subnets.
func (a *API) Put(tx *store.Tx, b *balancer.Balancer, subnets []*network.Subnet, now time.Time) error {
	all := placesIn(subnets)
	if err := checkPlaces(tx, b, all); err != nil {
		return err
	}
	return a.putNew(tx, b, b.SecurityGroups, all, now)
}

func placesIn(subnets []*network.Subnet) (all []place) {
	for _, s := range subnets {
		all = append(all, place{subnet: s})
	}
	return all
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
