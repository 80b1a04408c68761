package elbv2

import (
	"github.com/berthhq/berth/aws/api/member"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

func showBalancer(r store.Reader, b *balancer.Balancer) shape.LoadBalancer {
	out := shape.LoadBalancer{
		LoadBalancerArn: &b.ARN, DNSName: &b.DNSName, CanonicalHostedZoneId: &b.HostedZoneID, CreatedTime: &b.CreatedAt, LoadBalancerName: &b.Name,
		Scheme: shape.LoadBalancerSchemeEnum(b.Scheme), VpcId: &b.VPCID, State: stateOf(r, b),
		Type: shape.LoadBalancerTypeEnum(b.Kind), AvailabilityZones: showZones(r, b), SecurityGroups: b.SecurityGroups,
		IpAddressType: shape.IpAddressType(b.AddressType),
	}
	if b.Kind == balancer.Network {
		out.EnablePrefixForIpv6SourceNat = shape.EnablePrefixForIpv6SourceNatEnumOff
		if len(b.SecurityGroups) > 0 {
			out.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = new(enforcement(b))
		}
	}
	return out
}

// stateOf is active unless an edge that has a node of the balancer cannot carry it:
// impaired where others can, failed where none can.
func stateOf(r store.Reader, b *balancer.Balancer) *shape.LoadBalancerState {
	out := &shape.LoadBalancerState{Code: shape.LoadBalancerStateEnumActive}
	trouble, ok := store.Troubles.Get(r, b.ARN)
	if !ok {
		return out
	}
	whole := false
	for n := range b.Zones {
		i, placed := nodeOf(r, b, &b.Zones[n])
		if reason := trouble.Reasons[edgeOf(i, placed)]; reason != "" {
			out.Code, out.Reason = shape.LoadBalancerStateEnumFailed, &reason
		} else {
			whole = true
		}
	}
	if whole && out.Reason != nil {
		out.Code = shape.LoadBalancerStateEnumActiveImpaired
	}
	return out
}

// edgeOf is the instance whose edge has a node; empty for none.
func edgeOf(i *network.Interface, placed bool) string {
	if !placed {
		return ""
	}
	return i.InstanceARN
}

// enforcement tells whether packets of endpoints meet the balancer's security groups.
func enforcement(b *balancer.Balancer) string {
	if b.PrivateLinkUnchecked {
		return string(shape.EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnumOff)
	}
	return string(shape.EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnumOn)
}

func showZones(r store.Reader, b *balancer.Balancer) []shape.AvailabilityZone {
	return member.Each(b.Zones, func(z *balancer.Zone) shape.AvailabilityZone {
		return shape.AvailabilityZone{ZoneName: &z.Name, SubnetId: &z.SubnetID, LoadBalancerAddresses: showAddresses(r, b, z)}
	})
}

// showAddresses are the addresses that were asked for; those berth chose are not shown,
// as on AWS.
func showAddresses(r store.Reader, b *balancer.Balancer, z *balancer.Zone) []shape.LoadBalancerAddress {
	i, ok := nodeOf(r, b, z)
	switch {
	case !ok || b.Kind != balancer.Network:
	case z.AllocationID != "":
		return []shape.LoadBalancerAddress{{IpAddress: new(i.PublicIP.String()), AllocationId: &z.AllocationID}}
	case z.Pinned:
		return []shape.LoadBalancerAddress{{PrivateIPv4Address: new(i.PrivateIP.String())}}
	}
	return nil
}
