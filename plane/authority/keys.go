package authority

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// RootKey is the key of the account's administrator. The first call stores it,
// with the given id and secret or, when both are empty, new ones; later calls
// find it again, whatever they are given.
func RootKey(ctx context.Context, st store.Store, account, id, secret string, now time.Time) (identity.AccessKey, error) {
	if (id == "") != (secret == "") {
		return identity.AccessKey{}, errors.New("set both BERTH_ROOT_ACCESS_KEY_ID and BERTH_ROOT_SECRET_ACCESS_KEY, or neither")
	}
	fresh, err := identity.NewKey(identity.RootPrincipal(account), rand.Reader, now)
	if err != nil {
		return identity.AccessKey{}, err
	}
	if id != "" {
		fresh.ID, fresh.Secret = id, secret
	}
	root := fresh
	_, err = st.Update(ctx, func(tx *store.Tx) error {
		for key := range store.AccessKeys.All(tx) {
			if p := key.Principal; p.Kind == identity.Root && p.Account == account && key.Active {
				root = *key
				return nil
			}
		}
		store.AccessKeys.Put(tx, &fresh)
		return nil
	})
	return root, err
}
