package balancer

import (
	"net/netip"
	"time"
)

// Snapshot is all that one edge must know to carry traffic: immutable, and enough by
// itself while the control plane is away. plan/road makes it, an edge applies it.
type Snapshot struct {
	Revision     int64   // of the store it was made from
	Fronts       []Front // by ARN
	Pools        []Pool  // by ARN
	Certificates []Certificate
	TrustStores  []TrustStore
	Links        []Link // by endpoint, then balancer
}

// Link is an interface endpoint on this edge that leads to a balancer with a Front
// here (PrivateLink). Who comes by it is seen at the targets under the address of
// the balancer's node.
type Link struct {
	EndpointID  string
	BalancerARN string
	Nodes       []Node // of the endpoint
}

// Front is a balancer that has nodes on this edge.
type Front struct {
	Balancer  Balancer
	Nodes     []Node
	Listeners []FrontListener // by port
}

// Node is a balancer's interface on this edge.
type Node struct {
	InterfaceID string // names the network namespace to serve in
	Zone        string
	Address     netip.Addr
	Public      netip.Addr // not valid for none
}

// FrontListener is a listener with its rules in order of priority.
type FrontListener struct {
	Listener Listener
	Rules    []Rule
}

// Pool is a target group that something on this edge leads to.
type Pool struct {
	Group   TargetGroup
	Targets []PoolTarget // in order of registration
	// Wake is true when a service without tasks stands behind the group and is to be
	// woken by a request, which is held meanwhile.
	Wake bool
}

// PoolTarget is a target and where it is reached.
type PoolTarget struct {
	Key     string // Target.Key
	ID      string
	Address netip.AddrPort
	Zone    string
	Since   time.Time
	// Draining is true when it gets no new requests.
	Draining bool
	// Seen is its health as the store has it, for an edge that starts.
	Seen State
}

// EdgeReport is what an edge tells the control plane.
type EdgeReport struct {
	Edge     string
	Revision int64 // of the snapshot in force
	Health   []TargetReport
	Wake     []string // ARNs of target groups whose held requests wait for a target
	// Troubles are all balancers that the edge cannot carry, by ARN, with the reason; nil
	// when nothing is said of that.
	Troubles map[string]string
}

// Trouble is a balancer that edges cannot carry, and why, by edge.
type Trouble struct {
	BalancerARN string // primary key
	Reasons     map[string]string
}

// TargetReport is the health of one target.
type TargetReport struct {
	Target string // Target.Key
	Report Report
}
