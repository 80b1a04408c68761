// Package identity proves who may do what, from outside: a real `bin/berth up` as a
// child process, unmodified AWS clients before it and in its containers, with roles,
// users and policies between them. `make build` comes first; the tests need root.
//
// It is a module of its own, so that the main one does not carry the clients.
package identity
