package access

import (
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/mandate"
)

// standing is what a caller brings to every decision.
type standing struct {
	policies policy.Policies
	tags     []workload.Tag // of the user or role; the session's come before them
	all      bool           // root: everything in its account is allowed
	gone     string         // why the caller may do nothing at all; empty otherwise
	trial    trial
}

// standing gathers the policies of a caller as they are now.
func (a *Access) standing(r store.Reader, who *Caller) (s standing) {
	policies, err := mandate.Gatherer{View: r, Read: a.documents.identity}.Of(&who.Principal, who.Session)
	if err != nil {
		return standing{gone: err.Error()}
	}
	s.policies = policies
	switch holder := mandate.Holder(&who.Principal, who.Session); holder.Kind {
	case identity.Root:
		s.all = !policies.Sessioned
	case identity.User:
		if u, ok := store.Users.Get(r, store.NameKey(holder.Account, arn.NameOf(holder.ARN))); ok {
			s.tags = u.Tags
		}
	case identity.AssumedRole:
		if role, ok := store.FindRole(r, holder.RoleARN); ok {
			s.tags, s.trial = role.Tags, a.tried(r, role)
		}
	}
	return s
}
