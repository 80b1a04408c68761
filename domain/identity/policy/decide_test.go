package policy

import (
	"testing"

	"github.com/berthhq/berth/domain/identity"
)

const account = "123456789012"

func user(name string) identity.Principal {
	return identity.Principal{Kind: identity.User, Account: account, ARN: "arn:aws:iam::" + account + ":user/" + name, UserID: "AIDA" + name}
}

func roleSession() identity.Principal {
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
	return &Applied{Name: "P", Document: parsed(t, use, `{"Version":"2012-10-17","Statement":[{`+elements+`}]}`)}
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
		"session intersects":                 {who: roleSession(), identity: all, session: none, source: SessionBased},
		"session grants nothing":             {who: roleSession(), session: all, source: IdentityBased},
		"role ARN":                           {who: roleSession(), resource: aws(byRole), want: Allow, source: ResourceBased},
		"role ARN under a boundary":          {who: roleSession(), boundary: none, resource: aws(byRole), source: Boundary},
		"role ARN under a session policy":    {who: roleSession(), session: none, resource: aws(byRole), source: SessionBased},
		"session ARN passes the boundary":    {who: roleSession(), boundary: none, resource: aws(bySession), want: Allow, source: ResourceBased},
		"session ARN passes session policy":  {who: roleSession(), session: none, resource: aws(bySession), want: Allow, source: ResourceBased},
		"unique id of the role":              {who: roleSession(), resource: aws("AROARole"), want: Allow, source: ResourceBased},
		"unique id of the role is bounded":   {who: roleSession(), boundary: none, resource: aws("AROARole"), source: Boundary},
		"across: resource only":              {who: user("u"), resource: aws(byUser), owner: "999999999999", source: IdentityBased},
		"across: identity only":              {who: user("u"), identity: all, owner: "999999999999", source: ResourceBased},
		"across: both":                       {who: user("u"), identity: all, resource: aws(byUser), owner: "999999999999", want: Allow, source: IdentityBased},
		"across: account and identity":       {who: user("u"), identity: all, resource: aws(byRoot), owner: "999999999999", want: Allow, source: IdentityBased},
		"across: boundary":                   {who: user("u"), identity: all, boundary: none, resource: aws(byUser), owner: "999999999999", source: Boundary},
		"across: session ARN is no shortcut": {who: roleSession(), session: none, identity: all, resource: aws(bySession), owner: "999999999999", source: SessionBased},
		"root":                               {who: identity.RootPrincipal(account), want: Allow},
		"root across":                        {who: identity.RootPrincipal(account), owner: "999999999999", source: ResourceBased},
		"root across, allowed":               {who: identity.RootPrincipal(account), owner: "999999999999", resource: aws(byRoot), want: Allow, source: ResourceBased},
		"root of a trusting resource":        {who: identity.RootPrincipal(account), trusting: true, source: ResourceBased},
		"root of its key":                    {who: identity.RootPrincipal(account), trusting: true, resource: aws(byRoot), want: Allow, source: ResourceBased},
		"key: identity only":                 {who: user("u"), identity: all, trusting: true, source: ResourceBased},
		"key: delegated to the account":      {who: user("u"), identity: all, trusting: true, resource: aws(byRoot), want: Allow, source: IdentityBased},
		"key: delegated, nothing granted":    {who: user("u"), trusting: true, resource: aws(byRoot), source: IdentityBased},
		"key: names the user":                {who: user("u"), trusting: true, resource: aws(byUser), want: Allow, source: ResourceBased},
		"the nearest name counts":            {who: user("u"), resource: aws(byRoot) + `},{` + aws(byUser), want: Allow, source: ResourceBased},
		"the nearest name counts, not last":  {who: user("u"), resource: aws(byUser) + `},{` + aws(byRoot), want: Allow, source: ResourceBased},
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

// policies puts documents in their places; an empty one is none.
func policies(t *testing.T, identity []string, resource string) *Policies {
	p := &Policies{}
	for _, text := range identity {
		p.Identity = append(p.Identity, Applied{Name: "identity", Document: parsed(t, Identity, text)})
	}
	if resource != "" {
		p.Resource = &Applied{Name: "resource", Document: parsed(t, Resource, resource)}
	}
	return p
}

// The policies here say what the examples of the IAM User Guide say.
func TestExamplesOfTheUserGuide(t *testing.T) {
	const carlosReads = `{"Version":"2012-10-17","Statement":[
		{"Sid":"AllowS3ListRead","Effect":"Allow","Action":["s3:GetBucketLocation","s3:ListAllMyBuckets"],"Resource":"arn:aws:s3:::*"},
		{"Sid":"AllowS3Self","Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::carlossalazar/*","arn:aws:s3:::carlossalazar"]},
		{"Sid":"DenyS3Logs","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::*log*"}]}`
	const carlosBucket = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/carlossalazar"},
		"Action":"s3:*","Resource":["arn:aws:s3:::carlossalazar-logs/*","arn:aws:s3:::carlossalazar-logs"]}]}`
	const notBob = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::123456789012:user/Bob","arn:aws:iam::123456789012:root"]},
		"Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}]}`
	const notRole = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:sts::123456789012:assumed-role/Role/Session",
		"arn:aws:iam::123456789012:role/Role","arn:aws:iam::123456789012:root"]},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}]}`
	const notSession = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:sts::123456789012:assumed-role/Role/Session",
		"arn:aws:iam::123456789012:root"]},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}]}`
	const selfService = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*LoginProfile","iam:*AccessKey*"],"Resource":"arn:aws:iam::*:user/${aws:username}"}]}`
	const notIAM = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]}`
	const withMFA = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":["iam:GetUser","sts:GetSessionToken"],"Resource":"*",
		"Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}},{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	const payroll = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","NotResource":["arn:aws:s3:::HRBucket/Payroll","arn:aws:s3:::HRBucket/Payroll/*"]}}`
	const everything = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	bob := map[string][]string{"aws:username": {"Bob"}}
	for _, c := range []struct {
		who              identity.Principal
		action, resource string
		keys             map[string][]string
		identity         []string
		bucket           string
		want             Effect
		sid              string
	}{
		{user("carlossalazar"), "s3:PutObject", "arn:aws:s3:::carlossalazar/k", nil, []string{carlosReads}, "", Allow, "AllowS3Self"},
		{user("carlossalazar"), "s3:PutObject", "arn:aws:s3:::carlossalazar-logs/k", nil, []string{carlosReads}, carlosBucket, ExplicitDeny, "DenyS3Logs"},
		{user("carlossalazar"), "s3:PutObject", "arn:aws:s3:::carlossalazar-logs/k", nil, nil, carlosBucket, Allow, ""},
		{user("carlossalazar"), "s3:PutObject", "arn:aws:s3:::other/k", nil, []string{carlosReads}, carlosBucket, ImplicitDeny, ""},
		{user("Bob"), "s3:GetObject", "arn:aws:s3:::b/k", nil, []string{everything}, notBob, Allow, ""},
		{user("Jane"), "s3:GetObject", "arn:aws:s3:::b/k", nil, []string{everything}, notBob, ExplicitDeny, ""},
		{roleSession(), "s3:GetObject", "arn:aws:s3:::b/k", nil, []string{everything}, notBob, ExplicitDeny, ""},
		{roleSession(), "s3:GetObject", "arn:aws:s3:::b/k", nil, []string{everything}, notRole, Allow, ""},
		{identity.RoleSession("arn:aws:iam::123456789012:role/Role", "Other"), "s3:GetObject", "arn:aws:s3:::b/k", nil, []string{everything}, notRole, ExplicitDeny, ""},
		{roleSession(), "s3:GetObject", "arn:aws:s3:::b/k", nil, []string{everything}, notSession, ExplicitDeny, ""},
		{identity.RootPrincipal(account), "s3:GetObject", "arn:aws:s3:::b/k", nil, nil, notRole, Allow, ""},
		{identity.RootPrincipal("999999999999"), "s3:GetObject", "arn:aws:s3:::b/k", nil, nil, notRole, ExplicitDeny, ""},
		{user("Bob"), "iam:CreateAccessKey", "arn:aws:iam::123456789012:user/Bob", bob, []string{selfService}, "", Allow, ""},
		{user("Bob"), "iam:CreateAccessKey", "arn:aws:iam::123456789012:user/Jane", bob, []string{selfService}, "", ImplicitDeny, ""},
		{user("Bob"), "ecs:RunTask", "*", nil, []string{notIAM}, "", Allow, ""},
		{user("Bob"), "iam:GetUser", "*", nil, []string{notIAM}, "", ImplicitDeny, ""},
		{user("Bob"), "ecs:RunTask", "*", map[string][]string{"aws:multifactorauthpresent": {"false"}}, []string{withMFA}, "", ExplicitDeny, ""},
		{user("Bob"), "ecs:RunTask", "*", map[string][]string{"aws:multifactorauthpresent": {"true"}}, []string{withMFA}, "", Allow, ""},
		{user("Bob"), "ecs:RunTask", "*", nil, []string{withMFA}, "", ExplicitDeny, ""}, // long-term keys have no such key
		{user("Bob"), "sts:GetSessionToken", "*", nil, []string{withMFA}, "", Allow, ""},
		{user("Bob"), "s3:GetObject", "arn:aws:s3:::HRBucket/Payroll/may", nil, []string{payroll, everything}, "", Allow, ""},
		{user("Bob"), "s3:GetObject", "arn:aws:s3:::HRBucket/Other", nil, []string{payroll, everything}, "", ExplicitDeny, ""},
	} {
		q := &Request{Principal: c.who, Action: c.action, Resource: c.resource, Keys: keys(c.keys)}
		if d := Decide(q, policies(t, c.identity, c.bucket)); d.Effect != c.want || d.Sid != c.sid {
			t.Errorf("%s %s on %s: %+v", c.who.ARN, c.action, c.resource, d)
		}
	}
}

// A role's trust decides alone for those it names, and leaves it to their accounts
// for the others.
func TestTrust(t *testing.T) {
	const trust = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{
			"ArnLike":{"aws:SourceArn":"arn:aws:ecs:*:123456789012:*"},"StringEquals":{"aws:SourceAccount":"123456789012"}}},
		{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:user/named","arn:aws:iam::999999999999:root"]},"Action":"sts:AssumeRole"},
		{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/id.example.com"},"Action":"sts:AssumeRoleWithWebIdentity",
			"Condition":{"StringEquals":{"id.example.com:aud":"berth"}}}]}`
	tasks := identity.Principal{Kind: identity.Service, ARN: "ecs-tasks.amazonaws.com"}
	source := map[string][]string{"aws:sourcearn": {"arn:aws:ecs:us-east-1:123456789012:task/c/1"}, "aws:sourceaccount": {"123456789012"}}
	foreign := identity.Principal{Kind: identity.User, Account: "999999999999", ARN: "arn:aws:iam::999999999999:user/f"}
	web := identity.Principal{Kind: identity.Federated, ARN: "arn:aws:iam::123456789012:oidc-provider/id.example.com"}
	may := []string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:*","Resource":"arn:aws:iam::123456789012:role/R"}}`}
	for name, c := range map[string]struct {
		who      identity.Principal
		action   string
		keys     map[string][]string
		identity []string
		want     Effect
		source   Source
	}{
		"a service":                           {tasks, "sts:AssumeRole", source, nil, Allow, TrustBased},
		"a service from elsewhere":            {tasks, "sts:AssumeRole", map[string][]string{"aws:sourcearn": source["aws:sourcearn"], "aws:sourceaccount": {"1"}}, nil, ImplicitDeny, TrustBased},
		"a service that is not trusted":       {identity.Principal{Kind: identity.Service, ARN: "ec2.amazonaws.com"}, "sts:AssumeRole", source, nil, ImplicitDeny, TrustBased},
		"a user who is named":                 {user("named"), "sts:AssumeRole", nil, nil, Allow, TrustBased},
		"a user who is not":                   {user("other"), "sts:AssumeRole", nil, may, ImplicitDeny, TrustBased},
		"a foreign account's user":            {foreign, "sts:AssumeRole", nil, may, Allow, IdentityBased},
		"a foreign account's user, not sent":  {foreign, "sts:AssumeRole", nil, nil, ImplicitDeny, IdentityBased},
		"a web identity":                      {web, "sts:AssumeRoleWithWebIdentity", map[string][]string{"id.example.com:aud": {"berth"}}, nil, Allow, TrustBased},
		"a web identity for another audience": {web, "sts:AssumeRoleWithWebIdentity", map[string][]string{"id.example.com:aud": {"else"}}, nil, ImplicitDeny, TrustBased},
	} {
		p := policies(t, c.identity, "")
		p.Resource, p.Owner, p.Trusting = &Applied{Name: "trust", Document: parsed(t, Trust, trust)}, account, true
		q := &Request{Principal: c.who, Action: c.action, Resource: "arn:aws:iam::123456789012:role/R", Keys: keys(c.keys)}
		if d := Decide(q, p); d.Effect != c.want || d.Source != c.source {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestDecisionsSayWhatTheyRestOn(t *testing.T) {
	p := policies(t, []string{`{"Version":"2012-10-17","Statement":[
		{"Sid":"One","Effect":"Allow","Action":"ecs:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/Team":"blue"}}},
		{"Sid":"Two","Effect":"Allow","Action":"ecs:RunTask","Resource":"*"},
		{"Sid":"Three","Effect":"Allow","Action":"ecs:*","Resource":"*","Condition":{"StringLike":{"aws:requesttag/Team":"b*","aws:RequestTag/Team":"*","aws:SourceVpc":"v"}}}]}`}, "")
	d := Decide(&Request{Principal: user("u"), Action: "ecs:RunTask", Resource: "*"}, p)
	if d.Policy != "identity" || d.Sid != "Two" || len(d.Matched) != 1 || d.Matched[0] != (Match{IdentityBased, "identity", 1, "Two", true}) {
		t.Errorf("got %+v", d)
	}
	if len(d.Missing) != 1 || d.Missing[0] != "aws:RequestTag/Team" {
		t.Errorf("missing %q", d.Missing)
	}
}

func TestNotPrincipalSparesNobodyWithABoundary(t *testing.T) {
	const notBob = `"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::123456789012:user/Bob","arn:aws:iam::123456789012:root"]},"Action":"*","Resource":"*"`
	all := applied(t, Identity, `"Effect":"Allow","Action":"*","Resource":"*"`)
	q := &Request{Principal: user("Bob"), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}
	for boundary, want := range map[*Applied]Effect{nil: Allow, all: ExplicitDeny} {
		p := &Policies{Identity: []Applied{*all}, Boundary: boundary, Resource: applied(t, Resource, notBob)}
		if d := Decide(q, p); d.Effect != want {
			t.Errorf("boundary %v: %+v", boundary != nil, d)
		}
	}
}

// A document that could not be read must not let anything through.
func TestNoDocumentAllowsNothing(t *testing.T) {
	p := &Policies{Identity: []Applied{{Name: "gone"}}, Boundary: &Applied{}, Resource: &Applied{}, Session: []Applied{{}}, Sessioned: true}
	if d := Decide(&Request{Principal: user("u"), Action: "ecs:RunTask", Resource: "*"}, p); d.Effect != ImplicitDeny {
		t.Errorf("got %+v", d)
	}
}
