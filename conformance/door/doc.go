// Package door proves the gateway, and the services that belong to it (sts, ec2,
// account, application-autoscaling), with AWS's own Go clients: answers, and the
// refusals of each protocol.
//
// It is a module of its own, so that the main one does not carry the clients.
package door
