package policy

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
)

// principals are whom a statement is about.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
type principals struct {
	not       bool // all but those
	any       bool
	accounts  []string
	names     []string // ARNs of users, roles and sessions
	ids       []string // AROA..., AIDA...
	services  []string
	federated []string
}

// reach is how near a statement comes to a principal. It matters to an Allow.
type reach int

const (
	nowhere   reach = iota
	byAccount       // it names the account, whose own policies decide on
	byRole          // it names the role: the session's bounds hold
	directly        // it names this very principal, or everybody
)

func (r *reader) principal(s *statement, o object, place string) error {
	v, named := o.get("Principal")
	w, not := o.get("NotPrincipal")
	switch {
	case r.use == Identity && (named || not):
		return refuse(sayPrincipal, place+".Principal", "the principal is who holds the policy")
	case r.use == Identity:
		return nil
	case not && s.allow:
		return refuse(sayNotPrincipal, place+".NotPrincipal", "use it with Deny")
	case not && r.use == Trust:
		return refuse("AssumeRole policy must not contain NotPrincipal field.", place+".NotPrincipal", "name who may with Principal")
	case !named && !not:
		return refuse(sayMissing+"Principal", place+".Principal", "say whom the statement is about")
	}
	s.principals = &principals{not: not}
	if not {
		return r.fillPrincipals(s, w, place+".NotPrincipal")
	}
	return r.fillPrincipals(s, v, place+".Principal")
}

func (r *reader) fillPrincipals(s *statement, v any, place string) error {
	if v == "*" {
		if r.use == Trust {
			return refuse(`AssumeRolepolicy contained an invalid principal: "STAR":"*".`, place, `write {"AWS": "*"}`)
		}
		s.principals.any = true
		s.note(PrincipalName{"*", "*"})
		return nil
	}
	o, ok := v.(object)
	if ok && len(o) == 0 {
		return refuse(sayMissing+"Principal cannot be empty!", place, `name one, such as {"AWS": "123456789012"}`)
	}
	if !ok {
		return refuse("Invalid principal in policy", place, `it must be "*" or an object such as {"AWS": "123456789012"}`)
	}
	for _, m := range o {
		if !isPrincipalType(m.name) {
			return refuse(`Invalid principal in policy: "`+m.name+`"`, place+"."+m.name, "the types are AWS, Service, Federated and CanonicalUser")
		}
		list, err := stringList(m.value, place+"."+m.name)
		if err != nil {
			return err
		}
		for _, name := range list {
			if !s.principals.add(m.name, name, r.use) {
				return refuse(`Invalid principal in policy: "`+strings.ToUpper(m.name)+`":"`+name+`"`, place+"."+m.name, "no principal has this form")
			}
			s.note(PrincipalName{m.name, name})
		}
	}
	return nil
}

func isPrincipalType(name string) bool {
	return name == "AWS" || name == "Service" || name == "Federated" || name == "CanonicalUser"
}

func (s *statement) note(p PrincipalName) {
	if s.principals.not {
		s.source.NotPrincipals = append(s.source.NotPrincipals, p)
		return
	}
	s.source.Principals = append(s.source.Principals, p)
}

// add takes one principal; false when it has no valid form.
func (p *principals) add(kind, name string, use Use) bool {
	switch kind {
	case "AWS":
		return p.addAWS(name)
	case "Service":
		p.services = append(p.services, name)
		return strings.Contains(name, ".") && !strings.ContainsAny(name, "*?:/ ")
	case "Federated":
		p.federated = append(p.federated, name)
		return name != "" && !strings.ContainsAny(name, "*?")
	case "CanonicalUser":
		// berth has no such ids, so it is never matched.
		return name != "" && use == Resource
	}
	return false
}

func (p *principals) addAWS(name string) bool {
	if name == "*" {
		p.any = true
		return true
	}
	if isAccount(name) {
		p.accounts = append(p.accounts, name)
		return true
	}
	if rest, ok := cutUniqueID(name); ok {
		p.ids = append(p.ids, name)
		return rest != "" && !strings.ContainsAny(rest, ":*?/ ")
	}
	a, err := arn.Parse(name)
	if err != nil || a.Region != "" || strings.ContainsAny(name, "*?") {
		return false
	}
	switch {
	case a.Service == "iam" && a.Resource == "root" && isAccount(a.Account):
		p.accounts = append(p.accounts, a.Account)
		return true
	case a.Service == "iam" && (a.Kind() == "user" || a.Kind() == "role"),
		a.Service == "sts" && isAccount(a.Account) && (a.Kind() == "assumed-role" || a.Kind() == "federated-user"):
		p.names = append(p.names, name)
		return a.Name() != ""
	}
	return false
}

func isAccount(s string) bool {
	return len(s) == 12 && !strings.ContainsFunc(s, func(c rune) bool { return c < '0' || c > '9' })
}

// cutUniqueID tells an id as AWS puts in for a user or role that is gone.
func cutUniqueID(name string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(name, "AROA"); ok {
		return rest, true
	}
	return strings.CutPrefix(name, "AIDA")
}

// speaksOf tells how near the statement's principals come to the request's. A
// NotPrincipal spares nobody who has a permissions boundary.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
func (s *statement) speaksOf(e *evaluation) reach {
	switch {
	case s.principals == nil:
		return directly
	case !s.principals.not:
		return s.principals.nearest(&e.q.Principal)
	case !e.bounded && s.principals.spare(&e.q.Principal):
		return nowhere
	}
	return directly
}

// nearest is the nearest that any of the names comes.
func (ps *principals) nearest(p *identity.Principal) reach {
	switch {
	case ps.any:
		return directly
	case p.Kind == identity.Service:
		return reachIf(slices.Contains(ps.services, p.ARN), directly)
	case p.Kind == identity.Federated:
		return reachIf(slices.Contains(ps.federated, p.ARN), directly)
	case slices.Contains(ps.names, p.ARN), p.Kind == identity.User && slices.Contains(ps.ids, p.UserID):
		return directly
	case p.Kind == identity.Root && slices.Contains(ps.accounts, p.Account):
		return directly
	case ps.nameRole(p):
		return byRole
	}
	return reachIf(slices.Contains(ps.accounts, p.Account), byAccount)
}

func reachIf(ok bool, r reach) reach {
	if ok {
		return r
	}
	return nowhere
}

func (ps *principals) nameRole(p *identity.Principal) bool {
	if p.RoleARN == "" {
		return false
	}
	id, _, _ := strings.Cut(p.UserID, ":")
	return slices.Contains(ps.names, p.RoleARN) || slices.Contains(ps.ids, id)
}

// spare tells whether NotPrincipal leaves p out. AWS looks at the account, the role
// and the session, and each of them must be named.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func (ps *principals) spare(p *identity.Principal) bool {
	switch p.Kind {
	case identity.User:
		return ps.any || ps.nearest(p) == directly && slices.Contains(ps.accounts, p.Account)
	case identity.AssumedRole:
		return ps.any || ps.nearest(p) == directly && ps.nameRole(p) && slices.Contains(ps.accounts, p.Account)
	}
	return ps.nearest(p) != nowhere
}
