package policy

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/identity"
)

// evaluation is one request on its way past the policies.
type evaluation struct {
	q       *Request
	action  string // in lower case
	bounded bool   // the principal has a boundary
	matched []Match
	missing []string
}

func (e *evaluation) find(key string) ([]string, bool) {
	if e.q.Keys == nil {
		return nil, false
	}
	return e.q.Keys(key)
}

func (e *evaluation) miss(name string) {
	if !slices.ContainsFunc(e.missing, func(m string) bool { return strings.EqualFold(m, name) }) {
		e.missing = append(e.missing, name)
	}
}

// opinion is what the policies of one kind say. Numbers are places in
// evaluation.matched, none when negative.
type opinion struct {
	denied  int
	allowed int
	reach   reach // of the nearest Allow
}

func (o *opinion) allows() bool { return o.allowed >= 0 }

// weigh hears policies of one kind: one Allow is enough, and one Deny.
func (e *evaluation) weigh(source Source, list []Applied) opinion {
	o := opinion{denied: -1, allowed: -1}
	for i := range list {
		if list[i].Document != nil {
			e.hear(source, &list[i], &o)
		}
	}
	return o
}

func (e *evaluation) weighOne(source Source, a *Applied) opinion {
	o := opinion{denied: -1, allowed: -1}
	if a != nil && a.Document != nil {
		e.hear(source, a, &o)
	}
	return o
}

func (e *evaluation) hear(source Source, a *Applied, o *opinion) {
	for i := range a.Document.statements {
		s := &a.Document.statements[i]
		reach := s.applies(e)
		if reach == nowhere {
			continue
		}
		e.matched = append(e.matched, Match{Source: source, Policy: a.Name, Index: i, Sid: s.sid, Allow: s.allow})
		last := len(e.matched) - 1
		switch {
		case !s.allow && o.denied < 0:
			o.denied = last
		case s.allow && reach > o.reach:
			o.allowed, o.reach = last, reach
		}
	}
}

// applies tells whether, and how nearly, a statement is about the request.
func (s *statement) applies(e *evaluation) reach {
	if !s.names(e.action) {
		return nowhere
	}
	reach := s.speaksOf(e)
	if reach == nowhere || !s.covers(e) || !s.met(e) {
		return nowhere
	}
	return reach
}

func (s *statement) names(action string) bool {
	for i := range s.actions {
		if s.actions[i].matches(action) {
			return !s.notActions
		}
	}
	return s.notActions
}

// opinions are those of all kinds of policies.
type opinions struct {
	identity, boundary, session, resource opinion
	resourceSource                        Source
}

// Decide tells whether the policies let the request pass. An explicit Deny in any of
// them ends it. Within an account the principal's policies or the resource's must
// allow; across accounts, both.
func Decide(q *Request, p *Policies) Decision {
	e := evaluation{q: q, action: strings.ToLower(q.Action), bounded: p.Boundary != nil}
	o := opinions{resourceSource: p.resourceSource(q)}
	o.identity = e.weigh(IdentityBased, p.Identity)
	o.boundary = e.weighOne(Boundary, p.Boundary)
	o.session = e.weigh(SessionBased, p.Session)
	o.resource = e.weighOne(o.resourceSource, p.Resource)

	v := o.judge(q, p)
	d := Decision{Effect: v.effect, Source: v.source, Matched: e.matched, Missing: e.missing}
	if v.decisive >= 0 {
		m := &e.matched[v.decisive]
		d.Source, d.Policy, d.Sid = m.Source, m.Policy, m.Sid
	}
	return d
}

// verdict is an effect and the place of the statement it is by; where that is
// negative, source is the kind of policy that did not allow.
type verdict struct {
	effect   Effect
	decisive int
	source   Source
}

func lacking(s Source) verdict { return verdict{ImplicitDeny, -1, s} }

// resourceSource is the kind of the resource's policy, in words.
func (p *Policies) resourceSource(q *Request) Source {
	trust := p.Resource != nil && p.Resource.Document != nil && p.Resource.Document.use == Trust
	if trust || p.Trusting && strings.HasPrefix(q.Action, "sts:") {
		return TrustBased
	}
	return ResourceBased
}

func (o *opinions) judge(q *Request, p *Policies) verdict {
	for _, kind := range [...]*opinion{&o.identity, &o.resource, &o.boundary, &o.session} {
		if kind.denied >= 0 {
			return verdict{ExplicitDeny, kind.denied, ""}
		}
	}
	stranger := !hasPolicies(&q.Principal)
	across := p.Owner != "" && p.Owner != q.Principal.Account
	switch {
	case !o.resource.allows() && (stranger || across || p.Trusting):
		return lacking(o.resourceSource)
	case stranger, o.resource.reach == directly && !across:
		return verdict{Allow, o.resource.allowed, ""}
	case o.resource.reach == byRole && !across:
		return o.bounded(p, o.resource.allowed)
	case q.Principal.Kind == identity.Root:
		return o.bounded(p, o.resource.allowed)
	case !o.identity.allows():
		return lacking(IdentityBased)
	}
	return o.bounded(p, o.identity.allowed)
}

// bounded allows what the boundary and the session's policies allow too.
func (o *opinions) bounded(p *Policies, decisive int) verdict {
	switch {
	case p.Boundary != nil && !o.boundary.allows():
		return lacking(Boundary)
	case p.Sessioned && !o.session.allows():
		return lacking(SessionBased)
	}
	return verdict{Allow, decisive, ""}
}

// hasPolicies tells principals of an account from services, and from those who have
// no name here yet: these have nothing but what the resource grants.
func hasPolicies(p *identity.Principal) bool {
	switch p.Kind {
	case identity.Root, identity.User, identity.AssumedRole:
		return true
	}
	return false
}
