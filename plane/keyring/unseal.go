package keyring

import (
	"slices"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/store"
)

// Unseal opens the secrets of a snapshot in place; records of the store that it shares
// stay as they are. What does not open is left out and logged: an edge serves the rest.
func (k *Keyring) Unseal(v *store.View, s *balancer.Snapshot) {
	s.Certificates = slices.Clone(s.Certificates)
	for i := range s.Certificates {
		c := &s.Certificates[i]
		c.Key = k.open(v, c.Scope, c.ARN, c.Key)
	}
	s.Fronts = slices.Clone(s.Fronts)
	for i := range s.Fronts {
		k.unsealFront(v, &s.Fronts[i])
	}
}

func (k *Keyring) unsealFront(v *store.View, f *balancer.Front) {
	if b := &f.Balancer; len(b.Secret) > 0 {
		b.Secret = k.open(v, b.Scope, b.ARN, b.Secret)
	}
	f.Listeners = slices.Clone(f.Listeners)
	for i := range f.Listeners {
		l := &f.Listeners[i]
		l.Listener.Default = k.opened(v, l.Listener.Scope, l.Listener.ARN, l.Listener.Default)
		l.Rules = slices.Clone(l.Rules)
		for j := range l.Rules {
			r := &l.Rules[j]
			r.Actions = k.opened(v, r.Scope, r.ARN, r.Actions)
		}
	}
}

// opened are actions with their client secrets in the clear. They were sealed for the
// listener or the rule.
func (k *Keyring) opened(v *store.View, scope arn.Scope, owner string, actions []balancer.Action) []balancer.Action {
	signsIn := func(a balancer.Action) bool { return a.OIDC != nil && len(a.OIDC.ClientSecret) > 0 }
	if !slices.ContainsFunc(actions, signsIn) {
		return actions
	}
	out := slices.Clone(actions)
	for i, a := range out {
		if signsIn(a) {
			oidc := *a.OIDC
			oidc.ClientSecret = k.open(v, scope, owner, oidc.ClientSecret)
			out[i].OIDC = &oidc
		}
	}
	return out
}

func (k *Keyring) open(v *store.View, scope arn.Scope, resource string, sealed []byte) []byte {
	plain, err := k.Open(v, scope, resource, sealed)
	if err != nil {
		k.Log.Error("a secret of a load balancer does not open", "resource", resource, "err", err)
		return nil
	}
	return plain
}
