package elbv2

import (
	"context"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/fault"
)

// describeCapacityReservation tells that none is reserved: an edge has the whole of
// its host.
func (a *API) describeCapacityReservation(_ context.Context, call *gateway.Call, in *shape.DescribeCapacityReservationInput) (*shape.DescribeCapacityReservationOutput, error) {
	if _, err := findBalancer(a.store.View(), call.Scope, *in.LoadBalancerArn); err != nil {
		return nil, err
	}
	return &shape.DescribeCapacityReservationOutput{DecreaseRequestsRemaining: new(int32(2))}, nil
}

// modifyCapacityReservation takes back what was never reserved, and reserves nothing.
func (a *API) modifyCapacityReservation(_ context.Context, call *gateway.Call, in *shape.ModifyCapacityReservationInput) (*shape.ModifyCapacityReservationOutput, error) {
	if _, err := findBalancer(a.store.View(), call.Scope, *in.LoadBalancerArn); err != nil {
		return nil, err
	}
	if c := in.MinimumLoadBalancerCapacity; c != nil && c.CapacityUnits != nil && *c.CapacityUnits > 0 {
		return nil, fault.New(fault.OperationNotPermitted, "Capacity cannot be reserved for load balancers").
			WithHint("berth's load balancers use what their hosts have")
	}
	return &shape.ModifyCapacityReservationOutput{DecreaseRequestsRemaining: new(int32(2))}, nil
}

// modifyIPPools refuses: there are no pools of IPAM.
func (a *API) modifyIPPools(_ context.Context, call *gateway.Call, in *shape.ModifyIpPoolsInput) (*shape.ModifyIpPoolsOutput, error) {
	if _, err := findBalancer(a.store.View(), call.Scope, *in.LoadBalancerArn); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.OperationNotPermitted, "IPAM pools are not supported").WithHint("use Elastic IP addresses with a Network Load Balancer")
}

// limits are the quotas that are held, by AWS's names.
func (a *API) describeAccountLimits(_ context.Context, _ *gateway.Call, in *shape.DescribeAccountLimitsInput) (*shape.DescribeAccountLimitsOutput, error) {
	list := []shape.Limit{
		{Name: new("application-load-balancers"), Max: new("50")},
		{Name: new("certificates-per-application-load-balancer"), Max: new("25")},
		{Name: new("certificates-per-network-load-balancer"), Max: new("25")},
		{Name: new("condition-values-per-alb-rule"), Max: new("5")},
		{Name: new("condition-wildcards-per-alb-rule"), Max: new("6")},
		{Name: new("listeners-per-application-load-balancer"), Max: new("50")},
		{Name: new("listeners-per-network-load-balancer"), Max: new("50")},
		{Name: new("network-load-balancers"), Max: new("50")},
		{Name: new("rules-per-application-load-balancer"), Max: new("100")},
		{Name: new("target-groups"), Max: new("3000")},
		{Name: new("target-groups-per-action-on-application-load-balancer"), Max: new("5")},
		{Name: new("targets-per-target-group"), Max: new("1000")},
	}
	part, next, err := cut(list, in.Marker, in.PageSize, func(l shape.Limit) string { return *l.Name })
	if err != nil {
		return nil, err
	}
	return &shape.DescribeAccountLimitsOutput{Limits: part, NextMarker: next}, nil
}
