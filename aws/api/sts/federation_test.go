package sts_test

import (
	"context"
	"strings"
	"testing"

	"github.com/berthhq/berth/aws/api/sts"
	shape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/protocol/authmsg"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/mandate"
)

func TestFederatedUsersMayWhatBothAllow(t *testing.T) {
	h := build(t, trusts(ada, `"sts:AssumeRole"`, ""), allow)
	call := adaCalls()
	call.Operation = "GetFederationToken"
	answer, err := h.api.Operations()["GetFederationToken"](context.Background(), call, &shape.GetFederationTokenRequest{Name: new("guest"), Policy: new(allow)})
	if err != nil {
		t.Fatal(err)
	}
	out := answer.(*shape.GetFederationTokenResponse)
	if *out.FederatedUser.Arn != "arn:aws:sts::123456789012:federated-user/guest" || *out.FederatedUser.FederatedUserId != "123456789012:guest" || *out.PackedPolicySize < 1 {
		t.Errorf("%+v", out.FederatedUser)
	}
	key, _ := store.AccessKeys.Get(h.st.View(), *out.Credentials.AccessKeyId)
	got, err := mandate.Gatherer{View: h.st.View()}.Of(&key.Principal, key.Session)
	if err != nil || len(got.Identity) != 1 || len(got.Session) != 1 || !got.Sessioned {
		t.Errorf("%+v %v", got, err)
	}
	for k := range store.AccessKeys.By(h.st.View(), store.AccessKeysByOwner, "AIDAADA") {
		if k.ID != key.ID {
			t.Errorf("another key: %+v", k)
		}
	}
	call.Session = true
	if _, err := h.api.Operations()["GetFederationToken"](context.Background(), call, &shape.GetFederationTokenRequest{Name: new("guest")}); !says(err, fault.AccessDenied, "Cannot call GetFederationToken with session credentials") {
		t.Errorf("by a session: %v", err)
	}
}

func TestFederationNeedsItsUser(t *testing.T) {
	call := adaCalls()
	in := &shape.GetFederationTokenRequest{Name: new("guest"), Tags: []shape.Tag{{Key: new("k"), Value: new("v")}}}
	needs := sts.New(sts.Config{}).Needs()["GetFederationToken"](call, in)
	if len(needs) != 2 || needs[0].Resources[0] != "arn:aws:sts::123456789012:federated-user/guest" || needs[1].Action != "sts:TagSession" || needs[1].Keys["aws:RequestTag/k"][0] != "v" {
		t.Errorf("%+v", needs)
	}
	if needs := sts.New(sts.Config{}).Needs()["AssumeRole"](call, &shape.AssumeRoleRequest{}); len(needs) != 0 {
		t.Errorf("AssumeRole asks by itself, yet %+v", needs)
	}
}

func TestRefusalsAreDecoded(t *testing.T) {
	sealer, err := authmsg.New(make([]byte, authmsg.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	decode := func(api *sts.API, message string) (string, error) {
		answer, err := api.Operations()["DecodeAuthorizationMessage"](context.Background(), adaCalls(), &shape.DecodeAuthorizationMessageRequest{EncodedMessage: &message})
		if err != nil {
			return "", err
		}
		return *answer.(*shape.DecodeAuthorizationMessageResponse).DecodedMessage, nil
	}
	api := sts.New(sts.Config{Messages: sealer})
	if got, err := decode(api, sealer.Seal([]byte(`{"allowed":false}`))); err != nil || got != `{"allowed":false}` {
		t.Errorf("%s, %v", got, err)
	}
	for _, api := range []*sts.API{api, sts.New(sts.Config{})} {
		if _, err := decode(api, strings.Repeat("A", 100)); !fault.IsKind(err, fault.InvalidAuthorizationMessage) {
			t.Errorf("nobody sealed it: %v", err)
		}
	}
}

func TestMFAIsRefused(t *testing.T) {
	h := build(t, trusts(ada, `"sts:AssumeRole"`, ""))
	_, err := h.assume(adaCalls(), func(in *shape.AssumeRoleRequest) {
		in.SerialNumber, in.TokenCode = new("arn:aws:iam::123456789012:mfa/ada"), new("123456")
	})
	if !says(err, fault.AccessDenied, "MultiFactorAuthentication failed with invalid MFA one time pass code.") {
		t.Errorf("%v", err)
	}
}

func TestARoleThatWasMadeAgainIsAnother(t *testing.T) {
	h := build(t, trusts(`*`, `"sts:AssumeRole"`, ""), allow)
	out, err := h.assume(adaCalls(), nil)
	if err != nil {
		t.Fatal(err)
	}
	chain := h.chained(out)
	h.put(func(tx *store.Tx) {
		have, _ := store.FindRole(tx, role)
		again := *have
		again.ID = "AROAAGAIN"
		store.Roles.Put(tx, &again)
	})
	if _, err := h.assume(chain, nil); !fault.IsKind(err, fault.AccessDenied) {
		t.Errorf("a session of the role before: %v", err)
	}
	named := identity.RoleSession(role, "by name")
	if _, err := (mandate.Gatherer{View: h.st.View()}).Of(&named, nil); err != nil {
		t.Error("a session that was made by the name alone is of any role of the name")
	}
}
