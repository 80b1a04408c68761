package store

import (
	"crypto/rand"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/linked"
)

// EnsureLinkedRole makes the service-linked role of a service on its first use in
// an account. service is one of those of domain/identity/linked.
func EnsureLinkedRole(tx *Tx, scope arn.Scope, service string, now time.Time) error {
	if _, ok := Roles.Get(tx, NameKey(scope.Account, linked.Name(service, ""))); ok {
		return nil
	}
	id, err := identity.NewID(identity.RoleID, rand.Reader)
	if err != nil {
		return err
	}
	role := linked.Role(linked.Wanted{Scope: scope, Service: service, ID: id, Now: now})
	Roles.Put(tx, &role)
	return nil
}
