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
	Default                  bool
	DNSSupport, DNSHostnames bool
	Tags                     []workload.Tag
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
	Tags        []workload.Tag
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
	CIDR        string // one of CIDR, CIDR6, Group
	CIDR6       string
	Group       string // id of the peer group
	Description string
}

// Interface is an elastic network interface: the lease of an address of a
// subnet. Placement makes it, attach releases it after the agent confirmed that
// the task's namespace is gone.
type Interface struct {
	Scope          arn.Scope
	ID             string // eni-...; primary key with scope
	VPCID          string
	SubnetID       string
	Zone           string
	MAC            string
	PrivateIP      netip.Addr
	PrivateDNSName string     // ip-172-31-0-4.ec2.internal
	PublicIP       netip.Addr // invalid when none
	SecurityGroups []string
	TaskARN        string
	InstanceARN    string
	AttachmentID   string // uuid of the task attachment that shows it
	Description    string
	RequesterID    string
	CreatedAt      time.Time
	ReleasedAt     time.Time // zero while held; the address is quarantined from then on
}

// Key is the primary key of a VPC object in a scope.
func Key(s arn.Scope, id string) string { return s.Account + "/" + s.Region + "/" + id }
