package ec2

import (
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// draft is a group that is being changed.
type draft network.SecurityGroup

func copyGroup(g *group) *draft {
	next := draft(*g)
	next.Ingress, next.Egress = slices.Clone(g.Ingress), slices.Clone(g.Egress)
	return &next
}

// side is the rules of one direction.
func (d *draft) side(egress bool) *[]network.Rule {
	if egress {
		return &d.Egress
	}
	return &d.Ingress
}

// rule finds a rule by id; nil when the group has none such.
func (d *draft) rule(id string) *network.Rule {
	for _, rules := range [][]network.Rule{d.Ingress, d.Egress} {
		for n := range rules {
			if rules[n].ID == id {
				return &rules[n]
			}
		}
	}
	return nil
}

// findGroup finds a group by id, or by name in the default VPC.
func findGroup(r store.Reader, scope arn.Scope, id, name *string) (*group, error) {
	if id != nil {
		g, ok := store.SecurityGroups.Get(r, network.Key(scope, *id))
		if !ok {
			return nil, fault.New(fault.InvalidGroupID, "The security group '%s' does not exist", *id)
		}
		return g, nil
	}
	if name == nil {
		return nil, fault.New(fault.MissingParameter, "The request must contain the parameter groupName or groupId")
	}
	vpc := defaultVPC(r, scope)
	for g := range store.SecurityGroups.By(r, store.SecurityGroupsByVPC, network.Key(scope, vpc)) {
		if g.Name == *name {
			return g, nil
		}
	}
	return nil, fault.New(fault.InvalidGroupID, "The security group '%s' does not exist in default VPC '%s'", *name, vpc)
}

func alterGroup(tx *store.Tx, scope arn.Scope, id, name *string, fn func(*draft) error) error {
	have, err := findGroup(tx, scope, id, name)
	if err != nil {
		return err
	}
	next := copyGroup(have)
	if err := fn(next); err != nil {
		return err
	}
	if len(next.Ingress) > mostRules || len(next.Egress) > mostRules {
		return fault.New(fault.RulesPerGroupLimit, "The maximum number of rules per security group has been reached.")
	}
	store.SecurityGroups.Put(tx, (*group)(next))
	return nil
}

// mostRules is how many rules a group has in a direction: the most that AWS raises its
// quota to.
const mostRules = 1000

func (a *API) createSecurityGroup(tx *store.Tx, call *gateway.Call, in *shape.CreateSecurityGroupRequest) (*shape.CreateSecurityGroupResult, error) {
	vpc := in.VpcId
	if vpc == nil {
		vpc = new(defaultVPC(tx, call.Scope))
	}
	v, err := findVPC(tx, call.Scope, vpc)
	if err != nil {
		return nil, err
	}
	if err := network.CheckGroup(deref(in.GroupName), deref(in.Description)); err != nil {
		return nil, err
	}
	for g := range store.SecurityGroups.By(tx, store.SecurityGroupsByVPC, network.Key(v.Scope, v.ID)) {
		if g.Name == *in.GroupName {
			return nil, fault.New(fault.InvalidGroupDuplicate, "The security group '%s' already exists for VPC '%s'", g.Name, v.ID)
		}
	}
	tags, err := specified(in.TagSpecifications, shape.ResourceTypeSecurityGroup)
	if err != nil {
		return nil, err
	}
	g := group{
		Scope: call.Scope, ID: newID("sg"), VPCID: v.ID, Name: *in.GroupName, Description: deref(in.Description),
		Egress: []network.Rule{network.OpenRule(newID("sgr"))}, Tags: tags,
	}
	store.SecurityGroups.Put(tx, &g)
	return &shape.CreateSecurityGroupResult{GroupId: new(g.ID), Tags: tagShapes(tags), SecurityGroupArn: new(groupARN(&g))}, nil
}

func groupARN(g *group) string { return g.Scope.Of("ec2", "security-group/"+g.ID) }

func (a *API) deleteSecurityGroup(tx *store.Tx, call *gateway.Call, in *shape.DeleteSecurityGroupRequest) (*shape.DeleteSecurityGroupResult, error) {
	g, err := findGroup(tx, call.Scope, in.GroupId, in.GroupName)
	if err != nil {
		return nil, err
	}
	key := network.Key(g.Scope, g.ID)
	switch {
	case g.Name == "default":
		return nil, fault.New(fault.CannotDelete, "the specified group: \"%s\" name: \"default\" cannot be deleted by a user", g.ID)
	case store.Interfaces.Has(tx, store.InterfacesByGroup, key), store.SecurityGroups.Has(tx, store.SecurityGroupsByPeer, key), endpointHas(tx, g):
		return nil, inUse("resource %s has a dependent object", g.ID)
	}
	store.SecurityGroups.Delete(tx, key)
	return &shape.DeleteSecurityGroupResult{Return: new(true), GroupId: new(g.ID)}, nil
}

func endpointHas(r store.Reader, g *group) bool {
	for e := range store.Endpoints.Prefix(r, network.Key(g.Scope, "")) {
		if slices.Contains(e.SecurityGroups, g.ID) {
			return true
		}
	}
	return false
}

func (a *API) authorizeIngress(tx *store.Tx, call *gateway.Call, in *shape.AuthorizeSecurityGroupIngressRequest) (*shape.AuthorizeSecurityGroupIngressResult, error) {
	asked, err := permissionsAsked(tx, call.Scope, in.IpPermissions, plain{in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp, in.SourceSecurityGroupName})
	if err != nil {
		return nil, err
	}
	made, err := authorize(tx, call.Scope, in.GroupId, in.GroupName, asked, in.TagSpecifications, false)
	return &shape.AuthorizeSecurityGroupIngressResult{Return: new(true), SecurityGroupRules: made}, err
}

func (a *API) authorizeEgress(tx *store.Tx, call *gateway.Call, in *shape.AuthorizeSecurityGroupEgressRequest) (*shape.AuthorizeSecurityGroupEgressResult, error) {
	asked, err := permissionsAsked(tx, call.Scope, in.IpPermissions, plain{in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp, in.SourceSecurityGroupName})
	if err != nil {
		return nil, err
	}
	made, err := authorize(tx, call.Scope, in.GroupId, nil, asked, in.TagSpecifications, true)
	return &shape.AuthorizeSecurityGroupEgressResult{Return: new(true), SecurityGroupRules: made}, err
}

func authorize(tx *store.Tx, scope arn.Scope, id, name *string, asked []network.Rule, specs []shape.TagSpecification, egress bool) ([]shape.SecurityGroupRule, error) {
	tags, err := specified(specs, shape.ResourceTypeSecurityGroupRule)
	if err != nil {
		return nil, err
	}
	made := []shape.SecurityGroupRule{}
	return made, alterGroup(tx, scope, id, name, func(d *draft) error {
		rules := d.side(egress)
		for _, r := range asked {
			if slices.ContainsFunc(*rules, func(have network.Rule) bool { return have.Same(&r) }) {
				return fault.New(fault.InvalidPermissionDuplicate, "the specified rule \"%s\" already exists", r.String())
			}
			r.ID, r.Tags = newID("sgr"), tags
			*rules = append(*rules, r)
			made = append(made, groupRuleShape(&groupRule{Rule: r, group: (*group)(d), egress: egress}))
		}
		return nil
	})
}

func (a *API) revokeIngress(tx *store.Tx, call *gateway.Call, in *shape.RevokeSecurityGroupIngressRequest) (*shape.RevokeSecurityGroupIngressResult, error) {
	asked, err := permissionsRevoked(tx, call.Scope, in.SecurityGroupRuleIds, in.IpPermissions, plain{in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp, in.SourceSecurityGroupName})
	if err != nil {
		return nil, err
	}
	gone, err := revoke(tx, call.Scope, in.GroupId, in.GroupName, in.SecurityGroupRuleIds, asked, false)
	return &shape.RevokeSecurityGroupIngressResult{Return: new(true), RevokedSecurityGroupRules: gone}, err
}

func (a *API) revokeEgress(tx *store.Tx, call *gateway.Call, in *shape.RevokeSecurityGroupEgressRequest) (*shape.RevokeSecurityGroupEgressResult, error) {
	asked, err := permissionsRevoked(tx, call.Scope, in.SecurityGroupRuleIds, in.IpPermissions, plain{in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp, in.SourceSecurityGroupName})
	if err != nil {
		return nil, err
	}
	gone, err := revoke(tx, call.Scope, in.GroupId, nil, in.SecurityGroupRuleIds, asked, true)
	return &shape.RevokeSecurityGroupEgressResult{Return: new(true), RevokedSecurityGroupRules: gone}, err
}

func permissionsRevoked(r store.Reader, scope arn.Scope, ids []string, asked []shape.IpPermission, short plain) ([]network.Rule, error) {
	if len(ids) > 0 {
		return nil, nil
	}
	return permissionsAsked(r, scope, asked, short)
}

func revoke(tx *store.Tx, scope arn.Scope, id, name *string, ids []string, asked []network.Rule, egress bool) ([]shape.RevokedSecurityGroupRule, error) {
	gone := []shape.RevokedSecurityGroupRule{}
	return gone, alterGroup(tx, scope, id, name, func(d *draft) error {
		take := func(match func(*network.Rule) bool) bool {
			rules := d.side(egress)
			at := slices.IndexFunc(*rules, func(r network.Rule) bool { return match(&r) })
			if at < 0 {
				return false
			}
			gone = append(gone, revokedShape(d, &(*rules)[at], egress))
			*rules = slices.Delete(*rules, at, at+1)
			return true
		}
		for _, id := range ids {
			if !take(func(r *network.Rule) bool { return r.ID == id }) {
				return fault.New(fault.InvalidGroupRuleID, "The security group rule ID '%s' does not exist", id)
			}
		}
		for _, want := range asked {
			if !take(want.Same) {
				return fault.New(fault.InvalidPermissionNotFound, "The specified rule does not exist in this security group.")
			}
		}
		return nil
	})
}

func revokedShape(d *draft, r *network.Rule, egress bool) shape.RevokedSecurityGroupRule {
	return shape.RevokedSecurityGroupRule{
		SecurityGroupRuleId: new(r.ID), GroupId: new(d.ID), IsEgress: new(egress), IpProtocol: new(r.Protocol), FromPort: new(int32(r.FromPort)),
		ToPort: new(int32(r.ToPort)), CidrIpv4: optional(r.CIDR), CidrIpv6: optional(r.CIDR6), PrefixListId: optional(r.PrefixList),
		ReferencedGroupId: optional(r.Group), Description: optional(r.Description),
	}
}

func (a *API) modifySecurityGroupRules(tx *store.Tx, call *gateway.Call, in *shape.ModifySecurityGroupRulesRequest) (*shape.ModifySecurityGroupRulesResult, error) {
	return &shape.ModifySecurityGroupRulesResult{Return: new(true)}, alterGroup(tx, call.Scope, in.GroupId, nil, func(d *draft) error {
		for _, u := range in.SecurityGroupRules {
			have := d.rule(deref(u.SecurityGroupRuleId))
			if have == nil {
				return fault.New(fault.InvalidGroupRuleID, "The security group rule ID '%s' does not exist", deref(u.SecurityGroupRuleId))
			}
			if u.SecurityGroupRule == nil {
				return fault.New(fault.MissingParameter, "The request must contain the parameter SecurityGroupRule")
			}
			next, err := ruleAsked(tx, call.Scope, u.SecurityGroupRule)
			if err != nil {
				return err
			}
			next.ID, next.Tags = have.ID, have.Tags
			*have = next
		}
		return nil
	})
}

func ruleAsked(r store.Reader, scope arn.Scope, in *shape.SecurityGroupRuleRequest) (network.Rule, error) {
	p := shape.IpPermission{IpProtocol: in.IpProtocol, FromPort: in.FromPort, ToPort: in.ToPort}
	if in.CidrIpv4 != nil {
		p.IpRanges = []shape.IpRange{{CidrIp: in.CidrIpv4, Description: in.Description}}
	}
	if in.CidrIpv6 != nil {
		p.Ipv6Ranges = []shape.Ipv6Range{{CidrIpv6: in.CidrIpv6, Description: in.Description}}
	}
	if in.ReferencedGroupId != nil {
		p.UserIdGroupPairs = []shape.UserIdGroupPair{{GroupId: in.ReferencedGroupId, Description: in.Description}}
	}
	if in.PrefixListId != nil {
		p.PrefixListIds = []shape.PrefixListId{{PrefixListId: in.PrefixListId, Description: in.Description}}
	}
	rules, err := permissionsAsked(r, scope, []shape.IpPermission{p}, plain{})
	if err != nil {
		return network.Rule{}, err
	}
	if len(rules) != 1 {
		return network.Rule{}, fault.New(fault.InvalidParameterCombination, "A rule has exactly one source or destination.")
	}
	return rules[0], nil
}

func (a *API) describeIngress(tx *store.Tx, call *gateway.Call, in *shape.UpdateSecurityGroupRuleDescriptionsIngressRequest) (*shape.UpdateSecurityGroupRuleDescriptionsIngressResult, error) {
	return &shape.UpdateSecurityGroupRuleDescriptionsIngressResult{Return: new(true)},
		redescribe(tx, call.Scope, in.GroupId, in.GroupName, in.IpPermissions, in.SecurityGroupRuleDescriptions, false)
}

func (a *API) describeEgress(tx *store.Tx, call *gateway.Call, in *shape.UpdateSecurityGroupRuleDescriptionsEgressRequest) (*shape.UpdateSecurityGroupRuleDescriptionsEgressResult, error) {
	return &shape.UpdateSecurityGroupRuleDescriptionsEgressResult{Return: new(true)},
		redescribe(tx, call.Scope, in.GroupId, in.GroupName, in.IpPermissions, in.SecurityGroupRuleDescriptions, true)
}

func redescribe(tx *store.Tx, scope arn.Scope, id, name *string, asked []shape.IpPermission, byID []shape.SecurityGroupRuleDescription, egress bool) error {
	var wanted []network.Rule
	if len(byID) == 0 {
		var err error
		if wanted, err = permissionsAsked(tx, scope, asked, plain{}); err != nil {
			return err
		}
	}
	return alterGroup(tx, scope, id, name, func(d *draft) error {
		rules := *d.side(egress)
		for _, w := range wanted {
			at := slices.IndexFunc(rules, func(r network.Rule) bool { return r.Same(&w) })
			if at < 0 {
				return fault.New(fault.InvalidPermissionNotFound, "The specified rule does not exist in this security group.")
			}
			rules[at].Description = w.Description
		}
		for _, u := range byID {
			r := d.rule(deref(u.SecurityGroupRuleId))
			if r == nil {
				return fault.New(fault.InvalidGroupRuleID, "The security group rule ID '%s' does not exist", deref(u.SecurityGroupRuleId))
			}
			r.Description = deref(u.Description)
		}
		return nil
	})
}

func (a *API) securityGroupsForVPC(v *store.View, call *gateway.Call, in *shape.GetSecurityGroupsForVpcRequest) (*shape.GetSecurityGroupsForVpcResult, error) {
	vpc, err := findVPC(v, call.Scope, in.VpcId)
	if err != nil {
		return nil, err
	}
	filters := append([]shape.Filter{{Name: new("vpc-id"), Values: []string{vpc.ID}}}, in.Filters...)
	page, next, err := stored(&groupKind, store.SecurityGroups, v, call.Scope, selection{nil, filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.GetSecurityGroupsForVpcResult{NextToken: next, SecurityGroupForVpcs: each(page, func(g *group) shape.SecurityGroupForVpc {
		return shape.SecurityGroupForVpc{
			GroupId: new(g.ID), GroupName: new(g.Name), Description: new(g.Description), OwnerId: new(g.Scope.Account), PrimaryVpcId: new(g.VPCID), Tags: tagShapes(g.Tags),
		}
	})}, nil
}
