// Package sts tells callers who they are and gives temporary keys: to users for
// themselves and for others, and to whom a role trusts.
// https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
package sts

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/store"
)

// Messages opens what refusals have sealed about themselves.
type Messages interface {
	Open(sealed string) ([]byte, error)
}

// Config is what the API is built from.
type Config struct {
	Store store.Store
	// Keys are the condition keys that every call has, for trust policies. nil means
	// that a call has only those of its parameters.
	Keys func(*gateway.Call) policy.Keys
	// Messages is nil where refusals seal nothing.
	Messages Messages
}

// API answers STS's operations.
type API struct {
	store    store.Store
	keys     func(*gateway.Call) policy.Keys
	messages Messages
	entropy  io.Reader
}

// New makes the API.
func New(c Config) *API {
	return &API{store: c.Store, keys: c.Keys, messages: c.Messages, entropy: rand.Reader}
}

// Operations are what berth supports of STS. There are no identity providers, so
// nobody has a token of one.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"AssumeRole":                 gateway.Handle(a.assumeRole),
		"DecodeAuthorizationMessage": gateway.Handle(a.decodeAuthorizationMessage),
		"GetAccessKeyInfo":           gateway.Handle(a.getAccessKeyInfo),
		"GetCallerIdentity":          gateway.Handle(a.getCallerIdentity),
		"GetFederationToken":         gateway.Handle(a.getFederationToken),
		"GetSessionToken":            gateway.Handle(a.getSessionToken),
	}
}

func (a *API) getCallerIdentity(_ context.Context, call *gateway.Call, _ *shape.GetCallerIdentityRequest) (*shape.GetCallerIdentityResponse, error) {
	p := call.Principal
	return &shape.GetCallerIdentityResponse{Account: &p.Account, Arn: &p.ARN, UserId: &p.UserID}, nil
}

func (a *API) getAccessKeyInfo(_ context.Context, _ *gateway.Call, in *shape.GetAccessKeyInfoRequest) (*shape.GetAccessKeyInfoResponse, error) {
	key, ok := store.AccessKeys.Get(a.store.View(), *in.AccessKeyId)
	if !ok {
		return nil, invalid("Access key ID %s was not found.", *in.AccessKeyId)
	}
	return &shape.GetAccessKeyInfoResponse{Account: new(key.Principal.Account)}, nil
}

func (a *API) decodeAuthorizationMessage(_ context.Context, _ *gateway.Call, in *shape.DecodeAuthorizationMessageRequest) (*shape.DecodeAuthorizationMessageResponse, error) {
	refusal := fault.New(fault.InvalidAuthorizationMessage, "Message is not valid.")
	if a.messages == nil {
		return nil, refusal
	}
	message, err := a.messages.Open(*in.EncodedMessage)
	if err != nil {
		return nil, refusal.WithHint("give the whole of the encoded message, as this berth answered it").Because(err)
	}
	return &shape.DecodeAuthorizationMessageResponse{DecodedMessage: new(string(message))}, nil
}

// grant makes and stores the keys of a session.
func (a *API) grant(ctx context.Context, p identity.Principal, s *identity.Session, now time.Time, life time.Duration) (*shape.Credentials, error) {
	key, err := identity.NewSession(p, a.entropy, now, now.Add(life).Truncate(time.Second))
	if err != nil {
		return nil, err
	}
	key.Session = s
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		store.AccessKeys.Put(tx, &key)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("storing a session: %w", err)
	}
	return &shape.Credentials{
		AccessKeyId: &key.ID, SecretAccessKey: &key.Secret, SessionToken: &key.SessionToken, Expiration: &key.ExpiresAt,
	}, nil
}

func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.Validation, format, args...)
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
