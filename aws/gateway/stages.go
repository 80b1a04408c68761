package gateway

import (
	"fmt"
	"net/netip"
	"runtime/debug"

	"github.com/google/uuid"

	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/protocol/sigv4"
)

func (x *exchange) identify() error {
	x.call.ID = uuid.NewString()
	x.call.Now = x.gateway.Clock()
	if peer, err := netip.ParseAddrPort(x.r.RemoteAddr); err == nil {
		x.call.Source = peer.Addr().Unmap()
	}
	x.call.UserAgent, x.call.Secure = x.r.UserAgent(), x.r.TLS != nil
	x.call.Endpoint = "http://" + x.r.Host
	if x.r.TLS != nil {
		x.call.Endpoint = "https://" + x.r.Host
	}
	return nil
}

func (x *exchange) claim() (err error) {
	x.stated, err = sigv4.Read(x.r)
	return err
}

func (x *exchange) limit() (err error) {
	x.body, err = wire.ReadBody(x.r, bodyLimit(x.stated.Service))
	return err
}

// bodyLimit is the largest body of a service's requests, in bytes, by its name in
// signatures. AWS's own limits are lower for most operations; handlers check them.
func bodyLimit(service string) int64 {
	switch service {
	case "ecr": // UploadLayerPart: 20 MiB, in base64
		return 32 << 20
	case "logs": // PutLogEvents: 1 MiB of messages, which JSON may write at six times the length
		return 10 << 20
	case "berth": // parts of access logs, reports of an edge with many targets
		return 8 << 20
	case "monitoring", "events":
		return 2 << 20
	}
	return 1 << 20
}

func (x *exchange) authenticate() error {
	return x.gateway.prove(x)
}

// prove finds the key of the claim and checks the signature with it.
func (g *Gateway) prove(x *exchange) error {
	key, err := g.keyOf(x.stated)
	if err != nil {
		return err
	}
	if err := g.verifier.Verify(x.r, x.stated, key, sigv4.Hash(x.body), x.call.Now); err != nil {
		return err
	}
	x.knows(key)
	return nil
}

func (g *Gateway) keyOf(c *sigv4.Claim) (*identity.AccessKey, error) {
	key, ok := g.Keys.Key(c.KeyID)
	if !ok {
		return nil, sigv4.UnknownKey(fault.UnrecognizedClient).
			WithHint("no access key %.30q is known here; `berth env` prints the administrator's", c.KeyID)
	}
	return &key, nil
}

// knows takes the owner of a key that was proven as the caller.
func (x *exchange) knows(key *identity.AccessKey) {
	x.call.Principal = key.Principal
	x.call.KeyID, x.call.Session, x.call.Granted = key.ID, key.SessionToken != "", key.Session
	x.call.IssuedAt = key.CreatedAt
	x.call.Scope = arn.Scope{Account: key.Principal.Account, Region: x.stated.Region}
}

func (x *exchange) detect() (err error) {
	x.request, err = x.gateway.directory.Detect(x.r, x.body)
	x.name()
	switch {
	case x.request.Service == nil:
		return fault.New(fault.UnknownOperation, "berth has no engine for %s.", x.stated.Service).
			WithHint("map one: berth up --engine %s=URL; docs/compatibility.md lists what berth does itself", x.stated.Service)
	case err != nil:
		return err
	case x.request.Service.Scope != x.stated.Service:
		return fault.New(fault.SignatureMismatch, "Credential should be scoped to correct service: '%s'. ", x.request.Service.Scope)
	}
	if !x.request.Operation.Modelled() {
		return fault.New(fault.UnsupportedFeature, "berth does not support %s of %s.", x.request.Name, x.request.Service.Name).
			WithHint("docs/compatibility.md lists what works")
	}
	x.handler = x.gateway.offers[x.request.Service].Handlers[x.request.Name]
	if x.handler == nil {
		return fault.New(fault.UnknownOperation, "berth does not support %s of %s yet.", x.request.Name, x.request.Service.Name).
			WithHint("docs/compatibility.md lists what works")
	}
	return nil
}

func (x *exchange) name() {
	if x.request.Service != nil {
		x.call.Service = x.request.Service.Name
	}
	x.call.Operation = x.request.Name
}

func (x *exchange) authorise() (err error) {
	x.needed, err = x.gateway.authorise(x.r.Context(), x.request.Service, &x.call, x.in)
	return err
}

func (x *exchange) decode() (err error) {
	if x.in, err = x.request.Decode(x.r, x.body); err != nil {
		return err
	}
	x.call.In = x.in
	return x.request.Validate(x.in)
}

func (x *exchange) handle() (err error) {
	x.out, err = x.handler(x.r.Context(), &x.call, x.in)
	return err
}

func (x *exchange) encode() error {
	err := x.request.Respond(x.w, x.call.ID, x.out)
	if err != nil && x.w.status != 0 { // the caller left, or its stream ended early
		x.gateway.Log.Debug("the answer was not taken whole", "request", x.call.ID, "error", err)
		return nil
	}
	return err
}

func (x *exchange) panicked(p any) {
	x.gateway.Log.Error("a handler panicked", "request", x.call.ID, "service", x.call.Service, "operation", x.call.Operation,
		"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	x.refuse(fault.New(fault.Server, "Internal error."))
}
