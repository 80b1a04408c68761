package gateway

import (
	"context"

	"github.com/berthhq/berth/aws/wire"
)

// Authoriser decides whether the principal of a call may do the action, such as
// "ecs:RunTask". Its refusal is a fault.AccessDenied.
type Authoriser interface {
	Authorise(ctx context.Context, call *Call, action string) error
}

// AllowAll authorises everybody who is proven.
type AllowAll struct{}

// Authorise allows.
func (AllowAll) Authorise(context.Context, *Call, string) error { return nil }

// actionPrefix is what IAM calls the service in policies. It is the name in
// signatures for all but two.
func actionPrefix(s *wire.Service) string {
	switch s.Scope {
	case "monitoring":
		return "cloudwatch"
	case "tagging":
		return "tag"
	}
	return s.Scope
}
