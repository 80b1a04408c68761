package gateway

import (
	"context"

	"github.com/berthhq/berth/aws/wire"
)

// Authoriser decides whether the principal of a call may do what the call needs:
// the need's action, which is never empty, on each of its resources. Its refusal is
// a fault.AccessDenied.
type Authoriser interface {
	Authorise(ctx context.Context, call *Call, need Need) error
}

// authorise asks for everything that a call needs, and tells what that is.
func (g *Gateway) authorise(ctx context.Context, service *wire.Service, call *Call, in any) ([]Need, error) {
	needs := g.needs(service, call, in)
	for _, need := range needs {
		if err := g.Authoriser.Authorise(ctx, call, need); err != nil {
			return needs, err
		}
	}
	return needs, nil
}

// needs are what a call must be allowed, each with its action.
func (g *Gateway) needs(service *wire.Service, call *Call, in any) []Need {
	own := ActionPrefix(service) + ":" + call.Operation
	of := g.offers[service].Needs[call.Operation]
	if of == nil {
		return []Need{{Action: own}}
	}
	needs := of(call, in)
	for i := range needs {
		if needs[i].Action == "" {
			needs[i].Action = own
		}
	}
	return needs
}

// ActionPrefix is what IAM calls the service in policies. It is the name in
// signatures for all but two.
func ActionPrefix(s *wire.Service) string {
	switch s.Scope {
	case "monitoring":
		return "cloudwatch"
	case "tagging":
		return "tag"
	}
	return s.Scope
}
