// Package network holds VPCs, subnets, security groups and the interfaces that
// give tasks their addresses.
package network

import (
	"net/netip"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// VPC is an isolated address space.
type VPC struct {
	Scope                    arn.Scope
	ID                       string // primary key with scope
	CIDR                     netip.Prefix
	More                     []Range // secondary ranges
	Default                  bool
	Tenancy                  string // default or dedicated; empty for default
	DHCPOptionsID            string // empty for "default"
	DNSSupport, DNSHostnames bool
	AddressUsageMetrics      bool
	// Number tells the VPC's packets from others' between hosts (VXLAN's network
	// identifier, 24 bits): unique in the store. 0 in records from before it was.
	Number uint32
	Tags   []workload.Tag
}

// Range is a further range of a VPC.
type Range struct {
	AssociationID string
	CIDR          netip.Prefix
}

// Ranges are all ranges of the VPC.
func (v *VPC) Ranges() []netip.Prefix {
	all := []netip.Prefix{v.CIDR}
	for _, r := range v.More {
		all = append(all, r.CIDR)
	}
	return all
}

// Subnet is a range of a VPC in one zone.
type Subnet struct {
	Scope       arn.Scope
	ID          string
	VPCID       string
	CIDR        netip.Prefix
	Zone        string // us-east-1a
	ZoneID      string // use1-az1
	Default     bool
	MapPublicIP bool
	// HostnameType is ip-name or resource-name; empty for ip-name.
	HostnameType string
	// ResourceNameDNS is whether names made of resource ids are answered.
	ResourceNameDNS bool
	Tags            []workload.Tag
}

// SecurityGroup is a set of stateful rules.
type SecurityGroup struct {
	Scope       arn.Scope
	ID          string
	VPCID       string
	Name        string
	Description string
	Ingress     []Rule
	Egress      []Rule
	Tags        []workload.Tag
}

// Rule admits traffic.
type Rule struct {
	ID          string // sgr-...
	Protocol    string // "tcp", "udp", "icmp" or "-1" for all
	FromPort    int    // -1 for all
	ToPort      int
	CIDR        string // one of CIDR, CIDR6, Group, PrefixList
	CIDR6       string
	Group       string // id of the peer group
	PrefixList  string // id: pl-...
	Tags        []workload.Tag
	Description string
}

// Interface is an elastic network interface: the lease of an address of a
// subnet. A task's is made by placement and released by attach after the agent
// confirmed that the task's namespace is gone; a load balancer's, an endpoint's, a
// NAT gateway's and those that users make live as long as their owner.
type Interface struct {
	Scope          arn.Scope
	ID             string // eni-...; primary key with scope
	VPCID          string
	SubnetID       string
	Zone           string
	MAC            string
	PrivateIP      netip.Addr
	PrivateDNSName string // ip-172-31-0-4.ec2.internal
	// Further are secondary addresses of a user's interface: leased, and carried by
	// nobody, as that interface is.
	Further        []netip.Addr
	PublicIP       netip.Addr // invalid when none
	SecurityGroups []string
	Kind           InterfaceKind // empty for a task's
	Owner          string        // of the kinds that have one: ARN or id of the balancer, endpoint, gateway
	TaskARN        string
	// InstanceARN is the instance that carries it: a task's from its placement on;
	// plan/node says where those of balancers and endpoints are.
	InstanceARN  string
	AttachmentID string // uuid of the task attachment that shows it
	Description  string
	RequesterID  string
	Unchecked    bool // its source and destination are not checked
	Tags         []workload.Tag
	CreatedAt    time.Time
	ReleasedAt   time.Time // zero while held; the address is quarantined from then on
}

// Key is the primary key of a VPC object in a scope.
func Key(s arn.Scope, id string) string { return s.Account + "/" + s.Region + "/" + id }

// InterfaceKind says what an interface is for.
type InterfaceKind string

// Kinds of interfaces.
const (
	ForTask     InterfaceKind = ""
	ForBalancer InterfaceKind = "balancer" // a node of a load balancer
	ForEndpoint InterfaceKind = "endpoint" // of an interface endpoint
	ForNAT      InterfaceKind = "nat"
	ForUser     InterfaceKind = "user" // made by CreateNetworkInterface
)
