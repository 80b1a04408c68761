package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/signin"
	"github.com/berthhq/berth/plane/edge/web/wire"
)

// authenticate tells whether the request has its answer: a client without a session is
// sent to the identity provider, or refused.
func (x *exchange) authenticate(a *balancer.OIDCAction) (over bool) {
	r, err := x.client.request()
	if err != nil {
		x.fail(badRequest)
		return true
	}
	o := x.l.lock.Ask(r, x.l.balancer.ARN, a)
	x.now = time.Now()
	if x.told(&o) {
		return true
	}
	for _, c := range o.Cookies {
		x.own.Add("Set-Cookie", c.String())
	}
	if o.Headers != nil {
		x.asked.Fields.DelFunc(func(f *wire.Field) bool { return begins(f.Name, oidcHeaders) })
		x.asked.Fields = append(x.asked.Fields, fieldsOf(o.Headers)...)
		x.identified = true
		x.auth("ELBAuthSuccess", 1)
	}
	return false
}

// back answers a client that returns from its identity provider.
func (x *exchange) back() {
	x.did = append(x.did, "authenticate")
	r, err := x.client.request()
	if err != nil {
		x.fail(badRequest)
		return
	}
	o := x.l.lock.Back(r, x.l.signs)
	x.told(&o)
}

// told answers where signing in ends with an answer.
func (x *exchange) told(o *signin.Outcome) bool {
	if o.Latency > 0 {
		x.auth("ELBAuthLatency", float64(o.Latency)/float64(time.Millisecond))
	}
	if o.Refreshed {
		x.auth("ELBAuthRefreshTokenSuccess", 1)
	}
	switch x.to.reason = o.Reason; o.Status {
	case 0:
		return false
	case http.StatusFound:
		x.lead(o)
	case http.StatusUnauthorized:
		x.auth("ELBAuthFailure", 1)
		x.fail(unauthorized)
	case signin.StatusProvider:
		x.auth("ELBAuthFailure", 1)
		x.fail(noIdentity)
	default:
		x.auth("ELBAuthError", 1)
		x.fail(internal)
	}
	return true
}

// lead sends the client on.
func (x *exchange) lead(o *signin.Outcome) {
	x.ownHeaders()
	for _, c := range o.Cookies {
		x.own.Add("Set-Cookie", c.String())
	}
	x.own.Set("Location", o.Location)
	x.own.Set("Cache-Control", "no-store")
	x.say(o.Status, nil)
}

func (x *exchange) auth(name string, n float64) {
	x.count(name, n)
}

// validate refuses a request without a valid token.
func (x *exchange) validate(a *balancer.JWTAction) (over bool) {
	r := &http.Request{Header: http.Header{"Authorization": x.asked.Fields.Values("Authorization")}}
	x.to.reason = x.engine.tokens.Check(x.client.context(), r, a)
	x.now = time.Now()
	if x.to.reason == "" {
		x.auth("JWTValidationSuccessCount", 1)
		return false
	}
	x.auth("JWTValidationFailureCount", 1)
	if ofKeys := strings.HasPrefix(x.to.reason, "JWKS"); ofKeys {
		x.fail(internal)
	} else {
		x.fail(unauthorized)
	}
	return true
}

// signInsOf are the actions of a listener that have clients sign in.
func signInsOf(rules []rule) []*balancer.OIDCAction {
	var all []*balancer.OIDCAction
	for _, r := range rules {
		for n := range r.actions {
			if a := r.actions[n].OIDC; a != nil {
				all = append(all, a)
			}
		}
	}
	return all
}

// lock is what keeps the cookies of one balancer: all its nodes have the same, so that
// one knows whom another has seen.
type lock struct {
	*cookies
	*signin.Desk
}

// lockOf is made of the balancer's secret; of the engine's own where it has none.
func (e *Engine) lockOf(b *balancer.Balancer) lock {
	secret := b.Secret
	if len(secret) == 0 {
		secret = e.secret
	}
	return lock{cookiesOf(secret), signin.New(signin.Options{Secret: secret, Client: e.Providers, Now: e.Now})}
}
