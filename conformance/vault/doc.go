// Package vault proves Secrets Manager, the Parameter Store and KMS with AWS's own
// clients, and that nothing secret reaches the disk in the clear.
//
// It is a module of its own, so that the main one does not carry the clients.
package vault
