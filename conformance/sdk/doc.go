// Package sdk checks the shapes and the codec of aws/ against AWS's own Go client:
// every operation that berth describes goes through the client's serialisers and
// deserialisers over a socket, and the snapshots that the client's modules ship
// are decoded whole.
//
// It is a module of its own, so that the main one does not carry the clients.
package sdk
