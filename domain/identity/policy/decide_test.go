package policy

import (
	"testing"

	"github.com/berthhq/berth/domain/identity"
)

const account = "123456789012"

func user(name string) identity.Principal {
	return identity.Principal{Kind: identity.User, Account: account, ARN: "arn:aws:iam::" + account + ":user/" + name, UserID: "AIDA" + name}
}

func session() identity.Principal {
	return identity.RoleSession("arn:aws:iam::"+account+":role/Role", "Session")
}

func parsed(t testing.TB, use Use, text string) *Document {
	t.Helper()
	d, err := Parse(text, use)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

func applied(t testing.TB, use Use, elements string) *Applied {
	return &Applied{Name: "P", Document: parsed(t, use, one(elements))}
}

func keys(pairs map[string][]string) Keys {
	return func(name string) ([]string, bool) {
		v, ok := pairs[name]
		return v, ok
	}
}

// The rules of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
func TestWhoMustAllow(t *testing.T) {
	const all = `"Effect":"Allow","Action":"*","Resource":"*"`
	const none = `"Effect":"Allow","Action":"iam:GetUser","Resource":"*"`
	to := func(who string) string { return `"Principal":` + who + `,` + all }
	aws := func(arn string) string { return to(`{"AWS":"` + arn + `"}`) }
	const (
		byUser    = "arn:aws:iam::" + account + ":user/u"
		byRole    = "arn:aws:iam::" + account + ":role/Role"
		bySession = "arn:aws:sts::" + account + ":assumed-role/Role/Session"
		byRoot    = "arn:aws:iam::" + account + ":root"
	)
	service := identity.Principal{Kind: identity.Service, ARN: "ecs-tasks.amazonaws.com"}
	for name, c := range map[string]struct {
		who                                   identity.Principal
		identity, boundary, session, resource string
		owner                                 string
		trusting                              bool
		want                                  Effect
		source                                Source
	}{
		"nothing":                            {who: user("u"), source: IdentityBased},
		"identity":                           {who: user("u"), identity: all, want: Allow, source: IdentityBased},
		"resource names the user":            {who: user("u"), resource: aws(byUser), want: Allow, source: ResourceBased},
		"user ARN passes the boundary":       {who: user("u"), boundary: none, resource: aws(byUser), want: Allow, source: ResourceBased},
		"everybody":                          {who: user("u"), resource: to(`"*"`), want: Allow, source: ResourceBased},
		"another user":                       {who: user("v"), resource: aws(byUser), source: IdentityBased},
		"unique id of the user":              {who: user("u"), resource: aws("AIDAu"), want: Allow, source: ResourceBased},
		"unique id of nobody":                {who: user("u"), resource: aws("AIDAGONE"), source: IdentityBased},
		"account delegates only":             {who: user("u"), resource: aws(byRoot), source: IdentityBased},
		"account and identity":               {who: user("u"), identity: all, resource: aws(account), want: Allow, source: IdentityBased},
		"boundary intersects":                {who: user("u"), identity: all, boundary: none, source: Boundary},
		"boundary grants nothing":            {who: user("u"), boundary: all, source: IdentityBased},
		"boundary and identity":              {who: user("u"), identity: all, boundary: all, want: Allow, source: IdentityBased},
		"session intersects":                 {who: session(), identity: all, session: none, source: SessionBased},
		"session grants nothing":             {who: session(), session: all, source: IdentityBased},
		"role ARN":                           {who: session(), resource: aws(byRole), want: Allow, source: ResourceBased},
		"role ARN under a boundary":          {who: session(), boundary: none, resource: aws(byRole), source: Boundary},
		"role ARN under a session policy":    {who: session(), session: none, resource: aws(byRole), source: SessionBased},
		"session ARN passes the boundary":    {who: session(), boundary: none, resource: aws(bySession), want: Allow, source: ResourceBased},
		"session ARN passes session policy":  {who: session(), session: none, resource: aws(bySession), want: Allow, source: ResourceBased},
		"unique id of the role":              {who: session(), resource: aws("AROARole"), want: Allow, source: ResourceBased},
		"unique id of the role is bounded":   {who: session(), boundary: none, resource: aws("AROARole"), source: Boundary},
		"across: resource only":              {who: user("u"), resource: aws(byUser), owner: "999999999999", source: IdentityBased},
		"across: identity only":              {who: user("u"), identity: all, owner: "999999999999", source: ResourceBased},
		"across: both":                       {who: user("u"), identity: all, resource: aws(byUser), owner: "999999999999", want: Allow, source: IdentityBased},
		"across: account and identity":       {who: user("u"), identity: all, resource: aws(byRoot), owner: "999999999999", want: Allow, source: IdentityBased},
		"across: boundary":                   {who: user("u"), identity: all, boundary: none, resource: aws(byUser), owner: "999999999999", source: Boundary},
		"across: session ARN is no shortcut": {who: session(), session: none, identity: all, resource: aws(bySession), owner: "999999999999", source: SessionBased},
		"root":                               {who: identity.RootPrincipal(account), want: Allow},
		"root across":                        {who: identity.RootPrincipal(account), owner: "999999999999", source: ResourceBased},
		"root across, allowed":               {who: identity.RootPrincipal(account), owner: "999999999999", resource: aws(byRoot), want: Allow, source: ResourceBased},
		"root of a trusting resource":        {who: identity.RootPrincipal(account), trusting: true, source: ResourceBased},
		"root of its key":                    {who: identity.RootPrincipal(account), trusting: true, resource: aws(byRoot), want: Allow, source: ResourceBased},
		"key: identity only":                 {who: user("u"), identity: all, trusting: true, source: ResourceBased},
		"key: delegated to the account":      {who: user("u"), identity: all, trusting: true, resource: aws(byRoot), want: Allow, source: IdentityBased},
		"key: delegated, nothing granted":    {who: user("u"), trusting: true, resource: aws(byRoot), source: IdentityBased},
		"key: names the user":                {who: user("u"), trusting: true, resource: aws(byUser), want: Allow, source: ResourceBased},
		"service":                            {who: service, resource: to(`{"Service":"ecs-tasks.amazonaws.com"}`), want: Allow, source: ResourceBased},
		"another service":                    {who: service, resource: to(`{"Service":"ecs.amazonaws.com"}`), source: ResourceBased},
		"service without a policy":           {who: service, source: ResourceBased},
		"stranger":                           {resource: aws(byUser), source: ResourceBased},
		"stranger among everybody":           {resource: to(`"*"`), owner: account, want: Allow, source: ResourceBased},
	} {
		p := &Policies{Owner: c.owner, Trusting: c.trusting}
		if c.identity != "" {
			p.Identity = []Applied{*applied(t, Identity, c.identity)}
		}
		if c.boundary != "" {
			p.Boundary = applied(t, Identity, c.boundary)
		}
		if c.session != "" {
			p.Session, p.Sessioned = []Applied{*applied(t, Identity, c.session)}, true
		}
		if c.resource != "" {
			p.Resource = applied(t, Resource, c.resource)
		}
		d := Decide(&Request{Principal: c.who, Action: "ecs:RunTask", Resource: "arn:aws:ecs:us-east-1:123456789012:task-definition/a:1"}, p)
		if d.Effect != c.want || d.Source != c.source {
			t.Errorf("%s: got %v by the %s, want %v by the %s", name, d.Effect, d.Source, c.want, c.source)
		}
	}
}
