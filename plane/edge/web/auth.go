package web

import "github.com/berthhq/berth/domain/balancer"

// authenticate tells whether the request has its answer: a client without a session is
// sent to the identity provider, or refused.
func (x *exchange) authenticate(a *balancer.OIDCAction) (over bool) {
	x.fail(internal)
	return true
}

// validate refuses a request without a valid token.
func (x *exchange) validate(a *balancer.JWTAction) (over bool) {
	x.fail(unauthorized)
	return true
}
