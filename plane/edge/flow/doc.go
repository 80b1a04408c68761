// Package flow carries the connections of Network Load Balancers, and those of the TCP and
// SSL listeners of Classic ones.
//
// Most of them never leave the kernel: in the node's namespace a packet filter table
// leads a new connection to a slot of its listener's map, by a hash of where it comes
// from, and the slots are filled with targets by weight. A change writes the whole
// table in one transaction; connections that there are go on where they went. Their
// source is the node's address, unless targets are to see the sender's.
//
// Where there is TLS, or a header to be sent ahead, and for Classic balancers, connections
// end in the process and are spliced to new ones.
package flow
