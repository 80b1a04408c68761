package ground_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func (h *house) readSubnet(id *string) types.Subnet {
	h.t.Helper()
	return done[*ec2.DescribeSubnetsOutput](h.t)(h.DescribeSubnets(background, &ec2.DescribeSubnetsInput{SubnetIds: []string{*id}})).Subnets[0]
}

// What Terraform's aws_subnet does.
func TestSubnetLives(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	in := &ec2.CreateSubnetInput{
		VpcId: vpc, CidrBlock: new("10.1.1.0/24"), AvailabilityZoneId: new("euc1-az2"), TagSpecifications: tagged(types.ResourceTypeSubnet, "a", "1", "gone", "1"),
	}
	made := done[*ec2.CreateSubnetOutput](t)(h.CreateSubnet(background, in)).Subnet
	id := made.SubnetId
	want := types.Subnet{
		SubnetId: id, SubnetArn: resource("subnet", id), OwnerId: &account, VpcId: vpc, State: types.SubnetStateAvailable, CidrBlock: in.CidrBlock,
		AvailabilityZone: new("eu-central-1b"), AvailabilityZoneId: in.AvailabilityZoneId, AvailableIpAddressCount: new(int32(251)), DefaultForAz: new(false),
		MapPublicIpOnLaunch: new(false), MapCustomerOwnedIpOnLaunch: new(false), AssignIpv6AddressOnCreation: new(false), EnableDns64: new(false), Ipv6Native: new(false),
		Ipv6CidrBlockAssociationSet: []types.SubnetIpv6CidrBlockAssociation{}, Tags: tags("a", "1", "gone", "1"), PrivateDnsNameOptionsOnLaunch: &types.PrivateDnsNameOptionsOnLaunch{
			HostnameType: types.HostnameTypeIpName, EnableResourceNameDnsARecord: new(false), EnableResourceNameDnsAAAARecord: new(false),
		},
	}
	equal(t, "made", *made, want)
	equal(t, "read", h.readSubnet(id), want)
	_, err := h.CreateSubnet(background, in)
	refused(t, err, "InvalidSubnet.Conflict", "The CIDR '10.1.1.0/24' conflicts with another subnet")

	h.retag(id)
	for _, change := range []ec2.ModifySubnetAttributeInput{
		{MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: new(true)}},
		{EnableResourceNameDnsARecordOnLaunch: &types.AttributeBooleanValue{Value: new(true)}},
		{PrivateDnsHostnameTypeOnLaunch: types.HostnameTypeResourceName},
	} {
		change.SubnetId = id
		done[*ec2.ModifySubnetAttributeOutput](t)(h.ModifySubnetAttribute(background, &change))
	}
	want.Tags, want.MapPublicIpOnLaunch = tags("a", "2"), new(true)
	want.PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord, want.PrivateDnsNameOptionsOnLaunch.HostnameType = new(true), types.HostnameTypeResourceName
	equal(t, "changed", h.readSubnet(id), want)
	_, err = h.ModifySubnetAttribute(background, &ec2.ModifySubnetAttributeInput{SubnetId: id, AssignIpv6AddressOnCreation: &types.AttributeBooleanValue{Value: new(true)}})
	refused(t, err, "UnsupportedOperation", "IPv6")
	_, err = h.AssociateSubnetCidrBlock(background, &ec2.AssociateSubnetCidrBlockInput{SubnetId: id, Ipv6CidrBlock: new("2001:db8::/64")})
	refused(t, err, "UnsupportedOperation", "IPv6 is not supported.")

	interfaceID := done[*ec2.CreateNetworkInterfaceOutput](t)(h.CreateNetworkInterface(background, &ec2.CreateNetworkInterfaceInput{SubnetId: id})).NetworkInterface.NetworkInterfaceId
	equal(t, "free addresses", *h.readSubnet(id).AvailableIpAddressCount, 250)
	_, err = h.DeleteSubnet(background, &ec2.DeleteSubnetInput{SubnetId: id})
	refused(t, err, "DependencyViolation", "The subnet '"+*id+"' has dependencies and cannot be deleted.")
	done[*ec2.DeleteNetworkInterfaceOutput](t)(h.DeleteNetworkInterface(background, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: interfaceID}))
	done[*ec2.DeleteSubnetOutput](t)(h.DeleteSubnet(background, &ec2.DeleteSubnetInput{SubnetId: id}))
	_, err = h.DescribeSubnets(background, &ec2.DescribeSubnetsInput{SubnetIds: []string{*id}})
	refused(t, err, "InvalidSubnetID.NotFound", "The subnet ID '"+*id+"' does not exist")
}
