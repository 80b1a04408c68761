// Package join is how a machine becomes part of a berth: the text of a join
// token, the exchange of a token for keys, and trust in a server by the pin of
// its certificate authority, before there is any other reason for trust.
//
//	berth token create      prints a Token: a secret, and the authority's Pin
//	POST /_berth/join       Request in, Response out, over TLS that the Pin proves
package join
