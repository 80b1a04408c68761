// Package tasks proves ECS with AWS's own Go client on a real socket: its
// waiters, its paginators and its typed errors.
//
// It is a module of its own, so that the main one does not carry the client.
package tasks
