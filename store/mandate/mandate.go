// Package mandate gathers the policies that bear on what somebody does: their own,
// those of their groups, their boundary and those of their session.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
package mandate

import (
	"errors"
	"fmt"
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/store"
)

// ErrGone is of a user or role that may do nothing, because it is no more or was made
// again since.
var ErrGone = errors.New("does not exist any more")

// Gatherer looks policies up in a view.
type Gatherer struct {
	View store.Reader
	// Read reads the text of an identity policy. nil parses it; who asks for every
	// call remembers what it read.
	Read func(text string) (*policy.Document, error)
}

// Of gathers the policies of a caller. s is what was laid down about its key; nil
// for nothing. A policy that cannot be read is an error: it might deny.
func (g Gatherer) Of(p *identity.Principal, s *identity.Session) (out policy.Policies, err error) {
	switch holder := Holder(p, s); holder.Kind {
	case identity.User:
		u, ok := store.Users.Get(g.View, store.NameKey(holder.Account, arn.NameOf(holder.ARN)))
		if !ok || strings.HasPrefix(holder.UserID, identity.UserID) && u.ID != holder.UserID {
			return out, fmt.Errorf("the user %s %w", holder.ARN, ErrGone)
		}
		out, err = g.User(u)
	case identity.AssumedRole:
		// A role is meant by its whole ARN: a name under another path is another role.
		role, ok := store.FindRole(g.View, holder.RoleARN)
		if !ok || !identity.SameRole(role, holder) {
			return out, fmt.Errorf("the role %s %w", holder.RoleARN, ErrGone)
		}
		out, err = g.Grants(&role.Grants)
	}
	if err != nil || s == nil {
		return out, err
	}
	out.Sessioned = s.Federated || s.Restricted()
	out.Session, err = g.session(s)
	return out, err
}

// Holder is who has the policies of a caller: who let them in, for federated users,
// who have none of their own.
func Holder(p *identity.Principal, s *identity.Session) *identity.Principal {
	if s != nil && s.Federated && s.By.ARN != "" {
		return &s.By
	}
	return p
}

// User gathers the policies of a user, the groups' included.
func (g Gatherer) User(u *identity.UserRecord) (policy.Policies, error) {
	out, err := g.Grants(&u.Grants)
	if err != nil {
		return out, err
	}
	for _, name := range u.Groups {
		group, ok := store.Groups.Get(g.View, store.NameKey(u.Account, name))
		if !ok {
			continue
		}
		if out.Identity, err = g.add(out.Identity, &group.Grants); err != nil {
			return out, err
		}
	}
	return out, nil
}

// Grants gathers what one holder has.
func (g Gatherer) Grants(from *identity.Grants) (out policy.Policies, err error) {
	out.Identity = make([]policy.Applied, 0, len(from.Inline)+len(from.Attached))
	if out.Identity, err = g.add(out.Identity, from); err != nil || from.Boundary == "" {
		return out, err
	}
	bounds, err := g.managed(nil, from.Boundary)
	if err != nil {
		return out, err
	}
	out.Boundary = &policy.Applied{Name: from.Boundary} // allows nothing when its policy is gone
	if len(bounds) == 1 {
		out.Boundary = &bounds[0]
	}
	return out, nil
}

func (g Gatherer) add(to []policy.Applied, from *identity.Grants) (_ []policy.Applied, err error) {
	for i := range from.Inline {
		if to, err = g.read(to, from.Inline[i].Name, from.Inline[i].Document); err != nil {
			return nil, err
		}
	}
	for _, attached := range from.Attached {
		if to, err = g.managed(to, attached); err != nil {
			return nil, err
		}
	}
	return to, nil
}

func (g Gatherer) session(s *identity.Session) (out []policy.Applied, err error) {
	for _, attached := range s.PolicyARNs {
		if out, err = g.managed(out, attached); err != nil {
			return nil, err
		}
	}
	for _, text := range s.Policies {
		if out, err = g.read(out, "session policy", text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// managed reads a managed policy in force. One that is gone grants nothing.
func (g Gatherer) managed(to []policy.Applied, name string) ([]policy.Applied, error) {
	p, ok := store.ManagedPolicies.Get(g.View, name)
	if !ok {
		return to, nil
	}
	return g.read(to, name, p.Document())
}

func (g Gatherer) read(to []policy.Applied, name, text string) ([]policy.Applied, error) {
	document, err := g.parse(text)
	if err != nil {
		return nil, fmt.Errorf("the stored policy %s cannot be read: %w", name, err)
	}
	return append(to, policy.Applied{Name: name, Document: document}), nil
}

func (g Gatherer) parse(text string) (*policy.Document, error) {
	if g.Read != nil {
		return g.Read(text)
	}
	return policy.Parse(text, policy.Identity)
}
