package ec2

import (
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// plain is the old way to ask for one rule.
type plain struct {
	protocol *string
	from, to *int32
	cidr     *string
	group    *string // its name
}

// permissionsAsked are the rules that a request names, checked.
func permissionsAsked(r store.Reader, scope arn.Scope, asked []shape.IpPermission, short plain) ([]network.Rule, error) {
	if short.protocol != nil || short.cidr != nil || short.group != nil {
		p := shape.IpPermission{IpProtocol: short.protocol, FromPort: short.from, ToPort: short.to}
		if short.cidr != nil {
			p.IpRanges = []shape.IpRange{{CidrIp: short.cidr}}
		}
		if short.group != nil {
			p.IpProtocol = new("-1")
			p.UserIdGroupPairs = []shape.UserIdGroupPair{{GroupName: short.group}}
		}
		asked = append([]shape.IpPermission{p}, asked...)
	}
	if len(asked) == 0 {
		return nil, fault.New(fault.MissingParameter, "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.")
	}
	var rules []network.Rule
	for n := range asked {
		more, err := rulesOf(r, scope, &asked[n])
		if err != nil {
			return nil, err
		}
		rules = append(rules, more...)
	}
	return rules, nil
}

// rulesOf splits a permission: one rule for each source or destination.
func rulesOf(r store.Reader, scope arn.Scope, p *shape.IpPermission) ([]network.Rule, error) {
	base, err := network.NewRule(deref(p.IpProtocol), number(p.FromPort), number(p.ToPort))
	if err != nil {
		return nil, err
	}
	var rules []network.Rule
	add := func(description *string, set func(*network.Rule)) {
		rule := base
		rule.Description = deref(description)
		set(&rule)
		rules = append(rules, rule)
	}
	for _, x := range p.IpRanges {
		cidr, err := anyRange(deref(x.CidrIp), false, "cidrIp")
		if err != nil {
			return nil, err
		}
		add(x.Description, func(r *network.Rule) { r.CIDR = cidr })
	}
	for _, x := range p.Ipv6Ranges {
		cidr, err := anyRange(deref(x.CidrIpv6), true, "cidrIpv6")
		if err != nil {
			return nil, err
		}
		add(x.Description, func(r *network.Rule) { r.CIDR6 = cidr })
	}
	for _, x := range p.PrefixListIds {
		list, err := findPrefixList(r, scope, x.PrefixListId)
		if err != nil {
			return nil, err
		}
		add(x.Description, func(r *network.Rule) { r.PrefixList = list.ID })
	}
	for _, x := range p.UserIdGroupPairs {
		peer, err := findGroup(r, scope, x.GroupId, x.GroupName)
		if err != nil {
			return nil, err
		}
		add(x.Description, func(r *network.Rule) { r.Group = peer.ID })
	}
	if len(rules) == 0 {
		return nil, fault.New(fault.MissingParameter, "The request must contain a source or destination: ipRanges, ipv6Ranges, prefixListIds or groups")
	}
	return rules, nil
}

// number is nil for what is not given.
func number(n *int32) *int {
	if n == nil {
		return nil
	}
	return new(int(*n))
}
