package account

import (
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/account"
)

// Needs says by operation what its callers must be allowed to do.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsaccountmanagement.html
func Needs() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"ListRegions": gateway.On(func(call *gateway.Call, _ *shape.ListRegionsRequest) []string {
			return []string{call.Scope.Global("account", "account")}
		}),
	}
}
