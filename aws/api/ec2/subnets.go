package ec2

import (
	"context"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

var subnetKind = kind[network.Subnet]{
	noun: "subnet", missing: fault.InvalidSubnetID,
	id:   func(s *network.Subnet) string { return s.ID },
	tags: func(s *network.Subnet) []workload.Tag { return s.Tags },
	fields: map[string]func(*network.Subnet) []string{
		"availability-zone":               one(func(s *network.Subnet) string { return s.Zone }),
		"availabilityZone":                one(func(s *network.Subnet) string { return s.Zone }),
		"availability-zone-id":            one(func(s *network.Subnet) string { return s.ZoneID }),
		"availabilityZoneId":              one(func(s *network.Subnet) string { return s.ZoneID }),
		"cidr":                            one(subnetCIDR),
		"cidr-block":                      one(subnetCIDR),
		"cidrBlock":                       one(subnetCIDR),
		"default-for-az":                  truth(func(s *network.Subnet) bool { return s.Default }),
		"defaultForAz":                    truth(func(s *network.Subnet) bool { return s.Default }),
		"enable-dns64":                    always[network.Subnet]("false"),
		"ipv6-native":                     always[network.Subnet]("false"),
		"map-customer-owned-ip-on-launch": always[network.Subnet]("false"),
		"private-dns-name-options-on-launch.hostname-type":                        one(func(s *network.Subnet) string { return string(hostnameType(s)) }),
		"private-dns-name-options-on-launch.enable-resource-name-dns-a-record":    truth(func(s *network.Subnet) bool { return s.ResourceNameDNS }),
		"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": always[network.Subnet]("false"),
		"map-public-ip-on-launch": truth(func(s *network.Subnet) bool { return s.MapPublicIP }),
		"owner-id":                one(func(s *network.Subnet) string { return s.Scope.Account }),
		"state":                   always[network.Subnet]("available"),
		"subnet-arn":              one(subnetARN),
		"subnet-id":               one(func(s *network.Subnet) string { return s.ID }),
		"vpc-id":                  one(func(s *network.Subnet) string { return s.VPCID }),
	},
}

func subnetCIDR(s *network.Subnet) string { return s.CIDR.String() }
func subnetARN(s *network.Subnet) string  { return s.Scope.Of("ec2", "subnet/"+s.ID) }

func (a *API) describeSubnets(ctx context.Context, call *gateway.Call, in *shape.DescribeSubnetsRequest) (*shape.DescribeSubnetsResult, error) {
	v, err := a.view(ctx, call.Scope)
	if err != nil {
		return nil, err
	}
	page, next, err := stored(&subnetKind, store.Subnets, v, call.Scope, selection{in.SubnetIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeSubnetsResult{
		Subnets:   each(page, func(s *network.Subnet) shape.Subnet { return subnetShape(v, s) }),
		NextToken: next,
	}, nil
}

func subnetShape(r store.Reader, s *network.Subnet) shape.Subnet {
	return shape.Subnet{
		SubnetId: new(s.ID), SubnetArn: new(subnetARN(s)), OwnerId: new(s.Scope.Account), State: shape.SubnetStateAvailable,
		VpcId: new(s.VPCID), CidrBlock: new(subnetCIDR(s)), AvailableIpAddressCount: new(int32(freeAddresses(r, s))),
		AvailabilityZone: new(s.Zone), AvailabilityZoneId: new(s.ZoneID), DefaultForAz: new(s.Default),
		MapPublicIpOnLaunch: new(s.MapPublicIP), MapCustomerOwnedIpOnLaunch: new(false),
		AssignIpv6AddressOnCreation: new(false), EnableDns64: new(false), Ipv6Native: new(false),
		PrivateDnsNameOptionsOnLaunch: &shape.PrivateDnsNameOptionsOnLaunch{
			HostnameType: hostnameType(s), EnableResourceNameDnsARecord: new(s.ResourceNameDNS), EnableResourceNameDnsAAAARecord: new(false),
		},
		Ipv6CidrBlockAssociationSet: []shape.SubnetIpv6CidrBlockAssociation{},
		Tags:                        tagShapes(s.Tags),
	}
}

// freeAddresses leaves out the addresses in quarantine: they cannot be leased.
func freeAddresses(r store.Reader, s *network.Subnet) int {
	free := s.Size()
	for i := range store.Interfaces.By(r, store.InterfacesBySubnet, network.Key(s.Scope, s.ID)) {
		free -= len(privateAddresses(i))
	}
	return max(0, free)
}

func hostnameType(s *network.Subnet) shape.HostnameType {
	if s.HostnameType == "" {
		return shape.HostnameTypeIpName
	}
	return shape.HostnameType(s.HostnameType)
}
