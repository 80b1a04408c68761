package authority

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/protocol/join"
	"github.com/berthhq/berth/store"
)

// TokenLife is how long a join token may wait for its machine.
const TokenLife = time.Hour

// Gate makes join tokens and exchanges them.
type Gate struct {
	Store     store.Store
	Authority *Authority
	// Notary signs the identity documents of machines that join; nil signs none.
	Notary *Notary
	Clock  func() time.Time
}

// CreateToken makes a token for one machine to join the cluster with keys of the
// role. Only its hash is stored: the answer is the one time it can be seen.
func (g *Gate) CreateToken(ctx context.Context, scope arn.Scope, clusterARN, roleARN string) (join.Token, error) {
	token, err := join.NewToken(g.Authority.Pin(), rand.Reader)
	if err != nil {
		return join.Token{}, err
	}
	record := &identity.JoinToken{
		Hash: token.Hash(), Scope: scope, ClusterARN: clusterARN, RoleARN: roleARN,
		ExpiresAt: g.Clock().Add(TokenLife),
	}
	_, err = g.Store.Update(ctx, func(tx *store.Tx) error {
		store.JoinTokens.Put(tx, record)
		return nil
	})
	if err != nil {
		return join.Token{}, fmt.Errorf("storing a join token: %w", err)
	}
	return token, nil
}

// Exchange gives a machine keys and a signed identity for the secret of a token,
// once. Its faults are AccessDenied.
func (g *Gate) Exchange(ctx context.Context, secret string, machine join.Machine) (*join.Response, error) {
	instance, err := newInstanceID()
	if err != nil {
		return nil, err
	}
	var token *identity.JoinToken
	var key identity.AccessKey
	_, err = g.Store.Update(ctx, func(tx *store.Tx) error {
		now := g.Clock()
		if token, err = redeem(tx, join.HashSecret(secret), now); err != nil {
			return err
		}
		key, err = EnrolAgent(tx, token.RoleARN, instance, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	signed, err := g.identify(token.Scope, instance, machine)
	if err != nil {
		return nil, err
	}
	return &join.Response{
		Identity:    signed,
		AccessKeyID: key.ID, SecretAccessKey: key.Secret, SessionToken: key.SessionToken,
		Account: token.Scope.Account, Region: token.Scope.Region,
		ClusterARN: token.ClusterARN, RoleARN: token.RoleARN, InstanceID: instance,
		DefaultVPC: defaultVPC(g.Store.View(), token.Scope), Authority: string(g.Authority.PEM()),
	}, nil
}

func (g *Gate) identify(scope arn.Scope, instance string, machine join.Machine) (join.Identity, error) {
	if g.Notary == nil {
		return join.Identity{}, nil
	}
	return g.Notary.Identify(document{
		AccountID: scope.Account, Region: scope.Region, InstanceID: instance, AvailabilityZone: scope.Region + cmp.Or(machine.Zone, "a"),
		Architecture: machine.Architecture, PrivateIP: machine.Address, PendingTime: g.Clock().UTC().Format(time.RFC3339), Version: "2017-09-30",
	})
}

// defaultVPC is the id of the scope's; empty when it has none.
func defaultVPC(v *store.View, scope arn.Scope) string {
	for vpc := range store.VPCs.Prefix(v, network.Key(scope, "")) {
		if vpc.Default {
			return vpc.ID
		}
	}
	return ""
}

// redeem marks a token used. It tells an unknown token from a used or an ended
// one: whoever has the secret may know.
func redeem(tx *store.Tx, hash string, now time.Time) (*identity.JoinToken, error) {
	token, ok := store.JoinTokens.Get(tx, hash)
	refuse := func(why string) error {
		return fault.New(fault.AccessDenied, "The join token %s.", why).WithHint("make a new one: berth token create")
	}
	switch {
	case !ok:
		return nil, refuse("is not known here")
	case !token.UsedAt.IsZero():
		return nil, refuse("was used at " + token.UsedAt.UTC().Format(time.RFC3339))
	case !now.Before(token.ExpiresAt):
		return nil, refuse("ended at " + token.ExpiresAt.UTC().Format(time.RFC3339))
	}
	used := *token
	used.UsedAt = now
	store.JoinTokens.Put(tx, &used)
	return &used, nil
}

// EnrolAgent stores keys of the role for the agent of one machine, bound to the
// instance id it will have for good. They hold until they are taken back: a
// machine that was switched off for long must find its way home.
func EnrolAgent(tx *store.Tx, roleARN, instanceID string, now time.Time) (identity.AccessKey, error) {
	p := store.RoleSession(tx, roleARN, instanceID)
	p.Agent = true
	key, err := identity.NewSession(p, rand.Reader, now, time.Time{})
	if err != nil {
		return identity.AccessKey{}, err
	}
	store.AccessKeys.Put(tx, &key)
	return key, nil
}

func newInstanceID() (string, error) {
	random := make([]byte, 9)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	return "i-" + hex.EncodeToString(random)[:17], nil
}
