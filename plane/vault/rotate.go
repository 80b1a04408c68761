package vault

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/protocol/keyfile"
	"github.com/berthhq/berth/store"
)

// rewrapAtOnce is how many keys are wrapped anew in one transaction.
const rewrapAtOnce = 200

// Rotated says what a rotation did.
type Rotated struct {
	MasterKey string `json:"masterKey"` // id of the new one
	Keys      int    `json:"keys"`      // that were wrapped anew
}

// Rotate makes a new master key and wraps all materials with it. When it fails half
// way, the rest is wrapped by the next Rewrap.
func (v *Vault) Rotate(ctx context.Context, st store.Store, now time.Time) (Rotated, error) {
	m := newMaster(now)
	if err := v.add(m); err != nil {
		return Rotated{}, fmt.Errorf("a new master key: %w", err)
	}
	n, err := v.Rewrap(ctx, st)
	return Rotated{MasterKey: m.name(), Keys: n}, err
}

// add keeps the master key on disk before anything is wrapped with it.
func (v *Vault) add(m master) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	masters := append(slices.Clone(v.masters), m)
	if err := keyfile.Replace(v.path, formatMasters(masters)); err != nil {
		return err
	}
	v.masters = masters
	return nil
}

// Rewrap wraps with the newest master key what older ones wrapped, and says for how
// many keys.
func (v *Vault) Rewrap(ctx context.Context, st store.Store) (int, error) {
	total := 0
	for {
		n := 0
		if !v.anyOld(st.View()) {
			return total, nil
		}
		_, err := st.Update(ctx, func(tx *store.Tx) (err error) {
			n, err = v.rewrapSome(tx)
			return err
		})
		if err != nil || n == 0 {
			return total, err
		}
		total += n
	}
}

func (v *Vault) anyOld(r store.Reader) bool {
	for k := range store.CryptKeys.All(r) {
		if v.isOld(k) {
			return true
		}
	}
	return false
}

func (v *Vault) isOld(k *secret.Key) bool {
	current := v.current()
	return slices.ContainsFunc(k.Materials, func(m secret.Material) bool { return !bytes.HasPrefix(m.Wrapped[1:], current.id[:]) })
}

func (v *Vault) rewrapSome(tx *store.Tx) (n int, err error) {
	for k := range store.CryptKeys.All(tx) {
		if n == rewrapAtOnce {
			break
		}
		if !v.isOld(k) {
			continue
		}
		next := *k
		next.Materials = make([]secret.Material, len(k.Materials))
		for i, m := range k.Materials {
			plain, err := v.unwrap(k.ARN, m)
			if err != nil {
				return n, err
			}
			if next.Materials[i], err = v.wrap(k.ARN, m, plain); err != nil {
				return n, err
			}
		}
		store.CryptKeys.Put(tx, &next)
		n++
	}
	return n, nil
}
