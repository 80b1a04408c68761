// Package etcd keeps a store on disk, in an etcd that runs inside the process.
//
// Alone, it has no listener of any kind: the leader talks to it by function
// calls. A batch is one transaction, written and synced before anyone is told. It
// compares and rewrites one key, the head, which holds the leader's epoch and the
// batch's number: so batches apply in order or not at all, and none of an earlier
// leader can follow one of a later.
//
// On disk, below the folder given: "lock", held while open, and "etcd". A record
// is the key /berth/NOUN/PRIMARY; its value is a byte, the schema version, and
// CBOR (RFC 8949).
package etcd
