// Package balancers proves the API of Application and Network load balancers with AWS's
// own client: what Terraform's resources do, in its order.
//
// It is a module of its own, so that the main one does not carry the clients.
package balancers
