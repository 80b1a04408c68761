package network

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"

	"github.com/berthhq/berth/domain/arn"
)

// DefaultCIDR is the range of a default VPC, as AWS chooses it.
// https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
var DefaultCIDR = netip.MustParsePrefix("172.31.0.0/16")

// defaultZones are the zones that have a default subnet. The subnets are a
// sixteenth of the VPC each, so there could be sixteen.
const defaultZones = "abc"

// Default is what an account finds in a region before it made anything.
type Default struct {
	VPC     VPC
	Subnets []Subnet
	Group   SecurityGroup
}

// NewDefault makes the default VPC of a scope in the range, which must be IPv4
// and at most a /24. The ids follow from scope and seed: the same berth made
// again has the same ones; a default VPC made after the first was deleted needs
// another seed.
func NewDefault(scope arn.Scope, cidr netip.Prefix, seed string) Default {
	id := func(prefix, what string) string {
		return DerivedID(prefix, scope.Account, scope.Region, "default", what, seed)
	}
	d := Default{VPC: VPC{
		Scope: scope, ID: id("vpc", ""), CIDR: cidr.Masked(), Default: true, DNSSupport: true, DNSHostnames: true,
	}}
	for n, zone := range Zones(scope.Region) {
		d.Subnets = append(d.Subnets, Subnet{
			Scope: scope, ID: id("subnet", zone), VPCID: d.VPC.ID, CIDR: sixteenth(d.VPC.CIDR, n),
			Zone: zone, ZoneID: ZoneID(zone), Default: true, MapPublicIP: true,
		})
	}
	group := id("sg", "")
	d.Group = SecurityGroup{
		Scope: scope, ID: group, VPCID: d.VPC.ID, Name: "default", Description: "default VPC security group",
		Ingress: []Rule{{ID: id("sgr", "in"), Protocol: "-1", FromPort: -1, ToPort: -1, Group: group}},
		Egress:  []Rule{{ID: id("sgr", "out"), Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"}},
	}
	return d
}

// DerivedID is an id such as vpc-0123456789abcdef0 that follows from the parts.
func DerivedID(prefix string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return prefix + "-0" + hex.EncodeToString(sum[:8])
}

// sixteenth is the nth of the sixteen ranges that p splits into.
func sixteenth(p netip.Prefix, n int) netip.Prefix {
	bits := p.Bits() + 4
	b := p.Addr().As4()
	address := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	address += uint32(n) << (32 - bits)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)}), bits)
}

// ZoneID is the name of a zone that is the same in every account: "use1-az1" for
// "us-east-1a". A zone whose name follows no pattern of AWS's is its own id.
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/az-ids.html
func ZoneID(zone string) string {
	parts := strings.Split(zone, "-")
	last := parts[len(parts)-1]
	if len(parts) < 3 || len(last) != 2 || last[0] < '0' || last[0] > '9' || last[1] < 'a' || last[1] > 'z' {
		return zone
	}
	var id strings.Builder
	id.WriteString(parts[0])
	for _, part := range parts[1 : len(parts)-1] {
		short, ok := shortDirection(part)
		if !ok {
			return zone
		}
		id.WriteString(short)
	}
	return id.String() + last[:1] + "-az" + string(last[1]-'a'+'1')
}

func shortDirection(s string) (short string, ok bool) {
	switch s {
	case "north", "south", "east", "west", "central", "gov":
		return s[:1], true
	case "northeast", "northwest", "southeast", "southwest":
		return s[:1] + s[5:6], true
	}
	return "", false
}

// DefaultSubnets is how many default subnets a default VPC has room for.
const DefaultSubnets = 16

// DefaultSubnetRange is the nth range for a default subnet.
func DefaultSubnetRange(vpc netip.Prefix, n int) netip.Prefix { return sixteenth(vpc.Masked(), n) }
