package vault

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// SealOwned seals a secret that is a part of another service's record: under the key
// that AWS manages for the service ("elasticloadbalancing"), bound to the record's ARN.
func (v *Vault) SealOwned(tx *store.Tx, scope arn.Scope, service, owner string, plain []byte, now time.Time) ([]byte, error) {
	k, err := v.Managed(tx, scope, service, now)
	if err != nil {
		return nil, err
	}
	return v.Seal(k, plain, ownedBy(owner))
}

// OpenOwned opens what SealOwned made for the same record.
func (v *Vault) OpenOwned(r store.Reader, scope arn.Scope, service, owner string, sealed []byte) ([]byte, error) {
	k, ok := store.FindCryptKey(r, scope, secret.ManagedPrefix+service)
	if !ok {
		return nil, invalid()
	}
	return v.Open(k, sealed, ownedBy(owner))
}

func ownedBy(owner string) map[string]string { return map[string]string{"Owner": owner} }
