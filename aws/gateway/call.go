package gateway

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
)

// Call is one authenticated request.
type Call struct {
	ID        string // request id, a uuid; the caller sees it too
	Service   string // as in aws/shape: "ecs", "elbv2"
	Operation string
	Scope     arn.Scope // account of the principal, region of the signature
	Principal identity.Principal
	KeyID     string // access key that signed
	Session   bool   // that key has a session token
	// Granted is what was laid down about that key; nil for nothing.
	Granted *identity.Session
	// IssuedAt is when that key was made.
	IssuedAt  time.Time
	Source    netip.Addr // of the peer on the socket
	UserAgent string
	Secure    bool // it came over TLS
	Now       time.Time
	// In is the decoded request, as the handler gets it: what condition keys about
	// its tags are read from. nil before it was decoded.
	In any
	// Endpoint is how the caller reached us, "http://127.0.0.1:4566": what
	// answers that carry our own address are built from.
	Endpoint string
}

// Handler answers one operation. in and out are pointers to the request and
// response structs of aws/shape. An error that is not a *fault.Fault is answered
// as ServerException and logged. An out whose member is an iter.Seq2 of events is
// sent as an event stream while the sequence lasts; ctx ends when the caller goes.
type Handler func(ctx context.Context, call *Call, in any) (out any, err error)

// Handle makes a Handler of a typed function.
func Handle[In, Out any](fn func(context.Context, *Call, *In) (*Out, error)) Handler {
	return func(ctx context.Context, call *Call, in any) (any, error) {
		request, ok := in.(*In)
		if !ok {
			return nil, fmt.Errorf("%s %s is wired to a handler of %T, got %T", call.Service, call.Operation, request, in)
		}
		out, err := fn(ctx, call, request)
		if err != nil {
			return nil, err // never a typed nil inside any
		}
		return out, nil
	}
}
