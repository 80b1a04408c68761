package ground_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func (h *house) readInterface(id *string) types.NetworkInterface {
	h.t.Helper()
	return done[*ec2.DescribeNetworkInterfacesOutput](h.t)(h.DescribeNetworkInterfaces(background, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*id}})).NetworkInterfaces[0]
}

// What Terraform's aws_network_interface does.
func TestInterfaceLives(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	subnet, group := h.subnet(vpc, "10.1.1.0/24"), h.defaultGroup(vpc)
	made := done[*ec2.CreateNetworkInterfaceOutput](t)(h.CreateNetworkInterface(background, &ec2.CreateNetworkInterfaceInput{
		SubnetId: subnet, Description: new("first"), PrivateIpAddress: new("10.1.1.9"), TagSpecifications: tagged(types.ResourceTypeNetworkInterface, "a", "1", "gone", "1"),
	})).NetworkInterface
	id := made.NetworkInterfaceId
	name := func(text string) *string { return new("ip-" + text + ".eu-central-1.compute.internal") }
	want := types.NetworkInterface{
		NetworkInterfaceId: id, SubnetId: subnet, VpcId: vpc, OwnerId: &account, AvailabilityZone: new("eu-central-1a"), AvailabilityZoneId: new("euc1-az1"), Description: new("first"),
		MacAddress: made.MacAddress, PrivateIpAddress: new("10.1.1.9"), PrivateDnsName: name("10-1-1-9"), SourceDestCheck: new(true), Status: types.NetworkInterfaceStatusAvailable,
		InterfaceType: types.NetworkInterfaceTypeInterface, RequesterManaged: new(false), Groups: []types.GroupIdentifier{{GroupId: group.GroupId, GroupName: new("default")}},
		Ipv6Addresses: []types.NetworkInterfaceIpv6Address{}, TagSet: tags("a", "1", "gone", "1"), PrivateIpAddresses: []types.NetworkInterfacePrivateIpAddress{
			{Primary: new(true), PrivateIpAddress: new("10.1.1.9"), PrivateDnsName: name("10-1-1-9")},
		},
	}
	equal(t, "made", *made, want)
	equal(t, "read", h.readInterface(id), want)
	_, err := h.CreateNetworkInterface(background, &ec2.CreateNetworkInterfaceInput{SubnetId: subnet, PrivateIpAddress: new("10.1.1.9")})
	refused(t, err, "InvalidIPAddress.InUse", "Address 10.1.1.9 is in use.")

	h.retag(id)
	second := h.group(vpc, "second")
	for _, change := range []ec2.ModifyNetworkInterfaceAttributeInput{
		{Description: &types.AttributeValue{Value: new("second")}}, {SourceDestCheck: &types.AttributeBooleanValue{Value: new(false)}}, {Groups: []string{*second}},
	} {
		change.NetworkInterfaceId = id
		done[*ec2.ModifyNetworkInterfaceAttributeOutput](t)(h.ModifyNetworkInterfaceAttribute(background, &change))
	}
	want.TagSet, want.Description, want.SourceDestCheck = tags("a", "2"), new("second"), new(false)
	want.Groups = []types.GroupIdentifier{{GroupId: second, GroupName: new("second")}}
	equal(t, "changed", h.readInterface(id), want)
	h.interfaceAttributes(id, want)
	done[*ec2.ResetNetworkInterfaceAttributeOutput](t)(h.ResetNetworkInterfaceAttribute(background, &ec2.ResetNetworkInterfaceAttributeInput{NetworkInterfaceId: id, SourceDestCheck: new("")}))
	want.SourceDestCheck = new(true)
	equal(t, "reset", h.readInterface(id), want)

	h.interfaceAddresses(id, &want)
	_, err = h.DeleteSecurityGroup(background, &ec2.DeleteSecurityGroupInput{GroupId: second})
	refused(t, err, "DependencyViolation", "resource "+*second+" has a dependent object")
	_, err = h.AttachNetworkInterface(background, &ec2.AttachNetworkInterfaceInput{NetworkInterfaceId: id, InstanceId: new("i-1"), DeviceIndex: new(int32(1))})
	refused(t, err, "UnsupportedOperation", "Instances can not be given further network interfaces.")
	_, err = h.DetachNetworkInterface(background, &ec2.DetachNetworkInterfaceInput{AttachmentId: new("eni-attach-1")})
	refused(t, err, "InvalidAttachmentID.NotFound", "eni-attach-1")
	done[*ec2.DeleteNetworkInterfaceOutput](t)(h.DeleteNetworkInterface(background, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: id}))
	_, err = h.DescribeNetworkInterfaces(background, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*id}})
	refused(t, err, "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '"+*id+"' does not exist")
}

func (h *house) interfaceAttributes(id *string, want types.NetworkInterface) {
	h.t.Helper()
	read := func(name types.NetworkInterfaceAttribute) *ec2.DescribeNetworkInterfaceAttributeOutput {
		return done[*ec2.DescribeNetworkInterfaceAttributeOutput](h.t)(h.DescribeNetworkInterfaceAttribute(background, &ec2.DescribeNetworkInterfaceAttributeInput{NetworkInterfaceId: id, Attribute: name}))
	}
	equal(h.t, "description", read(types.NetworkInterfaceAttributeDescription).Description.Value, want.Description)
	equal(h.t, "groupSet", read(types.NetworkInterfaceAttributeGroupSet).Groups, want.Groups)
	equal(h.t, "sourceDestCheck", read(types.NetworkInterfaceAttributeSourceDestCheck).SourceDestCheck.Value, want.SourceDestCheck)
	equal(h.t, "attachment", read(types.NetworkInterfaceAttributeAttachment).Attachment, nil)
}

// interfaceAddresses gives secondary addresses to an interface with 10.1.1.9, and takes
// them away.
func (h *house) interfaceAddresses(id *string, want *types.NetworkInterface) {
	h.t.Helper()
	named := done[*ec2.AssignPrivateIpAddressesOutput](h.t)(h.AssignPrivateIpAddresses(background, &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: id, PrivateIpAddresses: []string{"10.1.1.20"}}))
	equal(h.t, "assigned", named.AssignedPrivateIpAddresses, []types.AssignedPrivateIpAddress{{PrivateIpAddress: new("10.1.1.20")}})
	want.PrivateIpAddresses = append(want.PrivateIpAddresses, types.NetworkInterfacePrivateIpAddress{
		Primary: new(false), PrivateIpAddress: new("10.1.1.20"), PrivateDnsName: new("ip-10-1-1-20.eu-central-1.compute.internal"),
	})
	equal(h.t, "with a second address", h.readInterface(id), *want)
	for address, c := range map[string]struct{ code, says string }{
		"10.1.1.20": {"InvalidIPAddress.InUse", "Address 10.1.1.20 is in use."},
		"10.1.2.20": {"InvalidParameterValue", "Address 10.1.2.20 does not fall within the subnet's address range"},
	} {
		_, err := h.AssignPrivateIpAddresses(background, &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: id, PrivateIpAddresses: []string{address}})
		refused(h.t, err, c.code, c.says)
	}
	public := h.address().AllocationId
	for address, c := range map[string]struct{ code, says string }{
		"10.1.1.20": {"UnsupportedOperation", "A public address of a secondary private one is not supported."},
		"10.1.1.21": {"InvalidParameterValue", "10.1.1.21 is not an address of " + *id},
	} {
		_, err := h.AssociateAddress(background, &ec2.AssociateAddressInput{AllocationId: public, NetworkInterfaceId: id, PrivateIpAddress: &address})
		refused(h.t, err, c.code, c.says)
	}
	counted := done[*ec2.AssignPrivateIpAddressesOutput](h.t)(h.AssignPrivateIpAddresses(background, &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: id, SecondaryPrivateIpAddressCount: new(int32(2))})).AssignedPrivateIpAddresses
	equal(h.t, "counted", len(counted), 2)
	equal(h.t, "free addresses", *h.readSubnet(want.SubnetId).AvailableIpAddressCount, 251-4)
	away := &ec2.UnassignPrivateIpAddressesInput{NetworkInterfaceId: id, PrivateIpAddresses: []string{*counted[0].PrivateIpAddress, *counted[1].PrivateIpAddress}}
	done[*ec2.UnassignPrivateIpAddressesOutput](h.t)(h.UnassignPrivateIpAddresses(background, away))
	equal(h.t, "with two addresses again", h.readInterface(id), *want)
	_, err := h.UnassignPrivateIpAddresses(background, away)
	refused(h.t, err, "InvalidParameterValue", "Some of the specified addresses are not assigned to interface "+*id)
	_, err = h.AssignIpv6Addresses(background, &ec2.AssignIpv6AddressesInput{NetworkInterfaceId: id, Ipv6AddressCount: new(int32(1))})
	refused(h.t, err, "UnsupportedOperation", "IPv6 is not supported.")
	_, err = h.UnassignIpv6Addresses(background, &ec2.UnassignIpv6AddressesInput{NetworkInterfaceId: id, Ipv6Addresses: []string{"2001:db8::1"}})
	refused(h.t, err, "InvalidParameterValue", "are not assigned to interface "+*id)
}

func TestInterfacesAreMadeWithSecondaryAddresses(t *testing.T) {
	h := open(t)
	subnet := h.subnet(h.vpc(), "10.1.1.0/24")
	i := done[*ec2.CreateNetworkInterfaceOutput](t)(h.CreateNetworkInterface(background, &ec2.CreateNetworkInterfaceInput{SubnetId: subnet, PrivateIpAddresses: []types.PrivateIpAddressSpecification{
		{PrivateIpAddress: new("10.1.1.8")}, {PrivateIpAddress: new("10.1.1.9"), Primary: new(true)},
	}})).NetworkInterface
	equal(t, "primary", *i.PrivateIpAddress, "10.1.1.9")
	equal(t, "secondary", *i.PrivateIpAddresses[1].PrivateIpAddress, "10.1.1.8")
	equal(t, "addresses", len(done[*ec2.CreateNetworkInterfaceOutput](t)(h.CreateNetworkInterface(background, &ec2.CreateNetworkInterfaceInput{
		SubnetId: subnet, SecondaryPrivateIpAddressCount: new(int32(3)),
	})).NetworkInterface.PrivateIpAddresses), 4)
}
