package ec2_test

import (
	"testing"

	"github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// What reads knows no resources.
func TestAuthorisation(t *testing.T) {
	start := func(t testing.TB) *gatewaytest.Server {
		return gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
			return []gateway.Offer{{Service: shape.API, Handlers: ec2.New(st, network.DefaultCIDR).Operations()}}
		}, nil)
	}
	var cases []gatewaytest.Authorised
	for operation := range ec2.New(nil, network.DefaultCIDR).Operations() {
		cases = append(cases, gatewaytest.Authorised{
			Operation: operation, Input: "VpcId=vpc-1&Attribute=enableDnsSupport", Needs: []gateway.Need{{Action: "ec2:" + operation}},
		})
	}
	gatewaytest.Authorisation(t, start, shape.API, cases)
}
