package network

import (
	"hash/fnv"

	"github.com/berthhq/berth/domain/arn"
)

// Parts are what every VPC is made with. Their ids follow from the VPC's.
type Parts struct {
	Table RouteTable
	ACL   ACL
	Group SecurityGroup
}

// NewParts makes the main route table, the default ACL and the default group.
func NewParts(v *VPC) Parts {
	group := DerivedID("sg", v.ID)
	return Parts{
		Table: RouteTable{
			Scope: v.Scope, ID: DerivedID("rtb", v.ID), VPCID: v.ID,
			Associations: []Association{{ID: DerivedID("rtbassoc", v.ID), Main: true}},
		},
		ACL: ACL{Scope: v.Scope, ID: DerivedID("acl", v.ID), VPCID: v.ID, Default: true, Entries: OpenEntries()},
		Group: SecurityGroup{
			Scope: v.Scope, ID: group, VPCID: v.ID, Name: "default", Description: "default VPC security group",
			Ingress: []Rule{{ID: DerivedID("sgr", v.ID, "in"), Protocol: "-1", FromPort: -1, ToPort: -1, Group: group}},
			Egress:  []Rule{OpenRule(DerivedID("sgr", v.ID, "out"))},
		},
	}
}

// OpenRule admits everything to or from IPv4.
func OpenRule(id string) Rule {
	return Rule{ID: id, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: World}
}

// LastEntry is the number of the entry of an ACL that denies what no other admits. It
// cannot be removed.
const LastEntry = 32767

// OpenEntries are those of a default ACL: all is allowed.
func OpenEntries() []ACLEntry {
	open := func(egress bool) ACLEntry {
		return ACLEntry{Number: 100, Egress: egress, Allow: true, Protocol: "-1", CIDR: World}
	}
	return append([]ACLEntry{open(true), open(false)}, ClosedEntries()...)
}

// ClosedEntries are those of an ACL that nobody changed: nothing is allowed.
func ClosedEntries() []ACLEntry {
	closed := func(egress bool) ACLEntry {
		return ACLEntry{Number: LastEntry, Egress: egress, Protocol: "-1", CIDR: World}
	}
	return []ACLEntry{closed(true), closed(false)}
}

// DefaultGateway is the internet gateway of a default VPC.
func DefaultGateway(v *VPC) InternetGateway {
	return InternetGateway{Scope: v.Scope, ID: DerivedID("igw", v.ID), VPCID: v.ID}
}

// DefaultOptions are the DHCP options that a scope begins with.
func DefaultOptions(scope arn.Scope) DHCPOptions {
	domain := scope.Region + ".compute.internal"
	if scope.Region == "us-east-1" {
		domain = "ec2.internal"
	}
	return DHCPOptions{Scope: scope, ID: DerivedID("dopt", scope.Account, scope.Region), Options: []DHCPOption{
		{Key: "domain-name", Values: []string{domain}},
		{Key: "domain-name-servers", Values: []string{"AmazonProvidedDNS"}},
	}}
}

// maxNumber is the greatest network identifier of VXLAN (RFC 7348, section 5).
const maxNumber = 1<<24 - 1

// PickNumber finds a number for a VPC: at a place that its id decides, and from there
// the next that is not taken. There are more numbers than a store has VPCs.
func PickNumber(id string, taken func(uint32) bool) uint32 {
	h := fnv.New32a()
	h.Write([]byte(id))
	n := h.Sum32()%maxNumber + 1
	for taken(n) {
		n = n%maxNumber + 1
	}
	return n
}
