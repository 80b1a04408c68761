package account_test

import (
	"testing"

	"github.com/berthhq/berth/aws/api/account"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/account"
	"github.com/berthhq/berth/store"
)

func TestAuthorisation(t *testing.T) {
	start := func(t testing.TB) *gatewaytest.Server {
		return gatewaytest.Start(t, func(store.Store) []gateway.Offer {
			return []gateway.Offer{{Service: shape.API, Handlers: account.Operations(), Needs: account.Needs()}}
		}, nil)
	}
	gatewaytest.Authorisation(t, start, shape.API, []gatewaytest.Authorised{
		{Operation: "ListRegions", Needs: []gateway.Need{{Action: "account:ListRegions", Resources: []string{"arn:aws:account::123456789012:account"}}}},
	})
}
