package ground_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// What Terraform's aws_internet_gateway does.
func TestInternetGatewayLives(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	made := done[*ec2.CreateInternetGatewayOutput](t)(h.CreateInternetGateway(background, &ec2.CreateInternetGatewayInput{
		TagSpecifications: tagged(types.ResourceTypeInternetGateway, "a", "1", "gone", "1"),
	})).InternetGateway
	id := made.InternetGatewayId
	want := types.InternetGateway{InternetGatewayId: id, OwnerId: &account, Attachments: []types.InternetGatewayAttachment{}, Tags: tags("a", "1", "gone", "1")}
	equal(t, "made", *made, want)
	read := func() types.InternetGateway {
		return done[*ec2.DescribeInternetGatewaysOutput](t)(h.DescribeInternetGateways(background, &ec2.DescribeInternetGatewaysInput{InternetGatewayIds: []string{*id}})).InternetGateways[0]
	}
	equal(t, "read", read(), want)
	h.retag(id)
	want.Tags = tags("a", "2")
	attach := &ec2.AttachInternetGatewayInput{InternetGatewayId: id, VpcId: vpc}
	done[*ec2.AttachInternetGatewayOutput](t)(h.AttachInternetGateway(background, attach))
	want.Attachments = []types.InternetGatewayAttachment{{State: "available", VpcId: vpc}}
	equal(t, "attached", read(), want)
	_, err := h.AttachInternetGateway(background, attach)
	refused(t, err, "Resource.AlreadyAssociated", "resource "+*id+" is already attached to network "+*vpc)
	_, err = h.DeleteInternetGateway(background, &ec2.DeleteInternetGatewayInput{InternetGatewayId: id})
	refused(t, err, "DependencyViolation", "The internetGateway '"+*id+"' has dependencies and cannot be deleted.")
	detach := &ec2.DetachInternetGatewayInput{InternetGatewayId: id, VpcId: vpc}
	done[*ec2.DetachInternetGatewayOutput](t)(h.DetachInternetGateway(background, detach))
	_, err = h.DetachInternetGateway(background, detach)
	refused(t, err, "Gateway.NotAttached", "resource "+*id+" is not attached to network "+*vpc)
	done[*ec2.DeleteInternetGatewayOutput](t)(h.DeleteInternetGateway(background, &ec2.DeleteInternetGatewayInput{InternetGatewayId: id}))
	_, err = h.DescribeInternetGateways(background, &ec2.DescribeInternetGatewaysInput{InternetGatewayIds: []string{*id}})
	refused(t, err, "InvalidInternetGatewayID.NotFound", "The internetGateway ID '"+*id+"' does not exist")
}

// What Terraform's aws_egress_only_internet_gateway does.
func TestEgressOnlyGatewayLives(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	made := done[*ec2.CreateEgressOnlyInternetGatewayOutput](t)(h.CreateEgressOnlyInternetGateway(background, &ec2.CreateEgressOnlyInternetGatewayInput{
		VpcId: vpc, TagSpecifications: tagged(types.ResourceTypeEgressOnlyInternetGateway, "a", "1", "gone", "1"),
	})).EgressOnlyInternetGateway
	id := made.EgressOnlyInternetGatewayId
	h.retag(id)
	ask := &ec2.DescribeEgressOnlyInternetGatewaysInput{EgressOnlyInternetGatewayIds: []string{*id}}
	equal(t, "read", done[*ec2.DescribeEgressOnlyInternetGatewaysOutput](t)(h.DescribeEgressOnlyInternetGateways(background, ask)).EgressOnlyInternetGateways, []types.EgressOnlyInternetGateway{{
		EgressOnlyInternetGatewayId: id, Attachments: []types.InternetGatewayAttachment{{State: types.AttachmentStatusAttached, VpcId: vpc}}, Tags: tags("a", "2"),
	}})
	done[*ec2.DeleteEgressOnlyInternetGatewayOutput](t)(h.DeleteEgressOnlyInternetGateway(background, &ec2.DeleteEgressOnlyInternetGatewayInput{EgressOnlyInternetGatewayId: id}))
	equal(t, "left", len(done[*ec2.DescribeEgressOnlyInternetGatewaysOutput](t)(h.DescribeEgressOnlyInternetGateways(background, ask)).EgressOnlyInternetGateways), 0)
}

func (h *house) readNAT(id *string) types.NatGateway {
	h.t.Helper()
	return done[*ec2.DescribeNatGatewaysOutput](h.t)(h.DescribeNatGateways(background, &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{*id}})).NatGateways[0]
}

// What Terraform's aws_nat_gateway does.
func TestNATGatewayLives(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	subnet, first, second := h.subnet(vpc, "10.1.1.0/24"), h.address(), h.address()
	_, err := h.CreateNatGateway(background, &ec2.CreateNatGatewayInput{SubnetId: subnet})
	refused(t, err, "MissingParameter", "AllocationId")
	made := done[*ec2.CreateNatGatewayOutput](t)(h.CreateNatGateway(background, &ec2.CreateNatGatewayInput{
		SubnetId: subnet, AllocationId: first.AllocationId, PrivateIpAddress: new("10.1.1.9"), TagSpecifications: tagged(types.ResourceTypeNatgateway, "a", "1", "gone", "1"),
	})).NatGateway
	id := made.NatGatewayId
	first = h.readAddress(first.AllocationId)
	want := types.NatGateway{
		NatGatewayId: id, VpcId: vpc, SubnetId: subnet, State: types.NatGatewayStateAvailable, ConnectivityType: types.ConnectivityTypePublic, CreateTime: made.CreateTime,
		Tags: tags("a", "1", "gone", "1"), NatGatewayAddresses: []types.NatGatewayAddress{{
			AllocationId: first.AllocationId, AssociationId: first.AssociationId, PublicIp: first.PublicIp, PrivateIp: new("10.1.1.9"), NetworkInterfaceId: first.NetworkInterfaceId,
			IsPrimary: new(true), Status: types.NatGatewayAddressStatusSucceeded,
		}},
	}
	equal(t, "made", *made, want)
	equal(t, "read", h.readNAT(id), want)
	h.retag(id)
	want.Tags = tags("a", "2")
	done[*ec2.AssociateNatGatewayAddressOutput](t)(h.AssociateNatGatewayAddress(background, &ec2.AssociateNatGatewayAddressInput{NatGatewayId: id, AllocationIds: []string{*second.AllocationId}}))
	second = h.readAddress(second.AllocationId)
	want.NatGatewayAddresses = append(want.NatGatewayAddresses, types.NatGatewayAddress{
		AllocationId: second.AllocationId, AssociationId: second.AssociationId, PublicIp: second.PublicIp, NetworkInterfaceId: first.NetworkInterfaceId,
		IsPrimary: new(false), Status: types.NatGatewayAddressStatusSucceeded,
	})
	equal(t, "with a second address", h.readNAT(id), want)
	_, err = h.ReleaseAddress(background, &ec2.ReleaseAddressInput{AllocationId: second.AllocationId})
	refused(t, err, "InvalidIPAddress.InUse", "")
	done[*ec2.DisassociateNatGatewayAddressOutput](t)(h.DisassociateNatGatewayAddress(background, &ec2.DisassociateNatGatewayAddressInput{NatGatewayId: id, AssociationIds: []string{*second.AssociationId}}))
	want.NatGatewayAddresses = want.NatGatewayAddresses[:1]
	equal(t, "with one again", h.readNAT(id), want)
	_, err = h.AssignPrivateNatGatewayAddress(background, &ec2.AssignPrivateNatGatewayAddressInput{NatGatewayId: id, PrivateIpAddressCount: new(int32(1))})
	refused(t, err, "UnsupportedOperation", "A secondary private address of a NAT gateway is not supported.")
	_, err = h.UnassignPrivateNatGatewayAddress(background, &ec2.UnassignPrivateNatGatewayAddressInput{NatGatewayId: id, PrivateIpAddresses: []string{"10.1.1.10"}})
	refused(t, err, "InvalidParameterValue", "are not secondary addresses of "+*id)

	done[*ec2.DeleteNatGatewayOutput](t)(h.DeleteNatGateway(background, &ec2.DeleteNatGatewayInput{NatGatewayId: id}))
	gone := h.readNAT(id)
	equal(t, "its state", gone.State, types.NatGatewayStateDeleted)
	equal(t, "its address is free", h.readAddress(first.AllocationId).AssociationId, nil)
	_, err = h.DeleteNatGateway(background, &ec2.DeleteNatGatewayInput{NatGatewayId: id})
	refused(t, err, "NatGatewayNotFound", *id)
	done[*ec2.DeleteSubnetOutput](t)(h.DeleteSubnet(background, &ec2.DeleteSubnetInput{SubnetId: subnet}))
}
