package elbv2

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/store"
)

func (a *API) setSubnets(ctx context.Context, call *gateway.Call, in *shape.SetSubnetsInput) (*shape.SetSubnetsOutput, error) {
	if err := checkAddressType(in.IpAddressType); err != nil {
		return nil, err
	}
	if in.EnablePrefixForIpv6SourceNat == shape.EnablePrefixForIpv6SourceNatEnumOn {
		return nil, unfit("IPv6 source NAT prefixes are not supported")
	}
	b, err := a.changeBalancer(ctx, call, *in.LoadBalancerArn, func(tx *store.Tx, b *balancer.Balancer) error {
		places, err := readPlaces(tx, call.Scope, in.Subnets, in.SubnetMappings)
		if err != nil {
			return err
		}
		if err := checkPlaces(tx, b, places); err != nil {
			return err
		}
		return a.settle(tx, b, places, call.Now)
	})
	if err != nil {
		return nil, err
	}
	return &shape.SetSubnetsOutput{AvailabilityZones: showZones(a.store.View(), &b), IpAddressType: shape.IpAddressType(b.AddressType)}, nil
}

func (a *API) setSecurityGroups(ctx context.Context, call *gateway.Call, in *shape.SetSecurityGroupsInput) (*shape.SetSecurityGroupsOutput, error) {
	b, err := a.changeBalancer(ctx, call, *in.LoadBalancerArn, func(tx *store.Tx, b *balancer.Balancer) (err error) {
		if b.Kind == balancer.Network && (len(b.SecurityGroups) == 0) != (len(in.SecurityGroups) == 0) {
			return unfit("Security groups of a Network Load Balancer can be changed only if it was created with some").
				WithHint("create the load balancer with --security-groups")
		}
		if len(in.SecurityGroups) == 0 && b.Kind == balancer.Application {
			return invalid("A security group must be specified")
		}
		if b.SecurityGroups, err = readGroups(tx, b, in.SecurityGroups); err != nil {
			return err
		}
		if in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != "" {
			b.PrivateLinkUnchecked = in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic == shape.EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnumOff
		}
		regroup(tx, b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &shape.SetSecurityGroupsOutput{SecurityGroupIds: b.SecurityGroups}
	if b.Kind == balancer.Network {
		out.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = shape.EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum(enforcement(&b))
	}
	return out, nil
}

// regroup gives the nodes the balancer's security groups.
func regroup(tx *store.Tx, b *balancer.Balancer) {
	for n := range b.Zones {
		if have, ok := nodeOf(tx, b, &b.Zones[n]); ok && !slices.Equal(have.SecurityGroups, b.SecurityGroups) {
			next := *have
			next.SecurityGroups = b.SecurityGroups
			store.Interfaces.Put(tx, &next)
		}
	}
}

func (a *API) setIPAddressType(_ context.Context, call *gateway.Call, in *shape.SetIpAddressTypeInput) (*shape.SetIpAddressTypeOutput, error) {
	if _, err := findBalancer(a.store.View(), call.Scope, *in.LoadBalancerArn); err != nil {
		return nil, err
	}
	return &shape.SetIpAddressTypeOutput{IpAddressType: in.IpAddressType}, checkAddressType(in.IpAddressType)
}

func (a *API) describeLoadBalancerAttributes(_ context.Context, call *gateway.Call, in *shape.DescribeLoadBalancerAttributesInput) (*shape.DescribeLoadBalancerAttributesOutput, error) {
	b, err := findBalancer(a.store.View(), call.Scope, *in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	return &shape.DescribeLoadBalancerAttributesOutput{Attributes: member.Each(b.AttributeValues(), showBalancerAttribute)}, nil
}

func (a *API) modifyLoadBalancerAttributes(ctx context.Context, call *gateway.Call, in *shape.ModifyLoadBalancerAttributesInput) (*shape.ModifyLoadBalancerAttributesOutput, error) {
	said := member.Each(in.Attributes, func(x *shape.LoadBalancerAttribute) balancer.Value {
		return balancer.Value{Name: member.Value(x.Key), Value: member.Value(x.Value)}
	})
	have, err := findBalancer(a.store.View(), call.Scope, *in.LoadBalancerArn)
	if err == nil && a.logs != nil {
		err = a.logs(ctx, have, said)
	}
	if err != nil {
		return nil, err
	}
	b, err := a.changeBalancer(ctx, call, *in.LoadBalancerArn, func(_ *store.Tx, b *balancer.Balancer) (err error) {
		if b.Attributes, err = b.SetAttributes(said); err != nil {
			return err
		}
		return attributeLacks(b)
	})
	if err != nil {
		return nil, err
	}
	return &shape.ModifyLoadBalancerAttributesOutput{Attributes: member.Each(b.AttributeValues(), showBalancerAttribute)}, nil
}

func showBalancerAttribute(v *balancer.Value) shape.LoadBalancerAttribute {
	return shape.LoadBalancerAttribute{Key: &v.Name, Value: &v.Value}
}
