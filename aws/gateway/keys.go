package gateway

import (
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// StoredKeys are the access keys of a store.
type StoredKeys struct{ Store store.Store }

// Key finds an access key by its id.
func (k StoredKeys) Key(id string) (identity.AccessKey, bool) {
	key, ok := store.AccessKeys.Get(k.Store.View(), id)
	if !ok {
		return identity.AccessKey{}, false
	}
	return *key, true
}
