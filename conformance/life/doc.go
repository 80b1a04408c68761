// Package life proves what users of ECS live by, from outside: a real `bin/berth
// up` as a child process, unmodified AWS clients before it, real containers behind
// it. `make build` comes first; the tests need root.
//
// It is a module of its own, so that the main one does not carry the clients.
package life
