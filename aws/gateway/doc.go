// Package gateway is the one door of berth's AWS APIs. It finds out which
// service and operation a request means, proves who sent it, decodes,
// asks whether they may, calls the handler, encodes, and writes the audit line. The order
// of these stages is one list, in pipeline.go.
//
// A service is a package under aws/api: New(...) makes its API, and Operations()
// gives a Handler for each operation it supports. What the model knows and no
// handler answers is refused in the protocol's own form.
package gateway
