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

// groupRule is a rule with the group it belongs to.
type groupRule struct {
	network.Rule
	group  *group
	egress bool
}

var groupRuleKind = kind[groupRule]{
	noun: "security group rule", missing: fault.InvalidGroupRuleID,
	id:   func(r *groupRule) string { return r.ID },
	tags: func(r *groupRule) []workload.Tag { return r.Tags },
	fields: map[string]func(*groupRule) []string{
		"group-id":               one(func(r *groupRule) string { return r.group.ID }),
		"security-group-rule-id": one(func(r *groupRule) string { return r.ID }),
	},
}

func (a *API) describeSecurityGroupRules(ctx context.Context, call *gateway.Call, in *shape.DescribeSecurityGroupRulesRequest) (*shape.DescribeSecurityGroupRulesResult, error) {
	v, err := a.view(ctx, call.Scope)
	if err != nil {
		return nil, err
	}
	var rules []*groupRule
	for g := range store.SecurityGroups.Prefix(v, network.Key(call.Scope, "")) {
		for _, r := range g.Ingress {
			rules = append(rules, &groupRule{Rule: r, group: g})
		}
		for _, r := range g.Egress {
			rules = append(rules, &groupRule{Rule: r, group: g, egress: true})
		}
	}
	page, next, err := derived(&groupRuleKind, rules, selection{in.SecurityGroupRuleIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeSecurityGroupRulesResult{SecurityGroupRules: each(page, groupRuleShape), NextToken: next}, nil
}

func groupRuleShape(r *groupRule) shape.SecurityGroupRule {
	s := shape.SecurityGroupRule{
		SecurityGroupRuleId: new(r.ID), SecurityGroupRuleArn: new(r.group.Scope.Of("ec2", "security-group-rule/"+r.ID)),
		GroupId: new(r.group.ID), GroupOwnerId: new(r.group.Scope.Account), IsEgress: new(r.egress),
		IpProtocol: new(r.Protocol), FromPort: new(int32(r.FromPort)), ToPort: new(int32(r.ToPort)),
		CidrIpv4: optional(r.CIDR), CidrIpv6: optional(r.CIDR6), Description: optional(r.Description),
		PrefixListId: optional(r.PrefixList), Tags: tagShapes(r.Tags),
	}
	if r.Group != "" {
		s.ReferencedGroupInfo = &shape.ReferencedSecurityGroup{GroupId: new(r.Group), UserId: new(r.group.Scope.Account)}
	}
	return s
}
