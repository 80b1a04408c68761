package ground_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// finds holds that each filter finds the one resource, among others.
func (h *house) finds(id *string, in listing, filters map[string]string) {
	h.t.Helper()
	for name, value := range filters {
		got, _, err := in.ask(h, map[string]any{"Filters": []types.Filter{filter(name, value)}})
		if err != nil || !slices.Equal(got, []string{*id}) {
			h.t.Errorf("%s by %s %s: %v, %v; want %s", in.operation, name, value, got, err, *id)
		}
	}
}

func TestFiltersFindInterfacesAndAddresses(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	subnet, group := h.subnet(vpc, "10.1.1.0/24"), h.group(vpc, "web")
	i := done[*ec2.CreateNetworkInterfaceOutput](t)(h.CreateNetworkInterface(background, &ec2.CreateNetworkInterfaceInput{
		SubnetId: subnet, Groups: []string{*group}, Description: new("ours"), PrivateIpAddresses: []types.PrivateIpAddressSpecification{
			{PrivateIpAddress: new("10.1.1.9"), Primary: new(true)}, {PrivateIpAddress: new("10.1.1.20")},
		},
	})).NetworkInterface
	done[*ec2.CreateNetworkInterfaceOutput](t)(h.CreateNetworkInterface(background, &ec2.CreateNetworkInterfaceInput{SubnetId: subnet}))
	done[*ec2.ModifyNetworkInterfaceAttributeOutput](t)(h.ModifyNetworkInterfaceAttribute(background, &ec2.ModifyNetworkInterfaceAttributeInput{
		NetworkInterfaceId: i.NetworkInterfaceId, SourceDestCheck: &types.AttributeBooleanValue{Value: new(false)},
	}))
	address := h.address()
	h.address()
	joined := done[*ec2.AssociateAddressOutput](t)(h.AssociateAddress(background, &ec2.AssociateAddressInput{AllocationId: address.AllocationId, NetworkInterfaceId: i.NetworkInterfaceId})).AssociationId
	h.finds(i.NetworkInterfaceId, listing{"DescribeNetworkInterfaces", "NetworkInterfaces", "NetworkInterfaceId"}, map[string]string{
		"addresses.private-ip-address": "10.1.1.20", "private-ip-address": "10.1.1.9", "description": "ou*", "group-name": "web", "group-id": *group, "source-dest-check": "false",
		"association.allocation-id": *address.AllocationId, "association.association-id": *joined, "association.ip-owner-id": account, "association.public-ip": *address.PublicIp,
		"mac-address": *i.MacAddress, "network-interface-id": *i.NetworkInterfaceId,
	})
	h.finds(address.AllocationId, listing{"DescribeAddresses", "Addresses", "AllocationId"}, map[string]string{
		"association-id": *joined, "private-ip-address": "10.1.1.9", "network-interface-id": *i.NetworkInterfaceId, "public-ip": *address.PublicIp,
	})
}

func TestFiltersFindGroups(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	id, peer, list := h.group(vpc, "web"), h.group(vpc, "peer"), h.list("office")
	in, out := permission("tcp", 80, 81), permission("udp", 90, 91)
	for _, p := range []*types.IpPermission{&in, &out} {
		p.IpRanges, p.Ipv6Ranges = []types.IpRange{{CidrIp: new("10.0.0.0/8")}}, []types.Ipv6Range{{CidrIpv6: new("2001:db8::/32")}}
		p.PrefixListIds, p.UserIdGroupPairs = []types.PrefixListId{{PrefixListId: list}}, []types.UserIdGroupPair{{GroupId: peer}}
	}
	done[*ec2.AuthorizeSecurityGroupIngressOutput](t)(h.AuthorizeSecurityGroupIngress(background, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: id, IpPermissions: []types.IpPermission{in}}))
	done[*ec2.AuthorizeSecurityGroupEgressOutput](t)(h.AuthorizeSecurityGroupEgress(background, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: id, IpPermissions: []types.IpPermission{out}}))
	groups := listing{"DescribeSecurityGroups", "SecurityGroups", "GroupId"}
	for before, ports := range map[string][3]string{"ip-permission.": {"80", "81", "tcp"}, "egress.ip-permission.": {"90", "91", "udp"}} {
		h.finds(id, groups, map[string]string{
			before + "from-port": ports[0], before + "to-port": ports[1], before + "protocol": ports[2], before + "cidr": "10.0.0.0/8",
			before + "ipv6-cidr": "2001:db8::/32", before + "prefix-list-id": *list, before + "group-id": *peer,
		})
	}
	h.finds(id, groups, map[string]string{"egress.ip-permission.user-id": account, "group-name": "web", "description": "we?"})
}

func TestFiltersFindACLsAndSubnets(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	subnet := h.subnet(vpc, "10.1.1.0/24")
	h.subnet(vpc, "10.1.2.0/24")
	acl := done[*ec2.CreateNetworkAclOutput](t)(h.CreateNetworkAcl(background, &ec2.CreateNetworkAclInput{VpcId: vpc})).NetworkAcl.NetworkAclId
	for n, entry := range []ec2.CreateNetworkAclEntryInput{
		{Protocol: new("6"), PortRange: &types.PortRange{From: new(int32(80)), To: new(int32(81))}},
		{Protocol: new("1"), IcmpTypeCode: &types.IcmpTypeCode{Type: new(int32(8)), Code: new(int32(3))}},
	} {
		entry.NetworkAclId, entry.RuleNumber, entry.Egress, entry.RuleAction, entry.CidrBlock = acl, new(int32(90+n)), new(true), types.RuleActionAllow, new("192.0.2.0/24")
		done[*ec2.CreateNetworkAclEntryOutput](t)(h.CreateNetworkAclEntry(background, &entry))
	}
	h.finds(acl, listing{"DescribeNetworkAcls", "NetworkAcls", "NetworkAclId"}, map[string]string{
		"entry.cidr": "192.0.2.0/24", "entry.port-range.from": "80", "entry.port-range.to": "81", "entry.icmp.type": "8", "entry.icmp.code": "3",
		"entry.protocol": "6", "entry.rule-number": "90",
	})
	done[*ec2.ModifySubnetAttributeOutput](t)(h.ModifySubnetAttribute(background, &ec2.ModifySubnetAttributeInput{SubnetId: subnet, PrivateDnsHostnameTypeOnLaunch: types.HostnameTypeResourceName}))
	done[*ec2.ModifySubnetAttributeOutput](t)(h.ModifySubnetAttribute(background, &ec2.ModifySubnetAttributeInput{SubnetId: subnet, EnableResourceNameDnsARecordOnLaunch: &types.AttributeBooleanValue{Value: new(true)}}))
	h.finds(subnet, listing{"DescribeSubnets", "Subnets", "SubnetId"}, map[string]string{
		"cidr-block": "10.1.1.0/24", "private-dns-name-options-on-launch.hostname-type": "resource-name",
		"private-dns-name-options-on-launch.enable-resource-name-dns-a-record": "true",
	})
}
