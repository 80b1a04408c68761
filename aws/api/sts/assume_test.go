package sts_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/sts"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

const (
	account = "123456789012"
	ada     = "arn:aws:iam::123456789012:user/ada"
	role    = "arn:aws:iam::123456789012:role/app"
	allow   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
)

// house is a store with the user ada and the role app, and STS over it.
type house struct {
	t   *testing.T
	st  store.Store
	api *sts.API
}

func build(t *testing.T, trust string, grants ...string) *house {
	h := &house{t: t, st: memory.Open()}
	h.api = sts.New(sts.Config{Store: h.st})
	h.put(func(tx *store.Tx) {
		u := &identity.UserRecord{Account: account, Name: "ada", Path: "/", ID: "AIDAADA", ARN: ada}
		for n, text := range grants {
			u.Grants.Inline = append(u.Grants.Inline, identity.InlinePolicy{Name: fmt.Sprint(n), Document: text})
		}
		store.Users.Put(tx, u)
		store.Roles.Put(tx, &identity.Role{Account: account, Name: "app", Path: "/", ID: "AROAAPP", ARN: role, Trust: trust, MaxSession: 2 * time.Hour})
	})
	return h
}

func (h *house) put(change func(*store.Tx)) {
	h.t.Helper()
	if _, err := h.st.Update(context.Background(), func(tx *store.Tx) error { change(tx); return nil }); err != nil {
		h.t.Fatal(err)
	}
}

// trusts is a trust policy of one statement.
func trusts(principal, action, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":` + action + condition + `}]}`
}

func caller(p identity.Principal) *gateway.Call {
	return &gateway.Call{Scope: gatewaytest.Scope, Principal: p, Operation: "AssumeRole", Now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
}

func adaCalls() *gateway.Call {
	return caller(identity.Principal{Kind: identity.User, Account: account, ARN: ada, UserID: "AIDAADA"})
}

// assume asks for the role app.
func (h *house) assume(call *gateway.Call, change func(*shape.AssumeRoleRequest)) (*shape.AssumeRoleResponse, error) {
	in := &shape.AssumeRoleRequest{RoleArn: new(role), RoleSessionName: new("me")}
	if change != nil {
		change(in)
	}
	out, err := h.api.Operations()["AssumeRole"](context.Background(), call, in)
	if err != nil {
		return nil, err
	}
	return out.(*shape.AssumeRoleResponse), nil
}

// chained is the call of the session that an answer began.
func (h *house) chained(out *shape.AssumeRoleResponse) *gateway.Call {
	h.t.Helper()
	key, ok := store.AccessKeys.Get(h.st.View(), *out.Credentials.AccessKeyId)
	if !ok {
		h.t.Fatal("the session has no key")
	}
	call := caller(key.Principal)
	call.Granted, call.Session = key.Session, true
	return call
}

func TestWhoMayAssumeARole(t *testing.T) {
	const assume, root = `"sts:AssumeRole"`, "arn:aws:iam::123456789012:root"
	may := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"` + role + `"}]}`
	denies := strings.Replace(may, "Allow", "Deny", 1)
	for _, c := range []struct {
		name, trust string
		grants      []string
		want        bool
	}{
		{"named, without a policy", trusts(ada, assume, ""), nil, true},
		{"the account trusted, without a policy", trusts(root, assume, ""), nil, false},
		{"the account trusted, with a policy", trusts(root, assume, ""), []string{may}, true},
		{"a policy, without trust", trusts("arn:aws:iam::123456789012:user/bob", assume, ""), []string{allow}, false},
		{"named, but denied by a policy", trusts(ada, assume, ""), []string{denies}, false},
		{"another account's", trusts("arn:aws:iam::999999999999:root", assume, ""), []string{may}, false},
		{"trusted for something else", trusts(ada, `"sts:TagSession"`, ""), []string{may}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := build(t, c.trust, c.grants...).assume(adaCalls(), nil)
			switch {
			case c.want && err != nil:
				t.Error(err)
			case !c.want && !fault.IsKind(err, fault.AccessDenied):
				t.Errorf("got %v, %v", out, err)
			}
		})
	}
}

func TestMissingRolesLookLikeForbiddenOnes(t *testing.T) {
	h := build(t, trusts("arn:aws:iam::123456789012:user/bob", `"sts:AssumeRole"`, ""), allow)
	for _, name := range []string{role, role + "x", "arn:aws:iam::999999999999:role/app", "arn:aws:iam::123456789012:role/path/app"} {
		_, err := h.assume(adaCalls(), func(in *shape.AssumeRoleRequest) { in.RoleArn = &name })
		if want := "User: " + ada + " is not authorized to perform: sts:AssumeRole on resource: " + name; err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
	_, err := h.assume(caller(identity.RootPrincipal(account)), nil)
	if err == nil || !strings.HasPrefix(err.Error(), "Roles may not be assumed by root accounts.") {
		t.Errorf("root: %v", err)
	}
	gone := caller(identity.Principal{Kind: identity.User, Account: account, ARN: "arn:aws:iam::123456789012:user/bob", UserID: "AIDABOB"})
	if _, err := h.assume(gone, nil); !fault.IsKind(err, fault.AccessDenied) {
		t.Errorf("a user who is gone: %v", err)
	}
}

func TestASessionIsOfTheRole(t *testing.T) {
	h := build(t, trusts(ada, `"sts:AssumeRole"`, ""))
	out, err := h.assume(adaCalls(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if *out.AssumedRoleUser.Arn != "arn:aws:sts::123456789012:assumed-role/app/me" || *out.AssumedRoleUser.AssumedRoleId != "AROAAPP:me" || out.PackedPolicySize != nil {
		t.Errorf("got %s %s", *out.AssumedRoleUser.Arn, *out.AssumedRoleUser.AssumedRoleId)
	}
	if c := out.Credentials; !strings.HasPrefix(*c.AccessKeyId, "ASIA") || c.Expiration.Sub(adaCalls().Now) != time.Hour {
		t.Errorf("got %s until %v", *c.AccessKeyId, c.Expiration)
	}
	who := h.chained(out).Principal
	if who.RoleARN != role || who.UserID != "AROAAPP:me" {
		t.Errorf("got %+v", who)
	}
}

func TestSessionsEndInTime(t *testing.T) {
	h := build(t, trusts(`*`, `"sts:AssumeRole"`, ""), allow)
	lasting := func(seconds int32) func(*shape.AssumeRoleRequest) {
		return func(in *shape.AssumeRoleRequest) { in.DurationSeconds = &seconds }
	}
	out, err := h.assume(adaCalls(), lasting(7200))
	if err != nil || out.Credentials.Expiration.Sub(adaCalls().Now) != 2*time.Hour {
		t.Fatalf("%v, %v", out, err)
	}
	if _, err := h.assume(adaCalls(), lasting(7201)); !says(err, fault.Validation, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.") {
		t.Errorf("too long: %v", err)
	}
	chain := h.chained(out)
	if _, err := h.assume(chain, lasting(3601)); !says(err, fault.Validation, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining") {
		t.Errorf("chained: %v", err)
	}
	again, err := h.assume(chain, nil)
	if err != nil || !h.chained(again).Granted.Chained || again.Credentials.Expiration.Sub(chain.Now) != time.Hour {
		t.Errorf("chained: %v, %v", again, err)
	}
}

func says(err error, kind fault.Kind, words string) bool {
	f, ok := errors.AsType[*fault.Fault](err)
	return ok && f.Kind == kind && strings.HasPrefix(f.Message, words)
}

func TestExternalIDs(t *testing.T) {
	h := build(t, trusts(ada, `"sts:AssumeRole"`, `{"StringEquals":{"sts:ExternalId":"secret"}}`))
	for id, want := range map[string]bool{"secret": true, "other": false, "": false} {
		_, err := h.assume(adaCalls(), func(in *shape.AssumeRoleRequest) {
			if id != "" {
				in.ExternalId = &id
			}
		})
		if (err == nil) != want {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestSessionTagsNeedTheirPermission(t *testing.T) {
	tagged := func(in *shape.AssumeRoleRequest) {
		in.Tags, in.TransitiveTagKeys = []shape.Tag{{Key: new("Team"), Value: new("a")}, {Key: new("Desk"), Value: new("1")}}, []string{"Team"}
	}
	_, err := build(t, trusts(ada, `"sts:AssumeRole"`, "")).assume(adaCalls(), tagged)
	if !says(err, fault.AccessDenied, "User: "+ada+" is not authorized to perform: sts:TagSession on resource: "+role) {
		t.Errorf("without sts:TagSession: %v", err)
	}
	h := build(t, trusts(`*`, `["sts:AssumeRole","sts:TagSession"]`, `{"StringEquals":{"aws:RequestTag/Team":"a"},"ForAllValues:StringEquals":{"aws:TagKeys":["Team","Desk"]}}`), allow)
	out, err := h.assume(adaCalls(), tagged)
	if err != nil {
		t.Fatal(err)
	}
	if out.PackedPolicySize == nil || *out.PackedPolicySize < 1 || *out.PackedPolicySize > 10 {
		t.Errorf("packed %v", out.PackedPolicySize)
	}
	chain := h.chained(out)
	next, err := h.assume(chain, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.chained(next).Granted; len(got.Tags) != 1 || got.Tags[0] != (workload.Tag{Key: "Team", Value: "a"}) || len(got.Transitive) != 1 {
		t.Errorf("only the transitive tag goes on: %+v", got)
	}
	_, err = h.assume(chain, tagged)
	if !says(err, fault.InvalidParameterValue, "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.") {
		t.Errorf("conflict: %v", err)
	}
	_, err = h.assume(adaCalls(), func(in *shape.AssumeRoleRequest) { in.TransitiveTagKeys = []string{"Team"} })
	if !says(err, fault.InvalidParameterValue, "The specified transitive tag key must be included in the requested tags.") {
		t.Errorf("a transitive key without its tag: %v", err)
	}
}

func TestSourceIdentityStays(t *testing.T) {
	named := func(id string) func(*shape.AssumeRoleRequest) {
		return func(in *shape.AssumeRoleRequest) { in.SourceIdentity = &id }
	}
	_, err := build(t, trusts(ada, `"sts:AssumeRole"`, "")).assume(adaCalls(), named("ada"))
	if !says(err, fault.AccessDenied, "User: "+ada+" is not authorized to perform: sts:SetSourceIdentity on resource: "+role) {
		t.Errorf("without permission: %v", err)
	}
	h := build(t, trusts(`*`, `["sts:AssumeRole","sts:SetSourceIdentity"]`, `{"StringEquals":{"sts:SourceIdentity":"ada"}}`), allow)
	out, err := h.assume(adaCalls(), named("ada"))
	if err != nil || *out.SourceIdentity != "ada" {
		t.Fatalf("%v, %v", out, err)
	}
	next, err := h.assume(h.chained(out), nil)
	if err != nil || *next.SourceIdentity != "ada" {
		t.Errorf("chained: %v, %v", next, err)
	}
	if _, err := h.assume(h.chained(out), named("bob")); !fault.IsKind(err, fault.AccessDenied) {
		t.Errorf("another one: %v", err)
	}
}

func TestSessionPoliciesAreChecked(t *testing.T) {
	h := build(t, trusts(ada, `"sts:AssumeRole"`, ""))
	h.put(func(tx *store.Tx) {
		store.ManagedPolicies.Put(tx, &identity.ManagedPolicy{Account: account, Name: "p", ARN: "arn:aws:iam::123456789012:policy/p", Default: "v1", Versions: []identity.PolicyVersion{{ID: "v1", Document: allow}}})
	})
	out, err := h.assume(adaCalls(), func(in *shape.AssumeRoleRequest) {
		in.Policy, in.PolicyArns = new(allow), []shape.PolicyDescriptorType{{Arn: new("arn:aws:iam::123456789012:policy/p")}}
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.chained(out).Granted; !got.Restricted() || len(got.Policies) != 1 || len(got.PolicyARNs) != 1 || *out.PackedPolicySize < 1 {
		t.Errorf("%+v", got)
	}
	random := make([]byte, 50*150)
	rand.NewChaCha8([32]byte{}).Read(random)
	noise := hex.EncodeToString(random)
	for _, c := range []struct {
		name   string
		change func(*shape.AssumeRoleRequest)
		kind   fault.Kind
	}{
		{"no policy", func(in *shape.AssumeRoleRequest) { in.Policy = new("{") }, fault.MalformedPolicyDocument},
		{"a managed one that is not there", func(in *shape.AssumeRoleRequest) {
			in.PolicyArns = []shape.PolicyDescriptorType{{Arn: new("arn:aws:iam::aws:policy/None")}}
		}, fault.Validation},
		{"eleven managed ones", func(in *shape.AssumeRoleRequest) {
			for range 11 {
				in.PolicyArns = append(in.PolicyArns, shape.PolicyDescriptorType{Arn: new("arn:aws:iam::123456789012:policy/p")})
			}
		}, fault.Validation},
		{"more than 2048 characters", func(in *shape.AssumeRoleRequest) {
			in.Policy = new(strings.Replace(allow, `"*"`, `"s3:`+strings.Repeat("a", 2048)+`"`, 1))
		}, fault.Validation},
	} {
		if _, err := h.assume(adaCalls(), c.change); !fault.IsKind(err, c.kind) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	h = build(t, trusts(ada, `["sts:AssumeRole","sts:TagSession"]`, ""))
	_, err = h.assume(adaCalls(), func(in *shape.AssumeRoleRequest) {
		for n := range 50 {
			in.Tags = append(in.Tags, shape.Tag{Key: new(noise[n*300 : n*300+100]), Value: new(noise[n*300+100 : n*300+300])})
		}
	})
	if !fault.IsKind(err, fault.PackedPolicyTooLarge) {
		t.Errorf("too many tags: %v", err)
	}
}
