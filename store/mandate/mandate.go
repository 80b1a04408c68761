// Package mandate gathers the policies that bear on what somebody does: their own,
// those of their groups, their boundary and those of their session.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
package mandate

import (
	"fmt"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/store"
)

// Of gathers the policies of a caller. s is what was laid down about its key; nil
// for nothing. ok is false for a user or role that is gone: it may nothing.
func Of(r store.Reader, p identity.Principal, s *identity.Session) (out *policy.Policies, ok bool, err error) {
	switch {
	case s != nil && s.Federated:
		out, ok, err = Of(r, s.By, nil)
	case p.Kind == identity.User:
		out, ok, err = ofUser(r, p)
	case p.Kind == identity.AssumedRole:
		out, ok, err = ofRole(r, p)
	default:
		out, ok = &policy.Policies{}, true
	}
	if err != nil || !ok || s == nil {
		return out, ok, err
	}
	out.Sessioned = s.Federated || s.Restricted()
	out.Session, err = ofSession(r, s)
	return out, true, err
}

func ofUser(r store.Reader, p identity.Principal) (*policy.Policies, bool, error) {
	u, ok := store.Users.Get(r, store.NameKey(p.Account, arn.NameOf(p.ARN)))
	if !ok || u.ID != p.UserID {
		return nil, false, nil
	}
	out, err := User(r, u)
	return out, true, err
}

func ofRole(r store.Reader, p identity.Principal) (*policy.Policies, bool, error) {
	role, ok := store.FindRole(r, p.RoleARN)
	if !ok || !identity.SameRole(role, &p) {
		return nil, false, nil
	}
	out, err := Role(r, role)
	return out, true, err
}

// User gathers the policies of a user, the groups' included.
func User(r store.Reader, u *identity.UserRecord) (*policy.Policies, error) {
	out, err := Holder(r, &u.Grants)
	if err != nil {
		return nil, err
	}
	for _, name := range u.Groups {
		g, ok := store.Groups.Get(r, store.NameKey(u.Account, name))
		if !ok {
			continue
		}
		of, err := Holder(r, &g.Grants)
		if err != nil {
			return nil, err
		}
		out.Identity = append(out.Identity, of.Identity...)
	}
	return out, nil
}

// Role gathers the policies of a role.
func Role(r store.Reader, role *identity.Role) (*policy.Policies, error) {
	return Holder(r, &role.Grants)
}

// Holder gathers what one holder has.
func Holder(r store.Reader, g *identity.Grants) (*policy.Policies, error) {
	out := &policy.Policies{}
	for i := range g.Inline {
		applied, err := read(g.Inline[i].Name, g.Inline[i].Document)
		if err != nil {
			return nil, err
		}
		out.Identity = append(out.Identity, applied)
	}
	attached, err := managed(r, g.Attached)
	if err != nil {
		return nil, err
	}
	out.Identity = append(out.Identity, attached...)
	if g.Boundary == "" {
		return out, nil
	}
	bounds, err := managed(r, []string{g.Boundary})
	if err != nil {
		return nil, err
	}
	out.Boundary = &policy.Applied{Name: g.Boundary} // allows nothing when its policy is gone
	if len(bounds) == 1 {
		out.Boundary = &bounds[0]
	}
	return out, nil
}

func ofSession(r store.Reader, s *identity.Session) ([]policy.Applied, error) {
	out, err := managed(r, s.PolicyARNs)
	if err != nil {
		return nil, err
	}
	for _, text := range s.Policies {
		applied, err := read("session policy", text)
		if err != nil {
			return nil, err
		}
		out = append(out, applied)
	}
	return out, nil
}

// managed reads managed policies in force. One that is gone grants nothing.
func managed(r store.Reader, arns []string) (out []policy.Applied, err error) {
	for _, name := range arns {
		p, ok := store.ManagedPolicies.Get(r, name)
		if !ok {
			continue
		}
		applied, err := read(name, p.Document())
		if err != nil {
			return nil, err
		}
		out = append(out, applied)
	}
	return out, nil
}

func read(name, text string) (policy.Applied, error) {
	document, err := policy.Parse(text, policy.Identity)
	if err != nil {
		return policy.Applied{}, fmt.Errorf("the stored policy %s: %w", name, err)
	}
	return policy.Applied{Name: name, Document: document}, nil
}
