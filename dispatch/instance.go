package dispatch

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// instanceKeys tells our agent the keys of its instance profile's role: when the
// session begins, when new ones are due, and that there are none any more once the
// role is gone.
func (s *session) instanceKeys(ctx context.Context) error {
	if !s.ours {
		return nil
	}
	key, profile, err := s.d.instanceKey(ctx, s.instance)
	if err != nil {
		return err
	}
	m := acs.InstanceCredentials{MessageID: newID(), ProfileARN: profile}
	id := ""
	if key != nil {
		c := wireCredentials(&task.Credentials{ID: key.CredentialsID, RoleARN: key.Principal.RoleARN, AccessKeyID: key.ID,
			SecretAccessKey: key.Secret, SessionToken: key.SessionToken, Expiration: key.ExpiresAt})
		m.RoleCredentials, id = &c, key.ID
	}
	if s.shown != nil && *s.shown == id {
		return nil
	}
	s.shown = &id
	return s.send(ctx, acs.TypeInstanceCredentials, m)
}

// instanceKey is the key that the instance shall show now, minted when it is missing
// or about to end; nil when its role is gone.
func (d *Dispatcher) instanceKey(ctx context.Context, instance string) (*identity.AccessKey, string, error) {
	v := d.Store.View()
	i, ok := store.Instances.Get(v, instance)
	if !ok {
		return nil, "", nil
	}
	if !hasRole(v, i) {
		return nil, "", d.withdraw(ctx, v, instance)
	}
	profile := profileOf(v, i)
	if key := shownKey(v, instance); key != nil && key.ExpiresAt.Sub(d.Now()) >= keysRenewedAt {
		return key, profile, nil
	}
	p := identity.RoleSession(i.Role, i.EC2ID)
	p.InstanceARN = instance
	now := d.Now()
	key, err := identity.NewSession(p, rand.Reader, now, now.Add(keysLive))
	if err != nil {
		return nil, "", err
	}
	key.Use = identity.UseInstance
	_, err = d.Store.Update(ctx, func(tx *store.Tx) error { store.AccessKeys.Put(tx, &key); return nil })
	if err != nil {
		return nil, "", fmt.Errorf("mint instance credentials: %w", err)
	}
	return &key, profile, nil
}

// withdraw ends the keys that an instance had of a role that is gone.
func (d *Dispatcher) withdraw(ctx context.Context, v *store.View, instance string) error {
	if shownKey(v, instance) == nil {
		return nil
	}
	_, err := d.Store.Update(ctx, func(tx *store.Tx) error {
		for _, k := range slices.Collect(store.AccessKeys.By(tx, store.AccessKeysByInstance, instance)) {
			if k.Use == identity.UseInstance {
				store.AccessKeys.Delete(tx, k.ID)
			}
		}
		return nil
	})
	return err
}

// shownKey is the newest that the instance was given to show; nil for none.
func shownKey(r store.Reader, instance string) *identity.AccessKey {
	var newest *identity.AccessKey
	for k := range store.AccessKeys.By(r, store.AccessKeysByInstance, instance) {
		if k.Use == identity.UseInstance && (newest == nil || k.ExpiresAt.After(newest.ExpiresAt)) {
			newest = k
		}
	}
	return newest
}

func hasRole(r store.Reader, i *cluster.Instance) bool {
	role, ok := store.Roles.Get(r, store.NameKey(i.Scope.Account, arn.NameOf(i.Role)))
	return ok && role.ARN == i.Role
}

// profileOf is the ARN of the instance profile that has the instance's role; that
// of the role's name, which tools give profiles, where there is no record of one.
func profileOf(r store.Reader, i *cluster.Instance) string {
	role := arn.NameOf(i.Role)
	for p := range store.InstanceProfiles.Prefix(r, i.Scope.Account+"/") {
		if slices.Contains(p.Roles, role) {
			return p.ARN
		}
	}
	return i.Scope.Global("iam", "instance-profile/"+role)
}
