package sts_test

import (
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/sts"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// Who one is and keys of one's own need no permission. A role is assumed by who its
// trust names; TestWhoMayAssumeARole has those whom it does not.
func TestAuthorisation(t *testing.T) {
	start := func(t testing.TB) *gatewaytest.Server {
		s := gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
			api := sts.New(sts.Config{Store: st})
			return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
		}, nil)
		s.Put(t, func(tx *store.Tx) {
			store.Roles.Put(tx, &identity.Role{
				Account: account, Name: "app", Path: "/", ID: "AROAAPP", ARN: role, MaxSession: time.Hour,
				Trust: trusts("arn:aws:iam::123456789012:role/tester", `"sts:AssumeRole"`, ""),
			})
		})
		return s
	}
	need := func(action string, resources ...string) []gateway.Need {
		return []gateway.Need{{Action: action, Resources: resources}}
	}
	gatewaytest.Authorisation(t, start, shape.API, []gatewaytest.Authorised{
		{Operation: "GetCallerIdentity"},
		{Operation: "GetSessionToken"},
		{Operation: "AssumeRole", Input: "RoleArn=" + role + "&RoleSessionName=one"},
		{Operation: "GetFederationToken", Input: "Name=bob", Needs: need("sts:GetFederationToken", "arn:aws:sts::123456789012:federated-user/bob")},
		{Operation: "GetAccessKeyInfo", Input: "AccessKeyId=AKIAIOSFODNN7EXAMPLE", Needs: need("sts:GetAccessKeyInfo")},
		{Operation: "DecodeAuthorizationMessage", Input: "EncodedMessage=x", Needs: need("sts:DecodeAuthorizationMessage")},
	})
}
