// Package elb answers the operations of Classic load balancers, the first API of Elastic
// Load Balancing.
// https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/Welcome.html
//
// A Classic balancer is a balancer.Balancer whose listeners lead to hidden target
// groups, so that the engines and plan/attach treat all kinds alike. Every change
// derives those groups anew from what is asked (derive.go).
package elb

import (
	"context"
	"log/slog"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// Nodes gives balancers what those of both APIs have.
type Nodes interface {
	// Settle gives a balancer a node in each of the subnets, and no others.
	Settle(tx *store.Tx, b *balancer.Balancer, subnets []*network.Subnet, now time.Time) error
	// Lock gives a balancer the secret that seals its cookies.
	Lock(tx *store.Tx, b *balancer.Balancer, now time.Time) error
}

// Config is what the API is built from.
type Config struct {
	Store store.Store
	Nodes Nodes
	NewID func() string // 16 hex digits
	// Logs makes sure that the logs which attributes ask for can be delivered; nil for
	// not asking.
	Logs func(ctx context.Context, b *balancer.Balancer, said []balancer.Value) error
	Log  *slog.Logger
}

// API answers Elastic Load Balancing's first API.
type API struct{ Config }

// New makes the API.
func New(c Config) *API { return &API{c} }

// Operations are the handlers by operation name.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"CreateLoadBalancer":             gateway.Handle(a.createLoadBalancer),
		"DescribeLoadBalancers":          gateway.Handle(a.describeLoadBalancers),
		"DeleteLoadBalancer":             gateway.Handle(a.deleteLoadBalancer),
		"DescribeLoadBalancerAttributes": gateway.Handle(a.describeAttributes),
		"ModifyLoadBalancerAttributes":   gateway.Handle(a.modifyAttributes),
		"ConfigureHealthCheck":           gateway.Handle(a.configureHealthCheck),
		"DescribeAccountLimits":          gateway.Handle(describeAccountLimits),

		"CreateLoadBalancerListeners":           gateway.Handle(a.createListeners),
		"DeleteLoadBalancerListeners":           gateway.Handle(a.deleteListeners),
		"SetLoadBalancerListenerSSLCertificate": gateway.Handle(a.setCertificate),

		"CreateLoadBalancerPolicy":                gateway.Handle(a.createPolicy),
		"CreateAppCookieStickinessPolicy":         gateway.Handle(a.createAppCookiePolicy),
		"CreateLBCookieStickinessPolicy":          gateway.Handle(a.createLBCookiePolicy),
		"DeleteLoadBalancerPolicy":                gateway.Handle(a.deletePolicy),
		"DescribeLoadBalancerPolicies":            gateway.Handle(a.describePolicies),
		"DescribeLoadBalancerPolicyTypes":         gateway.Handle(describePolicyTypes),
		"SetLoadBalancerPoliciesOfListener":       gateway.Handle(a.setListenerPolicies),
		"SetLoadBalancerPoliciesForBackendServer": gateway.Handle(a.setServerPolicies),

		"RegisterInstancesWithLoadBalancer":   gateway.Handle(a.registerInstances),
		"DeregisterInstancesFromLoadBalancer": gateway.Handle(a.deregisterInstances),
		"DescribeInstanceHealth":              gateway.Handle(a.describeInstanceHealth),

		"AttachLoadBalancerToSubnets":             gateway.Handle(a.attachSubnets),
		"DetachLoadBalancerFromSubnets":           gateway.Handle(a.detachSubnets),
		"EnableAvailabilityZonesForLoadBalancer":  gateway.Handle(a.enableZones),
		"DisableAvailabilityZonesForLoadBalancer": gateway.Handle(a.disableZones),
		"ApplySecurityGroupsToLoadBalancer":       gateway.Handle(a.applySecurityGroups),

		"AddTags":      gateway.Handle(a.addTags),
		"RemoveTags":   gateway.Handle(a.removeTags),
		"DescribeTags": gateway.Handle(a.describeTags),
	}
}
