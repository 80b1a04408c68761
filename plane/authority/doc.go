// Package authority is berth's own certificate authority and the gate for
// machines that join: it signs the certificates of servers, makes join tokens,
// and exchanges each for keys of an instance role, once.
//
// A token is single use, ends after an hour, is stored as a hash, and is bound to
// one cluster and role. It carries the pin of the authority, so that the machine
// that joins need not trust the network. The keys it gets are bound to an
// instance identity of their own, which a notary under the authority signs.
package authority
