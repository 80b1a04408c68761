package vault

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// pause between two looks: what is gone is treated as such at once, and needs
// forgetting only some time.
const pause = time.Minute

// Upkeep forgets secrets, parameters and keys whose time is over, rotates keys,
// and finishes what a rotation of the master key left.
type Upkeep struct {
	Vault *Vault
	Store store.Store
	Log   *slog.Logger
	Now   func() time.Time
}

// Run works until ctx ends.
func (u *Upkeep) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if err := u.Look(ctx); err != nil && ctx.Err() == nil {
			u.Log.Warn("the vault's upkeep failed; it is tried again", "err", err)
		}
		timer.Reset(pause)
	}
}

// Look does what is due.
func (u *Upkeep) Look(ctx context.Context) error {
	if _, err := u.Vault.Rewrap(ctx, u.Store); err != nil {
		return err
	}
	due := look(u.Store.View(), u.Now())
	if due.none() {
		return nil
	}
	_, err := u.Store.Update(ctx, func(tx *store.Tx) error {
		now := u.Now()
		due := look(tx, now) // it may have changed meanwhile
		for _, s := range due.secrets {
			store.DeleteSecret(tx, s)
		}
		for _, p := range due.parameters {
			store.DeleteParameter(tx, p)
		}
		for _, k := range due.gone {
			store.DeleteCryptKey(tx, k)
		}
		for _, k := range due.turning {
			if err := u.turn(tx, k, now); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// turn gives a key new material; the old one goes on decrypting.
func (u *Upkeep) turn(tx *store.Tx, k *secret.Key, now time.Time) error {
	m, err := u.Vault.NewMaterial(k.ARN, now)
	if err != nil {
		return err
	}
	next := *k
	next.Materials = append(slices.Clip(k.Materials), m)
	next.RotateAt = now.AddDate(0, 0, int(k.RotateEvery))
	store.CryptKeys.Put(tx, &next)
	return nil
}

// due is what a look found, at most atOnce of each.
type due struct {
	secrets       []*secret.Secret
	parameters    []*secret.Parameter
	gone, turning []*secret.Key
}

const atOnce = 100

func (d due) none() bool {
	return len(d.secrets)+len(d.parameters)+len(d.gone)+len(d.turning) == 0
}

func look(r store.Reader, now time.Time) (d due) {
	for s := range store.Secrets.All(r) {
		if s.Gone(now) && len(d.secrets) < atOnce {
			d.secrets = append(d.secrets, s)
		}
	}
	for p := range store.Parameters.All(r) {
		e, ok := store.Editions.Get(r, store.EditionKey(p.Scope, p.Name, p.Latest))
		if ok && e.Expired(now) && len(d.parameters) < atOnce {
			d.parameters = append(d.parameters, p)
		}
	}
	for k := range store.CryptKeys.All(r) {
		switch {
		case k.Gone(now) && len(d.gone) < atOnce:
			d.gone = append(d.gone, k)
		case k.State == secret.Enabled && k.RotateEvery > 0 && !now.Before(k.RotateAt) && len(d.turning) < atOnce:
			d.turning = append(d.turning, k)
		}
	}
	return d
}
