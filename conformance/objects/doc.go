// Package objects proves S3, and what engines answer for, with AWS's own Go clients
// and its command line: against the front with the keeper of objects that berth
// runs, and against whole processes of berth.
//
// It is a module of its own, so that the main one does not carry the clients.
package objects
