package network

import "net/netip"

// State is all that one host must know of one VPC to carry its interfaces. plan/road
// makes it, dispatch sends it whole whenever it differs from what the agent has, and
// agent/network changes what is different in one transaction.
type State struct {
	VPCID  string
	Ranges []netip.Prefix
	Number uint32 // VXLAN's network identifier
	// Ends are the interfaces this host carries.
	Ends []End
	// Groups are the security groups of those interfaces.
	Groups []GroupState
	// Members are the addresses in each group that a rule of Groups names as its peer,
	// wherever they are.
	Members map[string][]netip.Addr
	// Peers are the other hosts that carry interfaces of the VPC.
	Peers []PeerHost
}

// End is an interface on a host.
type End struct {
	InterfaceID string
	TaskARN     string        // of ForTask
	Kind        InterfaceKind // other kinds get a namespace that the edge serves in
	Address     netip.Addr
	MAC         string
	Groups      []string
	// Unchecked ends may send and get packets of other addresses than theirs: answers
	// to those go back through them.
	Unchecked bool
	// Public is translated to and from Address; not valid for none.
	Public netip.Addr
	// Doors are further TCP ports of Address that lead to its ports.
	Doors []Door
	Exit  Exit
	// ExitAddress is what ExitNAT's packets carry outside; not valid for the host's.
	ExitAddress netip.Addr
}

// Door is a port that leads to another: who calls At is judged by that.
type Door struct{ At, To int }

// Exit says how packets of an interface leave for addresses outside its VPC.
type Exit string

// Exits.
const (
	ExitNone Exit = ""    // they do not
	ExitIGW  Exit = "igw" // under the interface's public address, or the host's if it has none
	ExitNAT  Exit = "nat" // under the NAT gateway's
)

// GroupState is a security group with its rules, prefix lists resolved to ranges.
type GroupState struct {
	ID      string
	Ingress []Rule
	Egress  []Rule
}

// PeerHost is another host of the VPC.
type PeerHost struct {
	Underlay  netip.Addr // where VXLAN packets go
	Addresses []netip.Addr
	// Unchecked hosts carry an end that is: packets with other sources come from them.
	Unchecked bool
}
