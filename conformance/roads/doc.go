// Package roads holds berth against AWS's clients where tasks are reached through
// load balancers, Service Connect and security groups: real containers behind real sockets.
package roads
