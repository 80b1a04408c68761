package applicationautoscaling_test

import (
	"testing"

	"github.com/berthhq/berth/aws/api/applicationautoscaling"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/applicationautoscaling"
	"github.com/berthhq/berth/store"
)

func TestAuthorisation(t *testing.T) {
	start := func(t testing.TB) *gatewaytest.Server {
		return gatewaytest.Start(t, func(store.Store) []gateway.Offer {
			return []gateway.Offer{{Service: shape.API, Handlers: applicationautoscaling.Operations()}}
		}, nil)
	}
	var cases []gatewaytest.Authorised
	for operation := range applicationautoscaling.Operations() {
		cases = append(cases, gatewaytest.Authorised{
			Operation: operation, Input: `{"ServiceNamespace":"ecs"}`, Needs: []gateway.Need{{Action: "application-autoscaling:" + operation}},
		})
	}
	gatewaytest.Authorisation(t, start, shape.API, cases)
}
