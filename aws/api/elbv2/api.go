// Package elbv2 answers the Elastic Load Balancing API of Application and Network
// balancers.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/Welcome.html
//
// A file holds the operations of one resource. What rules, actions, groups and
// attributes there can be is said in domain/balancer; here names are resolved and
// records written. A balancer is active at once: its nodes are leases of addresses
// from the moment it is made, and what carries them follows by itself.
package elbv2

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// Objects reads objects of S3.
type Objects interface {
	// Object is an object's content; version is empty for the newest. ok is false when
	// there is none such.
	Object(ctx context.Context, bucket, key, version string) (content []byte, ok bool, err error)
}

// Keyring seals client secrets for the listener or rule that the ARN names.
type Keyring interface {
	Seal(tx *store.Tx, scope arn.Scope, resource string, plain []byte, now time.Time) ([]byte, error)
}

// Config is what the API is built from.
type Config struct {
	Store   store.Store
	Keyring Keyring
	// Objects are where bundles of trust stores come from; nil where there is no S3.
	Objects Objects
	// Public takes an address of the public pool for an interface; nil where there is
	// no pool, and internet-facing balancers have their private addresses only.
	Public func(tx *store.Tx, i *network.Interface) (netip.Addr, error)
	// Logs makes sure that the logs which attributes ask for can be delivered; nil for
	// not asking.
	Logs func(ctx context.Context, b *balancer.Balancer, said []balancer.Value) error
	// NewID gives 16 random hex digits. nil means crypto/rand.
	NewID func() string
}

// API answers Elastic Load Balancing.
type API struct {
	store   store.Store
	keyring Keyring
	objects Objects
	public  func(*store.Tx, *network.Interface) (netip.Addr, error)
	logs    func(context.Context, *balancer.Balancer, []balancer.Value) error
	newID   func() string
}

// New makes the API.
func New(c Config) *API {
	a := &API{store: c.Store, keyring: c.Keyring, objects: c.Objects, public: c.Public, logs: c.Logs, newID: c.NewID}
	if a.newID == nil {
		a.newID = randomID
	}
	return a
}

func randomID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Operations are the handlers by operation name. What is not here is not
// supported, and the gateway says so.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"CreateLoadBalancer":             gateway.Handle(a.createLoadBalancer),
		"DescribeLoadBalancers":          gateway.Handle(a.describeLoadBalancers),
		"DeleteLoadBalancer":             gateway.Handle(a.deleteLoadBalancer),
		"SetSubnets":                     gateway.Handle(a.setSubnets),
		"SetSecurityGroups":              gateway.Handle(a.setSecurityGroups),
		"SetIpAddressType":               gateway.Handle(a.setIPAddressType),
		"DescribeLoadBalancerAttributes": gateway.Handle(a.describeLoadBalancerAttributes),
		"ModifyLoadBalancerAttributes":   gateway.Handle(a.modifyLoadBalancerAttributes),
		"DescribeCapacityReservation":    gateway.Handle(a.describeCapacityReservation),
		"ModifyCapacityReservation":      gateway.Handle(a.modifyCapacityReservation),
		"ModifyIpPools":                  gateway.Handle(a.modifyIPPools),
		"DescribeAccountLimits":          gateway.Handle(a.describeAccountLimits),

		"CreateListener":               gateway.Handle(a.createListener),
		"DescribeListeners":            gateway.Handle(a.describeListeners),
		"ModifyListener":               gateway.Handle(a.modifyListener),
		"DeleteListener":               gateway.Handle(a.deleteListener),
		"DescribeListenerAttributes":   gateway.Handle(a.describeListenerAttributes),
		"ModifyListenerAttributes":     gateway.Handle(a.modifyListenerAttributes),
		"AddListenerCertificates":      gateway.Handle(a.addListenerCertificates),
		"RemoveListenerCertificates":   gateway.Handle(a.removeListenerCertificates),
		"DescribeListenerCertificates": gateway.Handle(a.describeListenerCertificates),
		"DescribeSSLPolicies":          gateway.Handle(a.describeSSLPolicies),

		"CreateRule":        gateway.Handle(a.createRule),
		"DescribeRules":     gateway.Handle(a.describeRules),
		"ModifyRule":        gateway.Handle(a.modifyRule),
		"DeleteRule":        gateway.Handle(a.deleteRule),
		"SetRulePriorities": gateway.Handle(a.setRulePriorities),

		"CreateTargetGroup":             gateway.Handle(a.createTargetGroup),
		"DescribeTargetGroups":          gateway.Handle(a.describeTargetGroups),
		"ModifyTargetGroup":             gateway.Handle(a.modifyTargetGroup),
		"DeleteTargetGroup":             gateway.Handle(a.deleteTargetGroup),
		"DescribeTargetGroupAttributes": gateway.Handle(a.describeTargetGroupAttributes),
		"ModifyTargetGroupAttributes":   gateway.Handle(a.modifyTargetGroupAttributes),
		"RegisterTargets":               gateway.Handle(a.registerTargets),
		"DeregisterTargets":             gateway.Handle(a.deregisterTargets),
		"DescribeTargetHealth":          gateway.Handle(a.describeTargetHealth),

		"CreateTrustStore":                  gateway.Handle(a.createTrustStore),
		"DescribeTrustStores":               gateway.Handle(a.describeTrustStores),
		"ModifyTrustStore":                  gateway.Handle(a.modifyTrustStore),
		"DeleteTrustStore":                  gateway.Handle(a.deleteTrustStore),
		"AddTrustStoreRevocations":          gateway.Handle(a.addTrustStoreRevocations),
		"RemoveTrustStoreRevocations":       gateway.Handle(a.removeTrustStoreRevocations),
		"DescribeTrustStoreRevocations":     gateway.Handle(a.describeTrustStoreRevocations),
		"DescribeTrustStoreAssociations":    gateway.Handle(a.describeTrustStoreAssociations),
		"DeleteSharedTrustStoreAssociation": gateway.Handle(a.deleteSharedTrustStoreAssociation),

		"AddTags":      gateway.Handle(a.addTags),
		"RemoveTags":   gateway.Handle(a.removeTags),
		"DescribeTags": gateway.Handle(a.describeTags),
	}
}
