package store

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/network"
)

// VPCs by network.Key.
var VPCs = &Table[network.VPC]{
	ID: vpcs, Noun: "vpc", Schema: 1,
	Primary: func(v *network.VPC) string { return network.Key(v.Scope, v.ID) },
	Indexes: []*Index[network.VPC]{VPCsByNumber},
}

// VPCsByNumber finds the one VPC of a number, by NumberKey.
var VPCsByNumber = &Index[network.VPC]{
	Key: func(v *network.VPC) string { return NumberKey(v.Number) },
}

// NumberKey is a key of VPCsByNumber: empty for no number.
func NumberKey(n uint32) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(n), 10)
}

// Subnets by network.Key.
var Subnets = &Table[network.Subnet]{
	ID: subnets, Noun: "subnet", Schema: 1,
	Primary: func(s *network.Subnet) string { return network.Key(s.Scope, s.ID) },
	Indexes: []*Index[network.Subnet]{SubnetsByVPC},
}

// SubnetsByVPC finds subnets by the network.Key of their VPC.
var SubnetsByVPC = &Index[network.Subnet]{
	Key: func(s *network.Subnet) string { return network.Key(s.Scope, s.VPCID) },
}

// SecurityGroups by network.Key.
var SecurityGroups = &Table[network.SecurityGroup]{
	ID: securityGroups, Noun: "security-group", Schema: 1,
	Primary: func(g *network.SecurityGroup) string { return network.Key(g.Scope, g.ID) },
	Indexes: []*Index[network.SecurityGroup]{SecurityGroupsByVPC, SecurityGroupsByRule, SecurityGroupsByPeer},
}

// SecurityGroupsByVPC finds groups by the network.Key of their VPC.
var SecurityGroupsByVPC = &Index[network.SecurityGroup]{
	Key: func(g *network.SecurityGroup) string { return network.Key(g.Scope, g.VPCID) },
}

// SecurityGroupsByRule finds the group that has a rule by the network.Key of the rule.
var SecurityGroupsByRule = &Index[network.SecurityGroup]{
	Keys: func(g *network.SecurityGroup) []string {
		return ruleKeys(g, func(r *network.Rule) string { return r.ID })
	},
}

// SecurityGroupsByPeer finds the groups whose rules name another group, or a prefix
// list, by the network.Key of that.
var SecurityGroupsByPeer = &Index[network.SecurityGroup]{
	Keys: func(g *network.SecurityGroup) []string {
		return ruleKeys(g, func(r *network.Rule) string {
			if id := r.Group + r.PrefixList; id != g.ID {
				return id
			}
			return ""
		})
	},
}

func ruleKeys(g *network.SecurityGroup, id func(*network.Rule) string) []string {
	var keys []string
	for _, rules := range [][]network.Rule{g.Ingress, g.Egress} {
		for n := range rules {
			if id := id(&rules[n]); id != "" {
				keys = append(keys, network.Key(g.Scope, id))
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Interfaces by network.Key: address leases, those in quarantine included.
var Interfaces = &Table[network.Interface]{
	ID: interfaces, Noun: "interface", Schema: 1,
	Primary: func(i *network.Interface) string { return network.Key(i.Scope, i.ID) },
	Indexes: []*Index[network.Interface]{
		InterfacesBySubnet, InterfacesByAddress, InterfacesByTask, InterfacesByInstance, InterfacesByGroup, InterfacesByKind, InterfacesByPublic, InterfacesReleased,
	},
}

// InterfacesBySubnet finds the leases of a subnet by its network.Key.
var InterfacesBySubnet = &Index[network.Interface]{
	Key: func(i *network.Interface) string { return network.Key(i.Scope, i.SubnetID) },
}

// InterfacesByAddress finds who has an address, by AddressKey.
var InterfacesByAddress = &Index[network.Interface]{
	Keys: func(i *network.Interface) []string {
		keys := []string{AddressKey(i.Scope, i.VPCID, i.PrivateIP)}
		for _, a := range i.Further {
			keys = append(keys, AddressKey(i.Scope, i.VPCID, a))
		}
		return keys
	},
}

// AddressKey is a key of InterfacesByAddress.
func AddressKey(s arn.Scope, vpcID string, ip netip.Addr) string {
	return network.Key(s, vpcID) + " " + ip.String()
}

// InterfacesByTask finds the interface of a task by its ARN.
var InterfacesByTask = &Index[network.Interface]{
	Key: func(i *network.Interface) string { return i.TaskARN },
}

// InterfacesByInstance finds the interfaces on an instance by its ARN.
var InterfacesByInstance = &Index[network.Interface]{
	Key: func(i *network.Interface) string { return i.InstanceARN },
}

// InterfacesByGroup finds the held interfaces in a security group by the
// network.Key of the group.
var InterfacesByGroup = &Index[network.Interface]{
	Keys: func(i *network.Interface) []string {
		if !i.ReleasedAt.IsZero() {
			return nil
		}
		keys := make([]string, len(i.SecurityGroups))
		for n, group := range i.SecurityGroups {
			keys[n] = network.Key(i.Scope, group)
		}
		return keys
	},
}

// InterfacesByKind finds the held interfaces of a kind, those of tasks aside.
var InterfacesByKind = &Index[network.Interface]{
	Key: func(i *network.Interface) string {
		if !i.ReleasedAt.IsZero() {
			return ""
		}
		return string(i.Kind)
	},
}

// InterfacesByPublic finds who has a public address, in all scopes.
var InterfacesByPublic = &Index[network.Interface]{
	Key: func(i *network.Interface) string {
		if !i.PublicIP.IsValid() {
			return ""
		}
		return i.PublicIP.String()
	},
}

// Quarantined is the one key of InterfacesReleased.
const Quarantined = "quarantined"

// InterfacesReleased orders the addresses in quarantine by their release.
var InterfacesReleased = &Index[network.Interface]{
	Key: func(i *network.Interface) string {
		if i.ReleasedAt.IsZero() {
			return ""
		}
		return Quarantined
	},
	Rank: func(i *network.Interface) int64 { return i.ReleasedAt.UnixNano() },
}
