package ec2

import (
	"slices"
	"strings"

	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// labelled are the resources of a request of tags.
func labelled(_ store.Reader, _ arn.Scope, in any) []target {
	var found []target
	for _, id := range member[[]string](in, "Resources") {
		found = append(found, target{kindOf(id), id})
	}
	return found
}

// kindOf tells the type of a resource by its id; "*" for one that EC2 has not.
func kindOf(id string) shape.ResourceType {
	for _, t := range taggables() {
		if strings.HasPrefix(id, t.prefix) {
			return t.kind
		}
	}
	return "*"
}

// rangeOf is the VPC that a range is associated with.
func rangeOf(r store.Reader, scope arn.Scope, in any) []target {
	id := deref(member[*string](in, "AssociationId"))
	for v := range store.VPCs.Prefix(r, network.Key(scope, "")) {
		if vpcAssociationID(v) == id || slices.ContainsFunc(v.More, func(m network.Range) bool { return m.AssociationID == id }) {
			return []target{{shape.ResourceTypeVpc, v.ID}}
		}
	}
	return []target{{shape.ResourceTypeVpc, id}}
}

func vpcOrDefault(r store.Reader, scope arn.Scope, in any) []target {
	id := deref(member[*string](in, "VpcId"))
	if id == "" {
		id = defaultVPC(r, scope)
	}
	if id == "" {
		return nil // there is no default VPC, which is an error of its own
	}
	return []target{{shape.ResourceTypeVpc, id}}
}

// grouped is the security group that a request names by id, or by name.
func grouped(r store.Reader, scope arn.Scope, in any) []target {
	id, name := member[*string](in, "GroupId"), member[*string](in, "GroupName")
	if id == nil && name == nil {
		return nil
	}
	if g, err := findGroup(r, scope, id, name); err == nil {
		return []target{{shape.ResourceTypeSecurityGroup, g.ID}}
	}
	return []target{{shape.ResourceTypeSecurityGroup, deref(id) + deref(name)}}
}

func rules(_ store.Reader, _ arn.Scope, in any) []target {
	var found []target
	for _, u := range member[[]shape.SecurityGroupRuleUpdate](in, "SecurityGroupRules") {
		found = append(found, target{shape.ResourceTypeSecurityGroupRule, deref(u.SecurityGroupRuleId)})
	}
	return found
}

// addressed are the Elastic IP addresses that a request names by allocation, address or
// association.
func addressed(r store.Reader, scope arn.Scope, in any) []target {
	if id := member[*string](in, "AllocationId"); id != nil {
		return []target{{shape.ResourceTypeElasticIp, *id}}
	}
	var found []target
	for _, said := range append(saidOf(in, "AssociationId", "PublicIp"), member[[]string](in, "AssociationIds")...) {
		found = append(found, target{shape.ResourceTypeElasticIp, said})
		if have := addressSaid(r, scope, said); have != nil {
			found[len(found)-1].id = have.AllocationID
		}
	}
	return found
}

func saidOf(in any, members ...string) []string {
	var said []string
	for _, name := range members {
		if text := member[*string](in, name); text != nil {
			said = append(said, *text)
		}
	}
	return said
}

// addressSaid is nil for one that does not exist.
func addressSaid(r store.Reader, scope arn.Scope, said string) *address {
	for have := range store.Addresses.Prefix(r, network.Key(scope, "")) {
		if said != "" && (have.AssociationID == said || have.IP.String() == said) {
			return have
		}
	}
	return nil
}

// holding are the interfaces that have the addresses of a request.
func holding(r store.Reader, scope arn.Scope, in any) []target {
	var found []target
	for _, said := range saidOf(in, "AssociationId", "PublicIp") {
		if have := addressSaid(r, scope, said); have != nil && have.InterfaceID != "" {
			found = append(found, target{shape.ResourceTypeNetworkInterface, have.InterfaceID})
		}
	}
	return found
}

// tabled are the table of an association and its subnet.
func tabled(r store.Reader, scope arn.Scope, in any) []target {
	said := deref(member[*string](in, "AssociationId"))
	for t := range store.RouteTables.Prefix(r, network.Key(scope, "")) {
		for _, x := range t.Associations {
			if x.ID != said {
				continue
			}
			found := []target{{shape.ResourceTypeRouteTable, t.ID}}
			if x.SubnetID != "" {
				found = append(found, target{shape.ResourceTypeSubnet, x.SubnetID})
			}
			return found
		}
	}
	return []target{{shape.ResourceTypeRouteTable, said}}
}

// guarded is the subnet of an association of an ACL.
func guarded(r store.Reader, scope arn.Scope, in any) []target {
	said := deref(member[*string](in, "AssociationId"))
	for have := range store.ACLs.Prefix(r, network.Key(scope, "")) {
		for _, x := range have.Associations {
			if x.ID == said {
				return []target{{shape.ResourceTypeSubnet, x.SubnetID}}
			}
		}
	}
	return []target{{shape.ResourceTypeSubnet, said}}
}

// attached is the interface of an attachment.
func attached(r store.Reader, scope arn.Scope, in any) []target {
	said := deref(member[*string](in, "AttachmentId"))
	for i := range store.Interfaces.Prefix(r, network.Key(scope, "")) {
		if i.ReleasedAt.IsZero() && attachmentID(i) == said {
			return []target{{shape.ResourceTypeNetworkInterface, i.ID}}
		}
	}
	return []target{{shape.ResourceTypeNetworkInterface, said}}
}

// accepting is the VPC of the account that a peering was asked for.
func accepting(r store.Reader, scope arn.Scope, in any) []target {
	have, ok := store.Peerings.Get(r, network.Key(scope, deref(member[*string](in, "VpcPeeringConnectionId"))))
	if !ok {
		return nil
	}
	return []target{{shape.ResourceTypeVpc, have.Accepter}}
}

// keysOf are the condition keys of a resource beside its tags.
func keysOf(r store.Reader, scope arn.Scope, t target) map[string][]string {
	keys := map[string][]string{"ec2:Region": {scope.Region}}
	if vpc := vpcOf(r, network.Key(scope, t.id), t.kind); vpc != "" {
		keys["ec2:Vpc"] = []string{target{shape.ResourceTypeVpc, vpc}.arn(scope)}
	}
	if i, ok := store.Interfaces.Get(r, network.Key(scope, t.id)); ok {
		keys["ec2:Subnet"] = []string{target{shape.ResourceTypeSubnet, i.SubnetID}.arn(scope)}
	}
	return keys
}

// vpcOf is the VPC that a resource is in; empty for what is in none.
func vpcOf(r store.Reader, key string, kind shape.ResourceType) string {
	switch kind {
	case shape.ResourceTypeSubnet:
		return inVPC(r, store.Subnets, key, func(s *network.Subnet) string { return s.VPCID })
	case shape.ResourceTypeSecurityGroup:
		return inVPC(r, store.SecurityGroups, key, func(g *group) string { return g.VPCID })
	case shape.ResourceTypeRouteTable:
		return inVPC(r, store.RouteTables, key, func(t *network.RouteTable) string { return t.VPCID })
	case shape.ResourceTypeNetworkAcl:
		return inVPC(r, store.ACLs, key, func(x *network.ACL) string { return x.VPCID })
	case shape.ResourceTypeNetworkInterface:
		return inVPC(r, store.Interfaces, key, func(i *leased) string { return i.VPCID })
	}
	return ""
}

func inVPC[T any](r store.Reader, table *store.Table[T], key string, vpc func(*T) string) string {
	if have, ok := table.Get(r, key); ok {
		return vpc(have)
	}
	return ""
}

// TagsOf are the tags of a resource of this API; ok is false when there is none such.
func TagsOf(r store.Reader, resource arn.ARN) (tags []workload.Tag, ok bool) {
	kind, id, _ := strings.Cut(resource.Resource, "/")
	for _, t := range taggables() {
		if string(t.kind) != kind || !strings.HasPrefix(id, t.prefix) {
			continue
		}
		t.each(r, resource.Scope(), func(have string, its []workload.Tag) {
			if have == id {
				tags, ok = its, true
			}
		})
		return tags, ok
	}
	return nil, false
}
