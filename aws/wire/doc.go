// Package wire speaks AWS's protocols: it finds out what an HTTP request asks
// for, turns its body into a Go struct and a Go struct into an answer.
//
// One reflective codec serves awsJson 1.0 and 1.1, awsQuery, ec2Query, restJson1
// and Smithy RPC v2 with CBOR. What it knows of a struct comes from the fields'
// tags, read once for each type:
//
//	wire:"name,words..."  match:"pattern"  each:"pattern"
//
// name is the member's name on the wire. The words are
//
//	query=N          the name in query strings, where it differs
//	flat             a list or map without an element around its items
//	item= key= value= names of list items and of a map's keys and values in XML
//	in=path|query    restJson1: not in the JSON body
//	time=iso8601|http|unix   where it is not the protocol's default
//	req              must be present in a request
//	min= max=        bounds of a number, or of a string's or list's length
//	each.min= each.max= key.min= key.max=   the same for items, values and keys
//	token            idempotency token: a client makes one up when it is absent
//	secret           never to be shown in logs or audits
//
// match and each are regular expressions for the member and for its items.
//
// Absence is nil (or the empty string for enums); anything else is sent, zeros
// and empty lists too. Members the struct does not have are ignored. Values of a
// wrong type are a fault.Serialization.
//
// A list of events (iter.Seq2 of events and an error) is sent as an event stream
// while the sequence lasts; see Request.Respond.
package wire
