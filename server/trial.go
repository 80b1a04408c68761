package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/domain/identity/usage"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/store"
)

// TrialRequest begins a trial, or with an empty document ends it.
type TrialRequest struct {
	Document string `json:"document"`
}

// Trial is a policy that is tried on a role without being enforced.
type Trial struct {
	Policy  string      `json:"policy"` // ARN and version
	Refused []usage.Use `json:"refused"`
}

// A trial is a managed policy that the role's tag access.TrialTag names; so a role
// can be tried with Terraform, too.
func (s *Server) trial(_ *http.Request, _ *gateway.Call, role *identity.Role) (any, error) {
	name, ok := access.TrialOf(s.store.View(), role)
	if !ok {
		return nil, fault.New(fault.ResourceNotFound, "No policy is on trial for the role %s.", role.Name).
			WithHint("begin: berth iam try %s --policy FILE", role.Name)
	}
	return Trial{Policy: name, Refused: s.witness.Uses(role.ARN, name)}, nil
}

func (s *Server) try(r *http.Request, call *gateway.Call, role *identity.Role) (any, error) {
	document, err := readPolicy(r)
	if err != nil {
		return nil, err
	}
	if document == "" {
		return Trial{}, s.endTrial(r.Context(), role)
	}
	if _, err := policy.Parse(document, policy.Identity); err != nil {
		return nil, err
	}
	p, err := s.beginTrial(r.Context(), call, role, document)
	if err != nil {
		return nil, err
	}
	return Trial{Policy: access.TrialName(p)}, nil
}

// trialPolicy is the managed policy of a role's trial.
func trialPolicy(role *identity.Role) string { return "berth-trial-" + role.Name }

// beginTrial puts the document in the trial's policy, as a version of its own so that
// what earlier ones would have refused is not counted with it, and tags the role.
func (s *Server) beginTrial(ctx context.Context, call *gateway.Call, role *identity.Role, document string) (p *identity.ManagedPolicy, err error) {
	_, err = s.store.Update(ctx, func(tx *store.Tx) error {
		now, ok := store.Roles.Get(tx, store.NameKey(role.Account, role.Name))
		if !ok {
			return fault.New(fault.NoSuchEntity, "The role with name %s cannot be found.", role.Name)
		}
		if p, err = trialVersion(tx, now, document, call); err != nil {
			return err
		}
		store.ManagedPolicies.Put(tx, p)
		tagged := *now
		tagged.Tags = append(withoutTrial(now.Tags), workload.Tag{Key: access.TrialTag, Value: p.ARN})
		store.Roles.Put(tx, &tagged)
		return nil
	})
	return p, err
}

func trialVersion(tx *store.Tx, role *identity.Role, document string, call *gateway.Call) (*identity.ManagedPolicy, error) {
	name := trialPolicy(role)
	policyARN := call.Scope.Global("iam", "policy/"+name)
	p := &identity.ManagedPolicy{Account: role.Account, Name: name, Path: "/", ARN: policyARN, NextVersion: 1, CreatedAt: call.Now, Description: "On trial: see berth iam trial " + role.Name}
	if old, ok := store.ManagedPolicies.Get(tx, policyARN); ok {
		copied := *old
		p = &copied
	} else {
		id, err := identity.NewID(identity.ManagedPolicyID, rand.Reader)
		if err != nil {
			return nil, err
		}
		p.ID = id
	}
	p.Default = fmt.Sprintf("v%d", p.NextVersion)
	p.Versions = []identity.PolicyVersion{{ID: p.Default, Document: document, CreatedAt: call.Now}}
	p.NextVersion, p.UpdatedAt = p.NextVersion+1, call.Now
	return p, nil
}

// endTrial takes the tag and the policy back.
func (s *Server) endTrial(ctx context.Context, role *identity.Role) error {
	_, err := s.store.Update(ctx, func(tx *store.Tx) error {
		now, ok := store.Roles.Get(tx, store.NameKey(role.Account, role.Name))
		if !ok {
			return nil
		}
		plain := *now
		plain.Tags = withoutTrial(now.Tags)
		store.Roles.Put(tx, &plain)
		store.ManagedPolicies.Delete(tx, arn.Scope{Account: role.Account}.Global("iam", "policy/"+trialPolicy(role)))
		return nil
	})
	return err
}

func withoutTrial(tags []workload.Tag) []workload.Tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t workload.Tag) bool { return t.Key == access.TrialTag })
}
