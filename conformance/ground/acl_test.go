package ground_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func (h *house) readACL(id *string) types.NetworkAcl {
	h.t.Helper()
	return done[*ec2.DescribeNetworkAclsOutput](h.t)(h.DescribeNetworkAcls(background, &ec2.DescribeNetworkAclsInput{NetworkAclIds: []string{*id}})).NetworkAcls[0]
}

// last is the entry that denies what no other admits.
func last(egress bool) types.NetworkAclEntry {
	return types.NetworkAclEntry{
		RuleNumber: new(int32(32767)), Egress: &egress, Protocol: new("-1"), RuleAction: types.RuleActionDeny, CidrBlock: new("0.0.0.0/0"),
	}
}

// What Terraform's aws_network_acl and aws_network_acl_rule do.
func TestACLLives(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	made := done[*ec2.CreateNetworkAclOutput](t)(h.CreateNetworkAcl(background, &ec2.CreateNetworkAclInput{VpcId: vpc, TagSpecifications: tagged(types.ResourceTypeNetworkAcl, "a", "1", "gone", "1")})).NetworkAcl
	id := made.NetworkAclId
	want := types.NetworkAcl{
		NetworkAclId: id, VpcId: vpc, OwnerId: &account, IsDefault: new(false), Associations: []types.NetworkAclAssociation{},
		Entries: []types.NetworkAclEntry{last(true), last(false)}, Tags: tags("a", "1", "gone", "1"),
	}
	equal(t, "made", *made, want)
	h.retag(id)
	want.Tags = tags("a", "2")
	web := &ec2.CreateNetworkAclEntryInput{
		NetworkAclId: id, RuleNumber: new(int32(100)), Egress: new(false), Protocol: new("tcp"), RuleAction: types.RuleActionAllow, CidrBlock: new("10.1.2.3/8"),
		PortRange: &types.PortRange{From: new(int32(80)), To: new(int32(443))},
	}
	done[*ec2.CreateNetworkAclEntryOutput](t)(h.CreateNetworkAclEntry(background, web))
	_, err := h.CreateNetworkAclEntry(background, web)
	refused(t, err, "NetworkAclEntryAlreadyExists", "The network acl entry identified by 100 already exists.")
	done[*ec2.CreateNetworkAclEntryOutput](t)(h.CreateNetworkAclEntry(background, &ec2.CreateNetworkAclEntryInput{
		NetworkAclId: id, RuleNumber: new(int32(90)), Egress: new(true), Protocol: new("1"), RuleAction: types.RuleActionDeny, Ipv6CidrBlock: new("::/0"),
		IcmpTypeCode: &types.IcmpTypeCode{Type: new(int32(8)), Code: new(int32(-1))},
	}))
	entry := types.NetworkAclEntry{
		RuleNumber: web.RuleNumber, Egress: web.Egress, Protocol: new("6"), RuleAction: types.RuleActionAllow, CidrBlock: new("10.0.0.0/8"), PortRange: web.PortRange,
	}
	ping := types.NetworkAclEntry{
		RuleNumber: new(int32(90)), Egress: new(true), Protocol: new("1"), RuleAction: types.RuleActionDeny, Ipv6CidrBlock: new("::/0"),
		IcmpTypeCode: &types.IcmpTypeCode{Type: new(int32(8)), Code: new(int32(-1))},
	}
	want.Entries = []types.NetworkAclEntry{ping, last(true), entry, last(false)}
	equal(t, "with entries", h.readACL(id), want)

	done[*ec2.ReplaceNetworkAclEntryOutput](t)(h.ReplaceNetworkAclEntry(background, &ec2.ReplaceNetworkAclEntryInput{
		NetworkAclId: id, RuleNumber: web.RuleNumber, Egress: web.Egress, Protocol: new("-1"), RuleAction: types.RuleActionDeny, CidrBlock: new("10.2.0.0/16"),
	}))
	away := &ec2.DeleteNetworkAclEntryInput{NetworkAclId: id, RuleNumber: ping.RuleNumber, Egress: ping.Egress}
	done[*ec2.DeleteNetworkAclEntryOutput](t)(h.DeleteNetworkAclEntry(background, away))
	want.Entries = []types.NetworkAclEntry{last(true), {
		RuleNumber: web.RuleNumber, Egress: web.Egress, Protocol: new("-1"), RuleAction: types.RuleActionDeny, CidrBlock: new("10.2.0.0/16"),
	}, last(false)}
	equal(t, "replaced", h.readACL(id), want)
	_, err = h.DeleteNetworkAclEntry(background, away)
	refused(t, err, "InvalidNetworkAclEntry.NotFound", "The network acl entry identified by 90 does not exist.")
	h.aclMoves(vpc, id)
	done[*ec2.DeleteNetworkAclOutput](t)(h.DeleteNetworkAcl(background, &ec2.DeleteNetworkAclInput{NetworkAclId: id}))
	_, err = h.DescribeNetworkAcls(background, &ec2.DescribeNetworkAclsInput{NetworkAclIds: []string{*id}})
	refused(t, err, "InvalidNetworkAclID.NotFound", "The networkAcl ID '"+*id+"' does not exist")
}

// aclMoves gives an ACL to a subnet and takes it back, as Terraform's
// aws_network_acl_association does.
func (h *house) aclMoves(vpc, id *string) {
	h.t.Helper()
	subnet := h.subnet(vpc, "10.1.1.0/24")
	of := func() types.NetworkAcl {
		h.t.Helper()
		return done[*ec2.DescribeNetworkAclsOutput](h.t)(h.DescribeNetworkAcls(background, &ec2.DescribeNetworkAclsInput{Filters: []types.Filter{filter("association.subnet-id", *subnet)}})).NetworkAcls[0]
	}
	first := of()
	equal(h.t, "the first is the default one", *first.IsDefault, true)
	moved := done[*ec2.ReplaceNetworkAclAssociationOutput](h.t)(h.ReplaceNetworkAclAssociation(background, &ec2.ReplaceNetworkAclAssociationInput{
		AssociationId: first.Associations[0].NetworkAclAssociationId, NetworkAclId: id,
	})).NewAssociationId
	equal(h.t, "associations", of().Associations, []types.NetworkAclAssociation{{NetworkAclAssociationId: moved, NetworkAclId: id, SubnetId: subnet}})
	_, err := h.DeleteNetworkAcl(background, &ec2.DeleteNetworkAclInput{NetworkAclId: id})
	refused(h.t, err, "DependencyViolation", "The networkAcl '"+*id+"' has dependencies and cannot be deleted.")
	_, err = h.DeleteNetworkAcl(background, &ec2.DeleteNetworkAclInput{NetworkAclId: first.NetworkAclId})
	refused(h.t, err, "InvalidParameterValue", "cannot delete default network ACL "+*first.NetworkAclId)
	back := &ec2.ReplaceNetworkAclAssociationInput{AssociationId: moved, NetworkAclId: first.NetworkAclId}
	done[*ec2.ReplaceNetworkAclAssociationOutput](h.t)(h.ReplaceNetworkAclAssociation(background, back))
	_, err = h.ReplaceNetworkAclAssociation(background, back)
	refused(h.t, err, "InvalidAssociationID.NotFound", *moved)
}
