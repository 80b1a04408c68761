package access

import (
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
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
func (a *Access) standing(r store.Reader, who *Caller) standing {
	g := gatherer{access: a, reader: r}
	holder := &who.Principal
	if federated(who) && who.Session.By.ARN != "" {
		holder = &who.Session.By
	}
	switch holder.Kind {
	case identity.Root:
		g.all = !who.Session.Restricted() && !federated(who)
	case identity.User:
		g.user(holder)
	case identity.AssumedRole:
		g.role(holder)
	}
	g.session(who)
	return g.standing
}

func federated(who *Caller) bool { return who.Session != nil && who.Session.Federated }

// gatherer fills a standing.
type gatherer struct {
	standing
	access *Access
	reader store.Reader
}

func (g *gatherer) user(p *identity.Principal) {
	u, ok := store.Users.Get(g.reader, store.NameKey(p.Account, arn.NameOf(p.ARN)))
	if !ok || strings.HasPrefix(p.UserID, "AIDA") && u.ID != p.UserID {
		g.gone = "the user " + p.ARN + " does not exist any more"
		return
	}
	g.tags = u.Tags
	g.grants(&u.Grants)
	for _, name := range u.Groups {
		if group, ok := store.Groups.Get(g.reader, store.NameKey(u.Account, name)); ok {
			g.grants(&group.Grants)
		}
	}
}

func (g *gatherer) role(p *identity.Principal) {
	role, ok := store.Roles.Get(g.reader, store.NameKey(p.Account, arn.NameOf(p.RoleARN)))
	// A role is meant by its whole ARN: a name under another path is another role.
	if !ok || role.ARN != p.RoleARN || !identity.SameRole(role, p) {
		g.gone = "the role " + p.RoleARN + " does not exist any more"
		return
	}
	g.tags = role.Tags
	g.grants(&role.Grants)
	g.tries(role)
}

// grants adds the policies of a holder.
func (g *gatherer) grants(from *identity.Grants) {
	if g.policies.Identity == nil {
		g.policies.Identity = make([]policy.Applied, 0, len(from.Inline)+len(from.Attached)+4)
	}
	for i := range from.Inline {
		g.policies.Identity = g.add(g.policies.Identity, from.Inline[i].Name, from.Inline[i].Document)
	}
	for _, attached := range from.Attached {
		g.policies.Identity = g.managed(g.policies.Identity, attached)
	}
	if from.Boundary == "" {
		return
	}
	if bounds := g.managed(nil, from.Boundary); len(bounds) > 0 {
		g.policies.Boundary = &bounds[0]
	} else if g.gone == "" {
		g.gone = "the permissions boundary " + from.Boundary + " does not exist"
	}
}

// session adds what a temporary key was given when it was made.
func (g *gatherer) session(who *Caller) {
	s := who.Session
	if !s.Restricted() && !federated(who) {
		return
	}
	var given []policy.Applied
	for _, document := range s.Policies {
		given = g.add(given, "", document)
	}
	for _, managed := range s.PolicyARNs {
		given = g.managed(given, managed)
	}
	g.policies.Session, g.policies.Sessioned = given, true
}

func (g *gatherer) managed(to []policy.Applied, name string) []policy.Applied {
	p, ok := store.ManagedPolicies.Get(g.reader, name)
	if !ok {
		return to // allows nothing
	}
	return g.add(to, name, p.Document())
}

func (g *gatherer) add(to []policy.Applied, name, document string) []policy.Applied {
	read, err := g.access.documents.read(document, policy.Identity)
	if err != nil {
		if g.gone == "" {
			g.gone = "its policy " + name + " cannot be read: " + err.Error()
		}
		return to
	}
	return append(to, policy.Applied{Name: name, Document: read})
}
