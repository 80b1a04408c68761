// Package ground proves EC2's network with AWS's own client and with Terraform: each
// resource is made, read, changed, read and removed, and what is read is what was sent.
//
// It is a module of its own, so that the main one does not carry the clients.
package ground
