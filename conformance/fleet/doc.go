// Package fleet proves that machines of their own make one cluster: a server and
// two agents, each in a network namespace, with nothing between them but a wire and
// TLS from berth's own authority.
//
// It is a module of its own, so that the main one does not carry AWS's client.
package fleet
