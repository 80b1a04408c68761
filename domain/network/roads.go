package network

import (
	"net/netip"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/workload"
)

// RouteTable says where the traffic of its subnets goes.
type RouteTable struct {
	Scope        arn.Scope
	ID           string // rtb-...; primary key with scope
	VPCID        string
	Routes       []Route // those of the VPC's own ranges aside, which every table has
	Associations []Association
	Propagating  []string // virtual private gateways
	Tags         []workload.Tag
}

// Route leads to one target; the others are empty.
type Route struct {
	To         string // a range of IPv4 or IPv6, or the id of a prefix list
	Gateway    string // igw-..., vgw-... or the id of a gateway endpoint
	EgressOnly string // eigw-...
	NAT        string // nat-...
	Interface  string // eni-...
	Peering    string // pcx-...
	Endpoint   string // vpce-...
	Instance   string // i-...
	Origin     string // CreateRoute, CreateRouteTable or EnableVgwRoutePropagation
}

// Association gives a table to a subnet, or makes it the VPC's main one.
type Association struct {
	ID       string // rtbassoc-...
	SubnetID string // empty for the main one
	Main     bool
	Gateway  string
}

// InternetGateway joins a VPC to the world.
type InternetGateway struct {
	Scope      arn.Scope
	ID         string // igw-... (eigw-... when EgressOnly); primary key with scope
	VPCID      string // empty while detached
	EgressOnly bool
	Tags       []workload.Tag
}

// NATGateway lets a subnet's tasks reach the world under its address.
type NATGateway struct {
	Scope        arn.Scope
	ID           string // nat-...; primary key with scope
	VPCID        string
	SubnetID     string
	InterfaceID  string
	AllocationID string   // empty for a private one
	Secondary    []string // further allocation ids, or private addresses of a private one
	Connectivity string   // public or private
	CreatedAt    time.Time
	DeletedAt    time.Time // zero while it works; it is described for an hour more
	Tags         []workload.Tag
}

// Address is an Elastic IP address.
type Address struct {
	Scope         arn.Scope
	AllocationID  string // eipalloc-...; primary key with scope
	IP            netip.Addr
	AssociationID string // eipassoc-...; empty while free
	InterfaceID   string
	PrivateIP     netip.Addr
	InstanceID    string
	PTR           string
	Tags          []workload.Tag
}

// ACL is a network ACL.
type ACL struct {
	Scope        arn.Scope
	ID           string // acl-...; primary key with scope
	VPCID        string
	Default      bool
	Entries      []ACLEntry
	Associations []ACLAssociation
	Tags         []workload.Tag
}

// ACLEntry is a rule of an ACL.
type ACLEntry struct {
	Number             int
	Egress, Allow      bool
	Protocol           string // a number, or "-1"
	CIDR, CIDR6        string
	FromPort, ToPort   int
	ICMPType, ICMPCode int
}

// ACLAssociation gives an ACL to a subnet.
type ACLAssociation struct{ ID, SubnetID string }

// PrefixList is a named set of ranges.
type PrefixList struct {
	Scope      arn.Scope
	ID         string // pl-...; primary key with scope
	Name       string
	Family     string // IPv4 or IPv6
	MaxEntries int
	Version    int64
	Modified   bool // since it was made
	Entries    []PrefixListEntry
	Tags       []workload.Tag
}

// PrefixListEntry is a range of a list.
type PrefixListEntry struct{ CIDR, Description string }

// DHCPOptions are what tasks of a VPC are told of names.
type DHCPOptions struct {
	Scope   arn.Scope
	ID      string // dopt-...; primary key with scope
	Options []DHCPOption
	Tags    []workload.Tag
}

// DHCPOption is one setting.
type DHCPOption struct {
	Key    string
	Values []string
}

// Endpoint joins a VPC to a service.
type Endpoint struct {
	Scope          arn.Scope
	ID             string // vpce-...; primary key with scope
	VPCID          string
	Kind           string // Interface, Gateway or GatewayLoadBalancer
	ServiceName    string // com.amazonaws.REGION.NAME, or an endpoint service's
	State          string // pendingAcceptance, available, rejected, ...
	Policy         string
	SubnetIDs      []string
	InterfaceIDs   []string
	RouteTableIDs  []string
	SecurityGroups []string
	PrivateDNS     bool
	AddressType    string
	DNSNames       []string // the endpoint's own, the first for the whole of it
	Tags           []workload.Tag
	CreatedAt      time.Time
}

// EndpointAvailable is the State of an endpoint that carries traffic; the API and
// providers write it in either case.
const EndpointAvailable = "available"

// EndpointService offers Network balancers to endpoints of other VPCs (PrivateLink).
type EndpointService struct {
	Scope          arn.Scope
	ID             string   // vpce-svc-...; primary key with scope
	Name           string   // com.amazonaws.vpce.REGION.ID
	Balancers      []string // ARNs
	MustAccept     bool
	Principals     []string // ARNs that may make endpoints
	PrivateDNSName string
	AddressTypes   []string
	Tags           []workload.Tag
	CreatedAt      time.Time
}

// Peering joins two VPCs.
type Peering struct {
	Scope                     arn.Scope
	ID                        string // pcx-...; primary key with scope
	Requester, Accepter       string // ids of VPCs
	RequesterDNS, AccepterDNS bool
	Status, StatusMessage     string
	Tags                      []workload.Tag
}
