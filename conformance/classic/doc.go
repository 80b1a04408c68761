// Package classic proves the Certificate Manager and Classic load balancers with AWS's
// own clients and with Terraform.
//
// It is a module of its own, so that the main one does not carry the clients.
package classic
