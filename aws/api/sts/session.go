package sts

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
)

// How long sessions last when the caller does not say, and at most.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
const (
	userSession = 12 * time.Hour
	rootSession = time.Hour // for the account's own keys it is also the most
)

func sessionLife(call *gateway.Call, seconds *int32) time.Duration {
	life := userSession
	if seconds != nil {
		life = time.Duration(*seconds) * time.Second
	}
	if call.Principal.Kind == identity.Root {
		life = min(life, rootSession)
	}
	return life
}

// longTerm refuses keys that are a session already.
func longTerm(call *gateway.Call) error {
	if call.Principal.Kind == identity.AssumedRole || call.Session {
		return fault.New(fault.AccessDenied, "Cannot call %s with session credentials", call.Operation)
	}
	return nil
}

// checkMFA refuses codes of MFA devices: nobody has one.
func checkMFA(serial, code *string) error {
	if serial == nil && code == nil {
		return nil
	}
	return fault.New(fault.AccessDenied, "MultiFactorAuthentication failed with invalid MFA one time pass code.").
		WithHint("berth has no MFA devices; leave SerialNumber and TokenCode out")
}

func (a *API) getSessionToken(ctx context.Context, call *gateway.Call, in *shape.GetSessionTokenRequest) (*shape.GetSessionTokenResponse, error) {
	if err := longTerm(call); err != nil {
		return nil, err
	}
	if err := checkMFA(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	credentials, err := a.grant(ctx, call.Principal, nil, call.Now, sessionLife(call, in.DurationSeconds))
	if err != nil {
		return nil, err
	}
	return &shape.GetSessionTokenResponse{Credentials: credentials}, nil
}

// getFederationToken lets somebody in for a user, with at most what both the user
// and the policies given allow; without policies that is nothing.
func (a *API) getFederationToken(ctx context.Context, call *gateway.Call, in *shape.GetFederationTokenRequest) (*shape.GetFederationTokenResponse, error) {
	if err := longTerm(call); err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	given, err := a.readPolicies(call.Scope, in.Policy, in.PolicyArns)
	if err != nil {
		return nil, err
	}
	size, err := packed(given, tags)
	if err != nil {
		return nil, err
	}
	p := federated(call.Scope, *in.Name)
	p.Kind = call.Principal.Kind // that of who lets them in
	s := &identity.Session{Policies: given.inline, PolicyARNs: given.arns, Tags: tags, Federated: true, By: call.Principal}
	credentials, err := a.grant(ctx, p, s, call.Now, sessionLife(call, in.DurationSeconds))
	if err != nil {
		return nil, err
	}
	return &shape.GetFederationTokenResponse{
		Credentials: credentials, FederatedUser: &shape.FederatedUser{FederatedUserId: &p.UserID, Arn: &p.ARN}, PackedPolicySize: size,
	}, nil
}

func federated(scope arn.Scope, name string) identity.Principal {
	return identity.Principal{
		Account: scope.Account, ARN: scope.Global("sts", "federated-user/"+name), UserID: scope.Account + ":" + name,
	}
}
