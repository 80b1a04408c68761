// Package wire reads and writes HTTP/1.1 as it is on connections, and nothing beyond:
// heads of requests and of answers, the framing of bodies, header fields in order.
//
// Requests are read strictly by RFC 9112: what two readers may understand differently is
// a [Fault], or said by the [Request] where there is one safe reading. Answers of targets
// are read as leniently as is safe. A head is copied once, into one string that all of its
// parts are cut from, so that the buffer it came by is free again at once.
package wire
