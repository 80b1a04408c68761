package ec2

import (
	"context"
	"slices"
	"strconv"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

type group = network.SecurityGroup

var groupKind = kind[group]{
	noun: "security group", missing: fault.InvalidGroupID,
	id:   func(g *group) string { return g.ID },
	tags: func(g *group) []workload.Tag { return g.Tags },
	fields: map[string]func(*group) []string{
		"description":                         one(func(g *group) string { return g.Description }),
		"group-id":                            one(func(g *group) string { return g.ID }),
		"group-name":                          one(groupName),
		"owner-id":                            one(func(g *group) string { return g.Scope.Account }),
		"vpc-id":                              one(func(g *group) string { return g.VPCID }),
		"ip-permission.cidr":                  ingress(func(r *network.Rule) string { return r.CIDR }),
		"ip-permission.from-port":             ingress(func(r *network.Rule) string { return strconv.Itoa(r.FromPort) }),
		"ip-permission.to-port":               ingress(func(r *network.Rule) string { return strconv.Itoa(r.ToPort) }),
		"ip-permission.protocol":              ingress(func(r *network.Rule) string { return r.Protocol }),
		"ip-permission.group-id":              ingress(func(r *network.Rule) string { return r.Group }),
		"ip-permission.ipv6-cidr":             ingress(func(r *network.Rule) string { return r.CIDR6 }),
		"ip-permission.prefix-list-id":        ingress(func(r *network.Rule) string { return r.PrefixList }),
		"ip-permission.user-id":               func(g *group) []string { return peerOwners(g, g.Ingress) },
		"egress.ip-permission.cidr":           egress(func(r *network.Rule) string { return r.CIDR }),
		"egress.ip-permission.from-port":      egress(func(r *network.Rule) string { return strconv.Itoa(r.FromPort) }),
		"egress.ip-permission.to-port":        egress(func(r *network.Rule) string { return strconv.Itoa(r.ToPort) }),
		"egress.ip-permission.protocol":       egress(func(r *network.Rule) string { return r.Protocol }),
		"egress.ip-permission.group-id":       egress(func(r *network.Rule) string { return r.Group }),
		"egress.ip-permission.ipv6-cidr":      egress(func(r *network.Rule) string { return r.CIDR6 }),
		"egress.ip-permission.prefix-list-id": egress(func(r *network.Rule) string { return r.PrefixList }),
		"egress.ip-permission.user-id":        func(g *group) []string { return peerOwners(g, g.Egress) },
	},
}

func groupName(g *group) string { return g.Name }

func ingress(value func(*network.Rule) string) func(*group) []string {
	return func(g *group) []string { return ruleValues(g.Ingress, value) }
}

func egress(value func(*network.Rule) string) func(*group) []string {
	return func(g *group) []string { return ruleValues(g.Egress, value) }
}

// peerOwners are the accounts of the groups that rules name.
func peerOwners(g *group, rules []network.Rule) []string {
	return ruleValues(rules, func(r *network.Rule) string {
		if r.Group == "" {
			return ""
		}
		return g.Scope.Account
	})
}

func ruleValues(rules []network.Rule, value func(*network.Rule) string) []string {
	var values []string
	for n := range rules {
		if s := value(&rules[n]); s != "" {
			values = append(values, s)
		}
	}
	return values
}

func (a *API) describeSecurityGroups(ctx context.Context, call *gateway.Call, in *shape.DescribeSecurityGroupsRequest) (*shape.DescribeSecurityGroupsResult, error) {
	v, err := a.view(ctx, call.Scope)
	if err != nil {
		return nil, err
	}
	filters := in.Filters
	if len(in.GroupNames) > 0 { // names are for the default VPC
		if err := a.checkGroupNames(v, call, in.GroupNames); err != nil {
			return nil, err
		}
		filters = append(slices.Clone(filters), shape.Filter{Name: new("group-name"), Values: in.GroupNames})
	}
	page, next, err := stored(&groupKind, store.SecurityGroups, v, call.Scope, selection{in.GroupIds, filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeSecurityGroupsResult{SecurityGroups: each(page, groupShape), NextToken: next}, nil
}

func (a *API) checkGroupNames(v *store.View, call *gateway.Call, names []string) error {
	for _, name := range names {
		found := false
		for g := range store.SecurityGroups.Prefix(v, network.Key(call.Scope, "")) {
			found = found || g.Name == name
		}
		if !found {
			return fault.New(fault.InvalidGroupID, "The security group '%s' does not exist in default VPC", name)
		}
	}
	return nil
}

func groupShape(g *group) shape.SecurityGroup {
	return shape.SecurityGroup{
		GroupId: new(g.ID), GroupName: new(g.Name), Description: new(g.Description), OwnerId: new(g.Scope.Account), VpcId: new(g.VPCID),
		SecurityGroupArn: new(g.Scope.Of("ec2", "security-group/"+g.ID)),
		IpPermissions:    permissions(g, g.Ingress), IpPermissionsEgress: permissions(g, g.Egress),
		Tags: tagShapes(g.Tags),
	}
}

// permissions gathers the rules of equal protocol and ports, as AWS shows them.
func permissions(g *group, rules []network.Rule) []shape.IpPermission {
	out := []shape.IpPermission{}
	for n := range rules {
		r := &rules[n]
		at := slices.IndexFunc(out, func(p shape.IpPermission) bool { return samePorts(p, r) })
		if at < 0 {
			at = len(out)
			out = append(out, emptyPermission(r))
		}
		p, described := &out[at], optional(r.Description)
		switch {
		case r.CIDR != "":
			p.IpRanges = append(p.IpRanges, shape.IpRange{CidrIp: new(r.CIDR), Description: described})
		case r.CIDR6 != "":
			p.Ipv6Ranges = append(p.Ipv6Ranges, shape.Ipv6Range{CidrIpv6: new(r.CIDR6), Description: described})
		case r.Group != "":
			p.UserIdGroupPairs = append(p.UserIdGroupPairs, shape.UserIdGroupPair{
				GroupId: new(r.Group), UserId: new(g.Scope.Account), Description: described,
			})
		case r.PrefixList != "":
			p.PrefixListIds = append(p.PrefixListIds, shape.PrefixListId{PrefixListId: new(r.PrefixList), Description: described})
		}
	}
	return out
}

func emptyPermission(r *network.Rule) shape.IpPermission {
	return shape.IpPermission{
		IpProtocol: new(r.Protocol), FromPort: port(r, r.FromPort), ToPort: port(r, r.ToPort),
		IpRanges: []shape.IpRange{}, Ipv6Ranges: []shape.Ipv6Range{},
		PrefixListIds: []shape.PrefixListId{}, UserIdGroupPairs: []shape.UserIdGroupPair{},
	}
}

// port is nil for protocols without ports: AWS leaves theirs out.
func port(r *network.Rule, n int) *int32 {
	if !r.HasPorts() {
		return nil
	}
	return new(int32(n))
}

func samePorts(p shape.IpPermission, r *network.Rule) bool {
	same := func(have *int32, want *int32) bool {
		return (have == nil) == (want == nil) && (have == nil || *have == *want)
	}
	return *p.IpProtocol == r.Protocol && same(p.FromPort, port(r, r.FromPort)) && same(p.ToPort, port(r, r.ToPort))
}

// optional is nil for the empty string.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
