package access

import (
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/store"
)

// TrialTag names on a role a managed policy that is on trial: what it alone would have
// refused is observed, and nothing is refused for it.
const TrialTag = "berth:trial"

// TrialOf is the policy on trial for a role, as ARN@VERSION; false when none is.
func TrialOf(r store.Reader, role *identity.Role) (name string, ok bool) {
	p, ok := onTrial(r, role)
	if !ok {
		return "", false
	}
	return TrialName(p), true
}

// TrialName is a policy on trial with its version: what earlier ones would have
// refused is not counted with it.
func TrialName(p *identity.ManagedPolicy) string { return p.ARN + "@" + p.Default }

func onTrial(r store.Reader, role *identity.Role) (*identity.ManagedPolicy, bool) {
	for _, t := range role.Tags {
		if t.Key == TrialTag {
			return store.ManagedPolicies.Get(r, t.Value)
		}
	}
	return nil, false
}

// trial is what is tried on a caller; the zero trial is none.
type trial struct {
	name     string
	policies []policy.Applied
}

// tried is the policy on trial for a role. One that cannot be read would refuse
// everything.
func (a *Access) tried(r store.Reader, role *identity.Role) trial {
	p, ok := onTrial(r, role)
	if !ok {
		return trial{}
	}
	t := trial{name: TrialName(p)}
	if read, err := a.documents.identity(p.Document()); err == nil {
		t.policies = []policy.Applied{{Name: p.ARN, Document: read}}
	}
	return t
}

// try judges a question that was let through by the policy on trial instead.
func (a *Access) try(q question) {
	under := *q.standing
	under.policies.Identity = under.trial.policies
	q.standing = &under
	if d, err := a.decision(&q); err == nil && d.Effect != policy.Allow {
		o := observationOf(&q, d.Effect)
		o.Trial = under.trial.name
		a.Observe(o)
	}
}
