// Package sts tells callers who they are and gives temporary keys.
package sts

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

// API answers STS's operations.
type API struct{ store store.Store }

// New makes the API.
func New(st store.Store) *API { return &API{store: st} }

// Operations are what berth supports of STS. Sessions of roles are given to tasks
// and machines only, until roles and their trust are kept.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"AssumeRole":        gateway.Handle(a.assumeRole),
		"GetAccessKeyInfo":  gateway.Handle(a.getAccessKeyInfo),
		"GetCallerIdentity": gateway.Handle(a.getCallerIdentity),
		"GetSessionToken":   gateway.Handle(a.getSessionToken),
	}
}

func (a *API) getCallerIdentity(_ context.Context, call *gateway.Call, _ *shape.GetCallerIdentityRequest) (*shape.GetCallerIdentityResponse, error) {
	p := call.Principal
	return &shape.GetCallerIdentityResponse{Account: new(p.Account), Arn: new(p.ARN), UserId: new(p.UserID)}, nil
}

func (a *API) getAccessKeyInfo(_ context.Context, _ *gateway.Call, in *shape.GetAccessKeyInfoRequest) (*shape.GetAccessKeyInfoResponse, error) {
	key, ok := store.AccessKeys.Get(a.store.View(), *in.AccessKeyId)
	if !ok {
		return nil, fault.New(fault.Validation, "Access key ID %s was not found.", *in.AccessKeyId)
	}
	return &shape.GetAccessKeyInfoResponse{Account: new(key.Principal.Account)}, nil
}

func (a *API) assumeRole(_ context.Context, call *gateway.Call, in *shape.AssumeRoleRequest) (*shape.AssumeRoleResponse, error) {
	return nil, fault.New(fault.AccessDenied, "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", call.Principal.ARN, *in.RoleArn).
		WithHint("berth does not keep roles and their trust policies yet; tasks get their role's keys without asking")
}

// How long sessions last when the caller does not say, and at most.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
const (
	userSession = 12 * time.Hour
	rootSession = time.Hour // for the account's own keys it is also the most
)

func (a *API) getSessionToken(ctx context.Context, call *gateway.Call, in *shape.GetSessionTokenRequest) (*shape.GetSessionTokenResponse, error) {
	if call.Principal.Kind == identity.AssumedRole || call.Session {
		return nil, fault.New(fault.AccessDenied, "Cannot call GetSessionToken with session credentials")
	}
	key, err := identity.NewSession(call.Principal, rand.Reader, call.Now, call.Now.Add(sessionLife(call, in.DurationSeconds)))
	if err != nil {
		return nil, err
	}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		store.AccessKeys.Put(tx, &key)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("storing a session: %w", err)
	}
	return &shape.GetSessionTokenResponse{Credentials: &shape.Credentials{
		AccessKeyId: new(key.ID), SecretAccessKey: new(key.Secret), SessionToken: new(key.SessionToken), Expiration: new(key.ExpiresAt),
	}}, nil
}

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
