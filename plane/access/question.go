package access

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/workload"
)

// question is one action on one resource, as condition keys see it.
type question struct {
	who       *Caller
	standing  *standing
	resources Resources // nil for none
	action    string
	resource  string
	given     map[string][]string
	in        any // the decoded request; nil for none
}

// key implements policy.Keys.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (q *question) key(name string) ([]string, bool) {
	for have, values := range q.given {
		if strings.EqualFold(have, name) {
			return values, true
		}
	}
	kind, tag, tagged := strings.Cut(name, "/")
	if tagged {
		return q.tag(kind, tag)
	}
	if name == "aws:tagkeys" {
		keys := keysIn(q.in)
		return keys, keys != nil
	}
	value := q.ofPrincipal(name)
	if value == "" {
		value = q.ofRequest(name)
	}
	if value == "" {
		return nil, false
	}
	return []string{value}, true
}

// tag is the value of a tag of the principal, the request or the resource.
func (q *question) tag(kind, name string) ([]string, bool) {
	switch {
	case kind == "aws:principaltag":
		if q.who.Session != nil {
			if value, ok := valueOf(q.who.Session.Tags, name); ok {
				return []string{value}, true
			}
		}
		return one(valueOf(q.standing.tags, name))
	case kind == "aws:requesttag":
		return one(valueOf(tagsIn(q.in), name))
	case strings.HasSuffix(kind, ":resourcetag") && q.resources != nil:
		tags, _ := q.resources.Tags(q.resource)
		return one(valueOf(tags, name))
	}
	return nil, false
}

func one(value string, ok bool) ([]string, bool) {
	if !ok {
		return nil, false
	}
	return []string{value}, true
}

func valueOf(tags []workload.Tag, name string) (string, bool) {
	i := slices.IndexFunc(tags, func(t workload.Tag) bool { return strings.EqualFold(t.Key, name) })
	if i < 0 {
		return "", false
	}
	return tags[i].Value, true
}

// ofPrincipal is a key about who asks; empty when it is absent.
func (q *question) ofPrincipal(name string) string {
	p, session := &q.who.Principal, q.who.Session
	switch name {
	case "aws:principalarn":
		if p.RoleARN != "" {
			return p.RoleARN
		}
		return p.ARN
	case "aws:principalaccount":
		return p.Account
	case "aws:principaltype":
		return principalType(q.who)
	case "aws:userid":
		return p.UserID
	case "aws:username":
		if p.Kind == identity.User && !federated(q.who) {
			return arn.NameOf(p.ARN)
		}
	case "aws:principalisawsservice":
		return strconv.FormatBool(p.Kind == identity.Service)
	case "aws:principalservicename":
		if p.Kind == identity.Service {
			return p.ARN
		}
	case "aws:sourceidentity", "sts:sourceidentity":
		if session != nil {
			return session.SourceIdentity
		}
	case "aws:federatedprovider":
		if session != nil {
			return session.Issuer
		}
	}
	return ""
}

func principalType(who *Caller) string {
	switch {
	case who.Principal.Kind == identity.Root:
		return "Account"
	case federated(who):
		return "FederatedUser"
	}
	return string(who.Principal.Kind)
}

// ofRequest is a key about how and for what is asked; empty when it is absent.
func (q *question) ofRequest(name string) string {
	switch name {
	case "aws:sourceip":
		if q.who.Source.IsValid() {
			return q.who.Source.String()
		}
	case "aws:securetransport":
		return strconv.FormatBool(q.who.Secure)
	case "aws:currenttime":
		return q.who.Now.UTC().Format(time.RFC3339)
	case "aws:epochtime":
		return strconv.FormatInt(q.who.Now.Unix(), 10)
	case "aws:requestedregion":
		return q.who.Region
	case "aws:useragent":
		return q.who.UserAgent
	case "aws:resourceaccount":
		return q.owner()
	case "aws:viaawsservice":
		return "false"
	}
	if q.who.Temporary {
		return q.ofToken(name)
	}
	return ""
}

// ofToken are the keys that only temporary credentials have.
func (q *question) ofToken(name string) string {
	mfa := q.who.Session != nil && q.who.Session.MFA
	switch name {
	case "aws:tokenissuetime":
		return q.who.IssuedAt.UTC().Format(time.RFC3339)
	case "aws:multifactorauthpresent":
		return strconv.FormatBool(mfa)
	case "aws:multifactorauthage":
		if mfa {
			return strconv.FormatInt(int64(q.who.Now.Sub(q.who.IssuedAt)/time.Second), 10)
		}
	}
	return ""
}

// owner is the account of the resource.
func (q *question) owner() string {
	if account := accountOf(q.resource); account != "" {
		return account
	}
	if q.resources != nil {
		if _, owner, ok := q.resources.Policy(q.resource); ok {
			return owner
		}
	}
	if q.resource == "*" {
		return ""
	}
	return q.who.Principal.Account
}
