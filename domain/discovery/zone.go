package discovery

import "net/netip"

// Zone is the names that the tasks of one VPC (or, with an empty VPCID, everybody on
// the host) may ask for. plan/road makes it, agents answer by it.
type Zone struct {
	VPCID string
	Names []Name // by Name
	// Closed are domains that end here: a name below them that is not in Names does
	// not exist, and is not asked elsewhere.
	Closed []Domain
}

// Domain is a domain that is answered here alone.
type Domain struct {
	Name string // lower case, without the final dot
	TTL  uint32 // of what does not exist there, in seconds
}

// Name is a DNS name and what it answers.
type Name struct {
	Name      string // lower case, without the final dot
	TTL       uint32 // seconds, of Addresses and Alias
	Addresses []netip.Addr
	// Most of the Addresses, and of the Services, are answered at a time, chosen
	// anew each time; 0 for all.
	Most       int
	Services   []SRV
	ServiceTTL uint32 // seconds, of Services
	Alias      string // of a CNAME; empty for none
	// Generated names are made up by berth: nobody else has them.
	Generated bool
}

// SRV is a service record (RFC 2782).
type SRV struct {
	Host             string
	Port             uint16
	Priority, Weight uint16
}
