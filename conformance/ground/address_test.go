package ground_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// address allocates an Elastic IP address.
func (h *house) address() types.Address {
	h.t.Helper()
	return h.readAddress(done[*ec2.AllocateAddressOutput](h.t)(h.AllocateAddress(background, nil)).AllocationId)
}

func (h *house) readAddress(id *string) types.Address {
	h.t.Helper()
	return done[*ec2.DescribeAddressesOutput](h.t)(h.DescribeAddresses(background, &ec2.DescribeAddressesInput{AllocationIds: []string{*id}})).Addresses[0]
}

// What Terraform's aws_eip, aws_eip_association and aws_eip_domain_name do.
func TestAddressLives(t *testing.T) {
	h := open(t)
	subnet := h.subnet(h.vpc(), "10.1.1.0/24")
	made := done[*ec2.AllocateAddressOutput](t)(h.AllocateAddress(background, &ec2.AllocateAddressInput{
		Domain: types.DomainTypeVpc, TagSpecifications: tagged(types.ResourceTypeElasticIp, "a", "1", "gone", "1"),
	}))
	id := made.AllocationId
	want := types.Address{
		AllocationId: id, PublicIp: made.PublicIp, Domain: types.DomainTypeVpc, PublicIpv4Pool: new("amazon"), NetworkBorderGroup: new("eu-central-1"), Tags: tags("a", "1", "gone", "1"),
	}
	equal(t, "read", h.readAddress(id), want)
	h.retag(id)
	want.Tags = tags("a", "2")

	i := done[*ec2.CreateNetworkInterfaceOutput](t)(h.CreateNetworkInterface(background, &ec2.CreateNetworkInterfaceInput{SubnetId: subnet})).NetworkInterface
	joined := done[*ec2.AssociateAddressOutput](t)(h.AssociateAddress(background, &ec2.AssociateAddressInput{AllocationId: id, NetworkInterfaceId: i.NetworkInterfaceId}))
	free := want
	want.AssociationId, want.NetworkInterfaceId, want.NetworkInterfaceOwnerId, want.PrivateIpAddress = joined.AssociationId, i.NetworkInterfaceId, &account, i.PrivateIpAddress
	want.SubnetId = subnet
	equal(t, "associated", h.readAddress(id), want)
	association := &types.NetworkInterfaceAssociation{AllocationId: id, AssociationId: joined.AssociationId, IpOwnerId: &account, PublicIp: made.PublicIp}
	equal(t, "the interface's", h.readInterface(i.NetworkInterfaceId).Association, association)
	_, err := h.ReleaseAddress(background, &ec2.ReleaseAddressInput{AllocationId: id})
	refused(t, err, "InvalidIPAddress.InUse", "")
	other := h.address()
	_, err = h.AssociateAddress(background, &ec2.AssociateAddressInput{AllocationId: other.AllocationId, NetworkInterfaceId: new("eni-1")})
	refused(t, err, "InvalidNetworkInterfaceID.NotFound", "eni-1")

	attribute := types.AddressAttribute{AllocationId: id, PublicIp: made.PublicIp, PtrRecord: new("a.example.com.")}
	done[*ec2.ModifyAddressAttributeOutput](t)(h.ModifyAddressAttribute(background, &ec2.ModifyAddressAttributeInput{AllocationId: id, DomainName: new("a.example.com")}))
	names := &ec2.DescribeAddressesAttributeInput{AllocationIds: []string{*id}, Attribute: types.AddressAttributeNameDomainName}
	equal(t, "its name", done[*ec2.DescribeAddressesAttributeOutput](t)(h.DescribeAddressesAttribute(background, names)).Addresses, []types.AddressAttribute{attribute})
	done[*ec2.ResetAddressAttributeOutput](t)(h.ResetAddressAttribute(background, &ec2.ResetAddressAttributeInput{AllocationId: id, Attribute: types.AddressAttributeNameDomainName}))
	equal(t, "names left", len(done[*ec2.DescribeAddressesAttributeOutput](t)(h.DescribeAddressesAttribute(background, names)).Addresses), 0)

	done[*ec2.DisassociateAddressOutput](t)(h.DisassociateAddress(background, &ec2.DisassociateAddressInput{AssociationId: joined.AssociationId}))
	equal(t, "free again", h.readAddress(id), free)
	_, err = h.DisassociateAddress(background, &ec2.DisassociateAddressInput{AssociationId: joined.AssociationId})
	refused(t, err, "InvalidAssociationID.NotFound", *joined.AssociationId)
	done[*ec2.ReleaseAddressOutput](t)(h.ReleaseAddress(background, &ec2.ReleaseAddressInput{AllocationId: id}))
	_, err = h.DescribeAddresses(background, &ec2.DescribeAddressesInput{AllocationIds: []string{*id}})
	refused(t, err, "InvalidAllocationID.NotFound", *id)
	equal(t, "pools", len(done[*ec2.DescribePublicIpv4PoolsOutput](t)(h.DescribePublicIpv4Pools(background, nil)).PublicIpv4Pools), 0)
	_, err = h.GetIpamPoolAllocations(background, &ec2.GetIpamPoolAllocationsInput{IpamPoolId: new("ipam-pool-1")})
	refused(t, err, "InvalidIpamPoolId.NotFound", "ipam-pool-1")
}
