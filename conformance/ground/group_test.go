package ground_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func (h *house) group(vpc *string, name string) *string {
	h.t.Helper()
	return done[*ec2.CreateSecurityGroupOutput](h.t)(h.CreateSecurityGroup(background, &ec2.CreateSecurityGroupInput{GroupName: &name, Description: &name, VpcId: vpc})).GroupId
}

func (h *house) readGroup(id *string) types.SecurityGroup {
	h.t.Helper()
	return done[*ec2.DescribeSecurityGroupsOutput](h.t)(h.DescribeSecurityGroups(background, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{*id}})).SecurityGroups[0]
}

func (h *house) readRules(group *string) []types.SecurityGroupRule {
	h.t.Helper()
	return done[*ec2.DescribeSecurityGroupRulesOutput](h.t)(h.DescribeSecurityGroupRules(background, &ec2.DescribeSecurityGroupRulesInput{
		Filters: []types.Filter{filter("group-id", *group)},
	})).SecurityGroupRules
}

// permission is one without a peer yet.
func permission(protocol string, ports ...int32) types.IpPermission {
	p := types.IpPermission{
		IpProtocol: &protocol, IpRanges: []types.IpRange{}, Ipv6Ranges: []types.Ipv6Range{}, PrefixListIds: []types.PrefixListId{}, UserIdGroupPairs: []types.UserIdGroupPair{},
	}
	if len(ports) == 2 {
		p.FromPort, p.ToPort = &ports[0], &ports[1]
	}
	return p
}

// What Terraform's aws_security_group does.
func TestGroupLives(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	peer, list := h.group(vpc, "peer"), h.list("office")
	made := done[*ec2.CreateSecurityGroupOutput](t)(h.CreateSecurityGroup(background, &ec2.CreateSecurityGroupInput{
		GroupName: new("web"), Description: new("of web"), VpcId: vpc, TagSpecifications: tagged(types.ResourceTypeSecurityGroup, "a", "1", "gone", "1"),
	}))
	id := made.GroupId
	equal(t, "its ARN", made.SecurityGroupArn, resource("security-group", id))
	all := permission("-1")
	all.IpRanges = []types.IpRange{{CidrIp: new("0.0.0.0/0")}}
	want := types.SecurityGroup{
		GroupId: id, GroupName: new("web"), Description: new("of web"), VpcId: vpc, OwnerId: &account, SecurityGroupArn: resource("security-group", id),
		IpPermissions: []types.IpPermission{}, IpPermissionsEgress: []types.IpPermission{all}, Tags: tags("a", "1", "gone", "1"),
	}
	equal(t, "read", h.readGroup(id), want)
	_, err := h.CreateSecurityGroup(background, &ec2.CreateSecurityGroupInput{GroupName: new("web"), Description: new("of web"), VpcId: vpc})
	refused(t, err, "InvalidGroup.Duplicate", "The security group 'web' already exists for VPC '"+*vpc+"'")
	h.retag(id)
	want.Tags = tags("a", "2")

	web, ping, esp := permission("tcp", 80, 443), permission("icmp", 8, -1), permission("50")
	web.IpRanges = []types.IpRange{{CidrIp: new("10.0.0.0/8"), Description: new("home")}, {CidrIp: new("192.0.2.0/24")}}
	web.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: new("2001:db8::/32"), Description: new("six")}}
	web.PrefixListIds = []types.PrefixListId{{PrefixListId: list, Description: new("office")}}
	web.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: peer, UserId: &account, Description: new("peer")}, {GroupId: id, UserId: &account}}
	ping.IpRanges, esp.IpRanges = all.IpRanges, all.IpRanges
	want.IpPermissions = []types.IpPermission{web, ping, esp}
	in := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: id, IpPermissions: want.IpPermissions}
	equal(t, "rules", len(done[*ec2.AuthorizeSecurityGroupIngressOutput](t)(h.AuthorizeSecurityGroupIngress(background, in)).SecurityGroupRules), 8)
	equal(t, "with rules", h.readGroup(id), want)
	_, err = h.AuthorizeSecurityGroupIngress(background, in)
	refused(t, err, "InvalidPermission.Duplicate", `the specified rule "peer: 10.0.0.0/8, TCP, from port: 80, to port: 443, ALLOW" already exists`)

	web.IpRanges = []types.IpRange{{CidrIp: new("10.0.0.0/8"), Description: new("house")}}
	done[*ec2.UpdateSecurityGroupRuleDescriptionsIngressOutput](t)(h.UpdateSecurityGroupRuleDescriptionsIngress(background, &ec2.UpdateSecurityGroupRuleDescriptionsIngressInput{
		GroupId: id, IpPermissions: []types.IpPermission{{IpProtocol: new("tcp"), FromPort: new(int32(80)), ToPort: new(int32(443)), IpRanges: web.IpRanges}},
	}))
	done[*ec2.RevokeSecurityGroupIngressOutput](t)(h.RevokeSecurityGroupIngress(background, &ec2.RevokeSecurityGroupIngressInput{
		GroupId: id, IpPermissions: []types.IpPermission{{IpProtocol: new("tcp"), FromPort: new(int32(80)), ToPort: new(int32(443)), IpRanges: []types.IpRange{{CidrIp: new("192.0.2.0/24")}}}, esp},
	}))
	done[*ec2.RevokeSecurityGroupEgressOutput](t)(h.RevokeSecurityGroupEgress(background, &ec2.RevokeSecurityGroupEgressInput{GroupId: id, IpPermissions: want.IpPermissionsEgress}))
	want.IpPermissions, want.IpPermissionsEgress = []types.IpPermission{web, ping}, []types.IpPermission{}
	equal(t, "changed", h.readGroup(id), want)

	_, err = h.DeleteSecurityGroup(background, &ec2.DeleteSecurityGroupInput{GroupId: peer})
	refused(t, err, "DependencyViolation", "resource "+*peer+" has a dependent object")
	done[*ec2.DeleteSecurityGroupOutput](t)(h.DeleteSecurityGroup(background, &ec2.DeleteSecurityGroupInput{GroupId: id}))
	_, err = h.DescribeSecurityGroups(background, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{*id}})
	refused(t, err, "InvalidGroup.NotFound", *id)
	done[*ec2.DeleteSecurityGroupOutput](t)(h.DeleteSecurityGroup(background, &ec2.DeleteSecurityGroupInput{GroupId: peer}))
	_, err = h.DeleteSecurityGroup(background, &ec2.DeleteSecurityGroupInput{GroupId: h.defaultGroup(vpc).GroupId})
	refused(t, err, "CannotDelete", `name: "default" cannot be deleted by a user`)
}

// What Terraform's aws_vpc_security_group_ingress_rule and its twin of egress do.
func TestRulesLive(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	id, peer, list := h.group(vpc, "web"), h.group(vpc, "peer"), h.list("office")
	first := h.readRules(id)[0]
	equal(t, "the rule of a new group", first, types.SecurityGroupRule{
		SecurityGroupRuleId: first.SecurityGroupRuleId, SecurityGroupRuleArn: resource("security-group-rule", first.SecurityGroupRuleId), GroupId: id, GroupOwnerId: &account,
		IsEgress: new(true), IpProtocol: new("-1"), FromPort: new(int32(-1)), ToPort: new(int32(-1)), CidrIpv4: new("0.0.0.0/0"),
	})
	done[*ec2.RevokeSecurityGroupEgressOutput](t)(h.RevokeSecurityGroupEgress(background, &ec2.RevokeSecurityGroupEgressInput{GroupId: id, SecurityGroupRuleIds: []string{*first.SecurityGroupRuleId}}))

	made := done[*ec2.AuthorizeSecurityGroupIngressOutput](t)(h.AuthorizeSecurityGroupIngress(background, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: id, TagSpecifications: tagged(types.ResourceTypeSecurityGroupRule, "a", "1", "gone", "1"), IpPermissions: []types.IpPermission{
			{IpProtocol: new("6"), FromPort: new(int32(80)), ToPort: new(int32(81)), IpRanges: []types.IpRange{{CidrIp: new("10.1.2.3/8"), Description: new("home")}}},
		},
	})).SecurityGroupRules[0]
	rule := made.SecurityGroupRuleId
	want := types.SecurityGroupRule{
		SecurityGroupRuleId: rule, SecurityGroupRuleArn: resource("security-group-rule", rule), GroupId: id, GroupOwnerId: &account, IsEgress: new(false),
		IpProtocol: new("tcp"), FromPort: new(int32(80)), ToPort: new(int32(81)), CidrIpv4: new("10.0.0.0/8"), Description: new("home"), Tags: tags("a", "1", "gone", "1"),
	}
	equal(t, "made", made, want)
	equal(t, "read", h.readRules(id), []types.SecurityGroupRule{want})
	h.retag(rule)
	want.Tags = tags("a", "2")
	change := func(to types.SecurityGroupRuleRequest) {
		t.Helper()
		done[*ec2.ModifySecurityGroupRulesOutput](t)(h.ModifySecurityGroupRules(background, &ec2.ModifySecurityGroupRulesInput{
			GroupId: id, SecurityGroupRules: []types.SecurityGroupRuleUpdate{{SecurityGroupRuleId: rule, SecurityGroupRule: &to}},
		}))
		equal(t, "changed", h.readRules(id), []types.SecurityGroupRule{want})
	}
	want.IpProtocol, want.CidrIpv4, want.Description, want.ReferencedGroupInfo = new("udp"), nil, nil, &types.ReferencedSecurityGroup{GroupId: peer, UserId: &account}
	change(types.SecurityGroupRuleRequest{IpProtocol: new("udp"), FromPort: new(int32(80)), ToPort: new(int32(81)), ReferencedGroupId: peer})
	want.ReferencedGroupInfo, want.PrefixListId, want.Description = nil, list, new("office")
	change(types.SecurityGroupRuleRequest{IpProtocol: new("udp"), FromPort: new(int32(80)), ToPort: new(int32(81)), PrefixListId: list, Description: new("office")})
	want.PrefixListId, want.CidrIpv6, want.IpProtocol, want.FromPort, want.ToPort = nil, new("2001:db8::/32"), new("icmpv6"), new(int32(128)), new(int32(0))
	change(types.SecurityGroupRuleRequest{IpProtocol: new("icmpv6"), FromPort: new(int32(128)), ToPort: new(int32(0)), CidrIpv6: new("2001:db8::/32"), Description: new("office")})

	out := done[*ec2.AuthorizeSecurityGroupEgressOutput](t)(h.AuthorizeSecurityGroupEgress(background, &ec2.AuthorizeSecurityGroupEgressInput{
		GroupId: id, IpPermissions: []types.IpPermission{{IpProtocol: new("-1"), UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: peer}}}},
	})).SecurityGroupRules[0]
	done[*ec2.UpdateSecurityGroupRuleDescriptionsEgressOutput](t)(h.UpdateSecurityGroupRuleDescriptionsEgress(background, &ec2.UpdateSecurityGroupRuleDescriptionsEgressInput{
		GroupId: id, SecurityGroupRuleDescriptions: []types.SecurityGroupRuleDescription{{SecurityGroupRuleId: out.SecurityGroupRuleId, Description: new("to peers")}},
	}))
	read := done[*ec2.DescribeSecurityGroupRulesOutput](t)(h.DescribeSecurityGroupRules(background, &ec2.DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{*out.SecurityGroupRuleId}})).SecurityGroupRules[0]
	out.Description = new("to peers")
	equal(t, "described", read, out)

	away := &ec2.RevokeSecurityGroupIngressInput{GroupId: id, SecurityGroupRuleIds: []string{*rule}}
	done[*ec2.RevokeSecurityGroupIngressOutput](t)(h.RevokeSecurityGroupIngress(background, away))
	_, err := h.RevokeSecurityGroupIngress(background, away)
	refused(t, err, "InvalidSecurityGroupRuleId.NotFound", *rule)
	equal(t, "left", h.readRules(id), []types.SecurityGroupRule{out})
	groups := done[*ec2.GetSecurityGroupsForVpcOutput](t)(h.GetSecurityGroupsForVpc(background, &ec2.GetSecurityGroupsForVpcInput{VpcId: vpc})).SecurityGroupForVpcs
	equal(t, "groups of the VPC", len(groups), 3)
}
