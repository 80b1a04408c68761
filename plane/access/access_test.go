package access_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

const (
	account = "123456789012"
	iam     = "arn:aws:iam::" + account + ":"
	cluster = "arn:aws:ecs:eu-central-1:" + account + ":cluster/lab"
)

var at = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// statement is a policy of one statement.
func statement(effect, action, resource, more string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":%q,"Action":%q,"Resource":%q%s}}`, effect, action, resource, more)
}

func allow(action string) string { return statement("Allow", action, "*", "") }
func deny(action string) string  { return statement("Deny", action, "*", "") }
func allowIf(condition string) string {
	return statement("Allow", "*", "*", `,"Condition":`+condition)
}

// house is a store, what decides over it, and resources.
type house struct {
	*testing.T
	store store.Store
	*access.Access
	documents map[string]string
	tags      map[string][]workload.Tag
	seen      []access.Observation
}

func (h *house) Policy(arn string) (document, owner string, ok bool) {
	document, ok = h.documents[arn]
	return document, "", ok
}

func (h *house) Tags(arn string) ([]workload.Tag, bool) {
	tags, ok := h.tags[arn]
	return tags, ok
}

func build(t *testing.T) *house {
	h := &house{T: t, store: memory.Open(), documents: map[string]string{}, tags: map[string][]workload.Tag{}}
	h.Access = access.New(access.Config{
		Store: h.store, Resources: h, Seal: func(b []byte) string { return "sealed" + fmt.Sprint(len(b) > 0) },
		Observe: func(o access.Observation) { h.seen = append(h.seen, o) },
	})
	return h
}

func (h *house) put(change func(*store.Tx)) {
	h.Helper()
	if _, err := h.store.Update(context.Background(), func(tx *store.Tx) error { change(tx); return nil }); err != nil {
		h.Fatal(err)
	}
}

func inline(documents ...string) (out []identity.InlinePolicy) {
	for n, d := range documents {
		out = append(out, identity.InlinePolicy{Name: fmt.Sprint("p", n), Document: d})
	}
	return out
}

// managed makes a managed policy and returns its ARN.
func (h *house) managed(name, document string) string {
	p := &identity.ManagedPolicy{
		Account: account, Name: name, ARN: iam + "policy/" + name, Default: "v1", Versions: []identity.PolicyVersion{{ID: "v1", Document: document}},
	}
	h.put(func(tx *store.Tx) { store.ManagedPolicies.Put(tx, p) })
	return p.ARN
}

// role makes a role and returns a session of it.
func (h *house) role(grants identity.Grants, tags ...workload.Tag) access.Caller {
	role := &identity.Role{Account: account, Name: "worker", ID: "AROAONE", ARN: iam + "role/worker", Grants: grants, Tags: tags, Trust: trusting("ecs-tasks.amazonaws.com", "")}
	h.put(func(tx *store.Tx) { store.Roles.Put(tx, role) })
	return access.Caller{Principal: identity.SessionOf(role, "s"), Temporary: true, IssuedAt: at.Add(-time.Hour), Now: at, Region: "eu-central-1", Source: netip.MustParseAddr("10.0.0.7")}
}

func trusting(service, more string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"` + more + `}}`
}

// user makes a user.
func (h *house) user(grants identity.Grants, groups ...string) access.Caller {
	u := &identity.UserRecord{Account: account, Name: "ada", Path: "/eng/", ID: "AIDAADA", ARN: iam + "user/eng/ada", Grants: grants, Groups: groups}
	h.put(func(tx *store.Tx) { store.Users.Put(tx, u) })
	return access.Caller{Principal: identity.Principal{Kind: identity.User, Account: account, ARN: u.ARN, UserID: u.ID}, Now: at}
}

// says holds a decision against what it must be: empty for allowed, else words of
// the refusal.
func (h *house) says(what string, who access.Caller, want string) {
	h.Helper()
	err := h.Check(h.Context(), who, "ecs:DeleteCluster", []string{cluster}, nil)
	switch {
	case want == "" && err != nil:
		h.Errorf("%s: %v", what, err)
	case want != "" && (!fault.IsKind(err, fault.AccessDenied) || !strings.Contains(err.Error(), want)):
		h.Errorf("%s: got %v, want %s", what, err, want)
	}
}

const lacking = " is not authorized to perform: ecs:DeleteCluster on resource: " + cluster + " because no identity-based policy allows the ecs:DeleteCluster action"

func TestPoliciesOfUsers(t *testing.T) {
	h := build(t)
	all := h.managed("all", allow("*"))
	reads := h.managed("reads", allow("ecs:Describe*"))
	denies := h.managed("denies", deny("ecs:Delete*"))
	h.put(func(tx *store.Tx) {
		store.Groups.Put(tx, &identity.Group{Account: account, Name: "admins", Grants: identity.Grants{Attached: []string{all}}})
		store.Groups.Put(tx, &identity.Group{Account: account, Name: "inlined", Grants: identity.Grants{Inline: inline(allow("ecs:*"))}})
	})
	h.says("nothing", h.user(identity.Grants{}), "User: "+iam+"user/eng/ada"+lacking)
	h.says("inline", h.user(identity.Grants{Inline: inline(allow("ecs:*"))}), "")
	h.says("attached", h.user(identity.Grants{Attached: []string{all}}), "")
	h.says("attached, but too little", h.user(identity.Grants{Attached: []string{reads}}), lacking)
	h.says("by a group", h.user(identity.Grants{}, "admins"), "")
	h.says("by a group's inline policy", h.user(identity.Grants{}, "inlined"), "")
	h.says("a group that is gone", h.user(identity.Grants{}, "gone"), lacking)
	h.says("denied", h.user(identity.Grants{Attached: []string{denies}}, "admins"), "with an explicit deny in an identity-based policy (hint: "+denies+" denies it)")
	h.says("bounded", h.user(identity.Grants{Attached: []string{all}, Boundary: reads}), "because no permissions boundary allows the ecs:DeleteCluster action")
	h.says("bounded by what is gone", h.user(identity.Grants{Attached: []string{all}, Boundary: "arn:gone"}), "because no permissions boundary allows")

	gone := h.user(identity.Grants{Attached: []string{all}})
	h.put(func(tx *store.Tx) { store.Users.Delete(tx, store.NameKey(account, "ada")) })
	h.says("deleted", gone, lacking+" (hint: the user "+iam+"user/eng/ada does not exist any more)")
	again := h.user(identity.Grants{Attached: []string{all}})
	again.Principal.UserID = "AIDABEFORE"
	h.says("keys of one who had the name before", again, lacking)
}

func TestSessionsOfRoles(t *testing.T) {
	h := build(t)
	wide := identity.Grants{Inline: inline(allow("*"))}
	who := h.role(wide)
	h.says("the role's", who, "")
	h.says("what changed just now", h.role(identity.Grants{Inline: inline(allow("ecs:Describe*"))}), lacking)
	who = h.role(wide)
	reads := h.managed("reads", allow("ecs:Describe*"))

	narrow := who
	narrow.Session = &identity.Session{Policies: []string{allow("ecs:Describe*")}}
	h.says("session policy", narrow, "because no session policy allows the ecs:DeleteCluster action")
	narrow.Session = &identity.Session{PolicyARNs: []string{reads}}
	h.says("managed session policy", narrow, "because no session policy allows")
	narrow.Session = &identity.Session{PolicyARNs: []string{reads}, Policies: []string{allow("ecs:Delete*")}}
	h.says("either", narrow, "")
	narrow.Session = &identity.Session{Tags: []workload.Tag{{Key: "a", Value: "b"}}}
	h.says("a session with tags alone", narrow, "")

	byName := who
	byName.Principal = identity.RoleSession(iam+"role/worker", "s")
	h.says("known by its name", byName, "")
	elsewhere := who
	elsewhere.Principal.RoleARN = iam + "role/path/worker"
	h.says("under another path", elsewhere, "does not exist any more")
	h.put(func(tx *store.Tx) {
		store.Roles.Put(tx, &identity.Role{Account: account, Name: "worker", ID: "AROATWO", ARN: iam + "role/worker", Grants: wide})
	})
	h.says("a role that was made again", who, lacking)
	h.put(func(tx *store.Tx) { store.Roles.Delete(tx, store.NameKey(account, "worker")) })
	h.says("a role that is gone", byName, "does not exist any more")
	h.says("a damaged policy", h.role(identity.Grants{Inline: inline("{", allow("*"))}), "cannot be read")
}

func TestRootAndItsFederations(t *testing.T) {
	h := build(t)
	root := access.Caller{Principal: identity.RootPrincipal(account), Now: at}
	h.documents[cluster] = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}`
	h.says("root", root, "")
	delete(h.documents, cluster)
	root.Session = &identity.Session{Federated: true}
	h.says("federated without policies", root, "because no session policy allows")
	root.Session = &identity.Session{Federated: true, Policies: []string{allow("ecs:*")}}
	h.says("federated", root, "")
	let := h.user(identity.Grants{Inline: inline(allow("ecs:*"))})
	guest := let
	guest.Principal = identity.Principal{Kind: identity.User, Account: account, ARN: "arn:aws:sts::" + account + ":federated-user/guest", UserID: account + ":guest"}
	guest.Session = &identity.Session{Federated: true, By: let.Principal, Policies: []string{allow("*")}}
	h.says("federated by a user", guest, "")
	let = h.user(identity.Grants{Inline: inline(allow("s3:*"))})
	h.says("as little as the user", guest, "because no identity-based policy allows")
	other := access.Caller{Principal: identity.RootPrincipal("999999999999"), Now: at}
	h.says("of another account", other, "because no resource-based policy allows")
}

func TestPoliciesOfResources(t *testing.T) {
	h := build(t)
	who := h.role(identity.Grants{})
	h.documents[cluster] = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + iam + `role/worker"},"Action":"ecs:*","Resource":"*"}}`
	h.says("granted by the resource", who, "")
	h.documents[cluster] = strings.Replace(h.documents[cluster], "Allow", "Deny", 1)
	h.says("denied by the resource", h.role(identity.Grants{Inline: inline(allow("*"))}), "with an explicit deny in a resource-based policy")
	h.documents[cluster] = "{"
	h.says("a damaged one", who, "cannot be read")
}

func TestConditionKeys(t *testing.T) {
	h := build(t)
	h.tags[cluster] = []workload.Tag{{Key: "team", Value: "blue"}}
	for condition, allowed := range map[string]bool{
		`{"ArnEquals":{"aws:PrincipalArn":"` + iam + `role/worker"}}`:          true,
		`{"StringEquals":{"aws:PrincipalAccount":"` + account + `"}}`:          true,
		`{"StringEquals":{"aws:PrincipalType":"AssumedRole"}}`:                 true,
		`{"StringEquals":{"aws:userid":"AROAONE:s"}}`:                          true,
		`{"Null":{"aws:username":"true"}}`:                                     true,
		`{"StringEquals":{"aws:PrincipalTag/team":"blue"}}`:                    true,
		`{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}`: true,
		`{"StringEquals":{"ecs:ResourceTag/team":"red"}}`:                      false,
		`{"Bool":{"aws:PrincipalIsAWSService":"false"}}`:                       true,
		`{"IpAddress":{"aws:SourceIp":"10.0.0.0/24"}}`:                         true,
		`{"IpAddress":{"aws:SourceIp":"10.0.1.0/24"}}`:                         false,
		`{"Bool":{"aws:SecureTransport":"true"}}`:                              false,
		`{"DateGreaterThan":{"aws:CurrentTime":"2026-01-02T11:59:59Z"}}`:       true,
		`{"NumericLessThan":{"aws:EpochTime":"1767355200"}}`:                   false,
		`{"StringEquals":{"aws:RequestedRegion":"eu-central-1"}}`:              true,
		`{"DateLessThan":{"aws:TokenIssueTime":"2026-01-02T11:30:00Z"}}`:       true,
		`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`:                       false,
		`{"Null":{"aws:MultiFactorAuthAge":"true"}}`:                           true,
		`{"StringEquals":{"aws:ResourceAccount":"` + account + `"}}`:           true,
		`{"Null":{"aws:CalledVia":"true"}}`:                                    true,
		`{"Null":{"aws:SourceIdentity":"true"}}`:                               true,
		`{"Null":{"aws:RequestTag/team":"true"}}`:                              true,
	} {
		who := h.role(identity.Grants{Inline: inline(allowIf(condition))}, workload.Tag{Key: "team", Value: "blue"})
		want := ""
		if !allowed {
			want = lacking
		}
		h.says(condition, who, want)
	}
}

func TestKeysOfSessions(t *testing.T) {
	h := build(t)
	who := h.role(identity.Grants{Inline: inline(allowIf(`{"StringEquals":{"aws:PrincipalTag/team":"red","aws:SourceIdentity":"ada"},"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericEquals":{"aws:MultiFactorAuthAge":"3600"}}`))},
		workload.Tag{Key: "team", Value: "blue"})
	who.Session = &identity.Session{Tags: []workload.Tag{{Key: "team", Value: "red"}}, MFA: true, SourceIdentity: "ada"}
	h.says("the session's tags come before the role's", who, "")
	longTerm := h.user(identity.Grants{Inline: inline(allowIf(`{"Null":{"aws:MultiFactorAuthPresent":"true","aws:TokenIssueTime":"true"},"StringEquals":{"aws:username":"ada"}}`))})
	h.says("long-term keys have neither", longTerm, "")
}

func TestRefusalsOfEC2CarryAnEncodedMessage(t *testing.T) {
	h := build(t)
	who := h.role(identity.Grants{})
	call := &gateway.Call{Service: "ec2", Principal: who.Principal, Now: at}
	err := h.Authorise(h.Context(), call, gateway.Need{Action: "ec2:DescribeVpcs"})
	want := "You are not authorized to perform this operation. User: " + who.Principal.ARN +
		" is not authorized to perform: ec2:DescribeVpcs on resource: * because no identity-based policy allows the ec2:DescribeVpcs action. Encoded authorization failure message: sealedtrue"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestDecisionsAreObserved(t *testing.T) {
	h := build(t)
	who := h.role(identity.Grants{Inline: inline(allow("ecs:DeleteCluster"))})
	h.says("allowed", who, "")
	_ = h.Check(h.Context(), who, "ecs:RunTask", []string{"a", "b"}, nil)
	want := []access.Observation{
		{Principal: who.Principal.ARN, RoleARN: iam + "role/worker", Action: "ecs:DeleteCluster", Resource: cluster, Region: who.Region, Effect: policy.Allow, At: at},
		{Principal: who.Principal.ARN, RoleARN: iam + "role/worker", Action: "ecs:RunTask", Resource: "a", Region: who.Region, Effect: policy.ImplicitDeny, At: at},
	}
	if len(h.seen) != 2 || h.seen[0] != want[0] || h.seen[1] != want[1] {
		t.Errorf("saw %+v", h.seen)
	}
}

func TestWhoTrustsAService(t *testing.T) {
	h := build(t)
	const source = "arn:aws:ecs:eu-central-1:" + account + ":task/lab/1"
	h.role(identity.Grants{})
	trusts := func(role, service string) error {
		_, err := h.Trusts(h.store.View(), role, service, source)
		return err
	}
	if err := trusts(iam+"role/worker", "ecs-tasks.amazonaws.com"); err != nil {
		t.Error(err)
	}
	for _, c := range [][2]string{{iam + "role/worker", "ecs.amazonaws.com"}, {iam + "role/gone", "ecs-tasks.amazonaws.com"}, {iam + "role/x/worker", "ecs-tasks.amazonaws.com"}, {"worker", "ecs-tasks.amazonaws.com"}} {
		if trusts(c[0], c[1]) == nil {
			t.Errorf("%s may become %s", c[1], c[0])
		}
	}
	for condition, ok := range map[string]bool{
		`{"ArnLike":{"aws:SourceArn":"arn:aws:ecs:eu-central-1:123456789012:*"},"StringEquals":{"aws:SourceAccount":"123456789012"}}`: true,
		`{"StringEquals":{"aws:SourceAccount":"999999999999"}}`:                                                                       false,
	} {
		h.put(func(tx *store.Tx) {
			store.Roles.Put(tx, &identity.Role{Account: account, Name: "worker", ARN: iam + "role/worker", Trust: trusting("ecs-tasks.amazonaws.com", `,"Condition":`+condition)})
		})
		if err := trusts(iam+"role/worker", "ecs-tasks.amazonaws.com"); (err == nil) != ok {
			t.Errorf("%s: %v", condition, err)
		}
	}
}
