package elb

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// maxPolicies is AWS's quota of a balancer.
const maxPolicies = 100

// addPolicy gives a balancer a policy.
func (a *API) addPolicy(ctx context.Context, call *gateway.Call, name string, p balancer.Policy) error {
	_, err := a.change(ctx, call, name, func(_ *store.Tx, b *balancer.Balancer) error {
		if _, ok := b.Classic.Policy(p.Name); ok {
			return fault.New(fault.DuplicatePolicyName, "Policy name %s already exists", p.Name)
		}
		if len(b.Classic.Policies) >= maxPolicies {
			return fault.New(fault.TooManyPolicies, "A load balancer has at most %d policies", maxPolicies)
		}
		if err := checkKeys(b, &p); err != nil {
			return err
		}
		b.Classic.Policies = append(slices.Clip(b.Classic.Policies), p)
		return p.Check()
	})
	return err
}

// checkKeys wants the policies with public keys that an authentication names.
func checkKeys(b *balancer.Balancer, p *balancer.Policy) error {
	if p.Type != balancer.BackendAuthPolicy {
		return nil
	}
	for _, at := range p.Attributes {
		if key, ok := b.Classic.Policy(at.Value); !ok || key.Type != balancer.PublicKeyPolicy {
			return fault.New(fault.PolicyNotFound, "There is no public key policy named %s", at.Value)
		}
	}
	return nil
}

func (a *API) createPolicy(ctx context.Context, call *gateway.Call, in *shape.CreateLoadBalancerPolicyInput) (*shape.CreateLoadBalancerPolicyOutput, error) {
	attributes := member.Some(in.PolicyAttributes, func(at *shape.PolicyAttribute) balancer.PolicyAttribute {
		return balancer.PolicyAttribute{Name: member.Value(at.AttributeName), Value: member.Value(at.AttributeValue)}
	})
	err := a.addPolicy(ctx, call, *in.LoadBalancerName, balancer.Policy{Name: *in.PolicyName, Type: *in.PolicyTypeName, Attributes: attributes})
	return &shape.CreateLoadBalancerPolicyOutput{}, err
}

func (a *API) createAppCookiePolicy(ctx context.Context, call *gateway.Call, in *shape.CreateAppCookieStickinessPolicyInput) (*shape.CreateAppCookieStickinessPolicyOutput, error) {
	err := a.addPolicy(ctx, call, *in.LoadBalancerName, balancer.Policy{
		Name: *in.PolicyName, Type: balancer.AppCookiePolicy, Attributes: []balancer.PolicyAttribute{{Name: "CookieName", Value: *in.CookieName}},
	})
	return &shape.CreateAppCookieStickinessPolicyOutput{}, err
}

func (a *API) createLBCookiePolicy(ctx context.Context, call *gateway.Call, in *shape.CreateLBCookieStickinessPolicyInput) (*shape.CreateLBCookieStickinessPolicyOutput, error) {
	p := balancer.Policy{Name: *in.PolicyName, Type: balancer.LBCookiePolicy}
	if period := in.CookieExpirationPeriod; period != nil {
		if *period < 1 {
			return nil, invalid("CookieExpirationPeriod must be greater than 0")
		}
		p.Attributes = []balancer.PolicyAttribute{{Name: "CookieExpirationPeriod", Value: strconv.FormatInt(*period, 10)}}
	}
	return &shape.CreateLBCookieStickinessPolicyOutput{}, a.addPolicy(ctx, call, *in.LoadBalancerName, p)
}

func (a *API) deletePolicy(ctx context.Context, call *gateway.Call, in *shape.DeleteLoadBalancerPolicyInput) (*shape.DeleteLoadBalancerPolicyOutput, error) {
	_, err := a.change(ctx, call, *in.LoadBalancerName, func(tx *store.Tx, b *balancer.Balancer) error {
		if used(tx, b, *in.PolicyName) {
			return unfit("You cannot delete policy %s, because it is in use", *in.PolicyName).WithHint("take it from its listener or instance port first")
		}
		b.Classic.Policies = slices.DeleteFunc(slices.Clone(b.Classic.Policies), func(p balancer.Policy) bool { return p.Name == *in.PolicyName })
		return nil
	})
	return &shape.DeleteLoadBalancerPolicyOutput{}, err
}

// used tells whether a listener, an instance port or another policy needs a policy.
func used(r store.Reader, b *balancer.Balancer, name string) bool {
	for _, l := range listenersOf(r, b) {
		if slices.Contains(l.Policies, name) {
			return true
		}
	}
	for _, names := range b.Classic.ServerPolicies {
		if slices.Contains(names, name) {
			return true
		}
	}
	return slices.ContainsFunc(b.Classic.Policies, func(p balancer.Policy) bool {
		return p.Type == balancer.BackendAuthPolicy && slices.Contains(p.Attributes, balancer.PolicyAttribute{Name: "PublicKeyPolicyName", Value: name})
	})
}

// policies finds the policies that names name.
func policies(b *balancer.Balancer, names []string) ([]balancer.Policy, error) {
	var all []balancer.Policy
	for _, name := range names {
		p, ok := b.Classic.Policy(name)
		if !ok {
			return nil, fault.New(fault.PolicyNotFound, "There is no policy with name %s for load balancer %s", name, b.Name)
		}
		all = append(all, p)
	}
	return all, nil
}

func (a *API) setListenerPolicies(ctx context.Context, call *gateway.Call, in *shape.SetLoadBalancerPoliciesOfListenerInput) (*shape.SetLoadBalancerPoliciesOfListenerOutput, error) {
	_, err := a.change(ctx, call, *in.LoadBalancerName, func(tx *store.Tx, b *balancer.Balancer) error {
		all, err := policies(b, in.PolicyNames)
		if err != nil {
			return err
		}
		return changeListener(tx, b, *in.LoadBalancerPort, func(l *balancer.Listener) error {
			if err := fit(l, all); err != nil {
				return err
			}
			l.Policies = in.PolicyNames
			if secure(l.Protocol) {
				l.SSLPolicy = b.Classic.Negotiation(l).Name
			}
			return nil
		})
	})
	return &shape.SetLoadBalancerPoliciesOfListenerOutput{}, err
}

// fit refuses policies that a listener cannot have.
func fit(l *balancer.Listener, all []balancer.Policy) error {
	sticky, negotiating := 0, 0
	for _, p := range all {
		switch p.Type {
		case balancer.LBCookiePolicy, balancer.AppCookiePolicy:
			sticky++
		case balancer.NegotiationPolicy:
			negotiating++
		default:
			return unfit("Policy %s of type %s cannot be associated with a listener", p.Name, p.Type)
		}
	}
	switch {
	case sticky > 0 && layer(l.Protocol) != 7:
		return unfit("Only HTTP and HTTPS listeners can have a stickiness policy")
	case negotiating > 0 && !secure(l.Protocol):
		return unfit("Only HTTPS and SSL listeners can have an SSL negotiation policy")
	case sticky > 1 || negotiating > 1:
		return unfit("A listener can have one policy of a type")
	}
	return nil
}

func (a *API) setServerPolicies(ctx context.Context, call *gateway.Call, in *shape.SetLoadBalancerPoliciesForBackendServerInput) (*shape.SetLoadBalancerPoliciesForBackendServerOutput, error) {
	_, err := a.change(ctx, call, *in.LoadBalancerName, func(tx *store.Tx, b *balancer.Balancer) error {
		all, err := policies(b, in.PolicyNames)
		if err != nil {
			return err
		}
		port := int(*in.InstancePort)
		if !slices.ContainsFunc(groupsOf(tx, b), func(g *balancer.TargetGroup) bool { return g.Port == port }) {
			return unfit("There is no listener with instance port %d", port)
		}
		for _, p := range all {
			if p.Type != balancer.ProxyProtocolPolicy && p.Type != balancer.BackendAuthPolicy {
				return unfit("Policy %s of type %s cannot be associated with an instance port", p.Name, p.Type)
			}
		}
		ports := maps.Clone(b.Classic.ServerPolicies)
		if ports == nil {
			ports = map[int][]string{}
		}
		if ports[port] = in.PolicyNames; len(in.PolicyNames) == 0 {
			delete(ports, port)
		}
		b.Classic.ServerPolicies = ports
		return nil
	})
	return &shape.SetLoadBalancerPoliciesForBackendServerOutput{}, err
}

func (a *API) describePolicies(_ context.Context, call *gateway.Call, in *shape.DescribeLoadBalancerPoliciesInput) (*shape.DescribeLoadBalancerPoliciesOutput, error) {
	list := balancer.SamplePolicies()
	if in.LoadBalancerName != nil {
		b, err := find(a.Store.View(), call.Scope, *in.LoadBalancerName)
		if err != nil {
			return nil, err
		}
		list = b.Classic.Policies
	}
	out := &shape.DescribeLoadBalancerPoliciesOutput{PolicyDescriptions: []shape.PolicyDescription{}}
	for _, name := range in.PolicyNames {
		if !slices.ContainsFunc(list, func(p balancer.Policy) bool { return p.Name == name }) {
			return nil, fault.New(fault.PolicyNotFound, "There is no policy with name %s", name)
		}
	}
	for _, p := range list {
		if len(in.PolicyNames) == 0 || slices.Contains(in.PolicyNames, p.Name) {
			out.PolicyDescriptions = append(out.PolicyDescriptions, showPolicy(p))
		}
	}
	return out, nil
}

func showPolicy(p balancer.Policy) shape.PolicyDescription {
	return shape.PolicyDescription{PolicyName: &p.Name, PolicyTypeName: &p.Type, PolicyAttributeDescriptions: member.Each(p.Shown(), func(at *balancer.PolicyAttribute) shape.PolicyAttributeDescription {
		return shape.PolicyAttributeDescription{AttributeName: &at.Name, AttributeValue: &at.Value}
	})}
}

func describePolicyTypes(_ context.Context, _ *gateway.Call, in *shape.DescribeLoadBalancerPolicyTypesInput) (*shape.DescribeLoadBalancerPolicyTypesOutput, error) {
	for _, name := range in.PolicyTypeNames {
		if _, ok := balancer.FindPolicyType(name); !ok {
			return nil, fault.New(fault.PolicyTypeNotFound, "Policy type '%s' not found", name)
		}
	}
	out := &shape.DescribeLoadBalancerPolicyTypesOutput{}
	for _, t := range balancer.PolicyTypes() {
		if len(in.PolicyTypeNames) == 0 || slices.Contains(in.PolicyTypeNames, t.Name) {
			out.PolicyTypeDescriptions = append(out.PolicyTypeDescriptions, showPolicyType(t))
		}
	}
	return out, nil
}

func showPolicyType(t balancer.PolicyType) shape.PolicyTypeDescription {
	return shape.PolicyTypeDescription{PolicyTypeName: &t.Name, Description: &t.Description, PolicyAttributeTypeDescriptions: member.Each(t.Attributes, func(at *balancer.PolicyAttributeType) shape.PolicyAttributeTypeDescription {
		return shape.PolicyAttributeTypeDescription{AttributeName: &at.Name, AttributeType: &at.Type, Cardinality: &at.Cardinality, DefaultValue: member.Present(at.Default)}
	})}
}
