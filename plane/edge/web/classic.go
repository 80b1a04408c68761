package web

import (
	"cmp"
	"net/http"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/ssl"
	"github.com/berthhq/berth/plane/edge/web/wire"
)

// Names of the cookies of Classic balancers. The second is for requests that come from
// other sites' pages.
const (
	cookieClassic     = "AWSELB"
	cookieClassicCORS = "AWSELBCORS"
)

// forever is how long a bond of a Classic balancer holds: it is the client who forgets
// the cookie.
const forever = 10 * 365 * 24 * time.Hour

// classic tells whether the listener is a Classic balancer's.
func (l *listener) classic() bool { return l.balancer.Kind == balancer.Classic }

// stickyClassic is sticky for Classic balancers: a cookie is not renewed, and that of an
// application's session lives as the application's own.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-sticky-sessions.html
func (x *exchange) stickyClassic(p *pool, from []*target) (*target, stay) {
	app := p.appName
	var kept bond
	if app == "" || brings(x.asked.Fields, app) {
		kept = x.l.lock.bound(x.asked.Fields, cookieClassic, x.began)
	}
	var bound *target
	for _, t := range from {
		if t.key == kept.Target {
			bound = t
		}
	}
	return bound, func(own *wire.Fields, heard wire.Fields) {
		begun := cookieOf(heard, app)
		if stays := app == "" || kept.Target != ""; begun != nil || stays && x.to.target != bound {
			x.keepClassic(own, p, begun)
		}
	}
}

// keepClassic has the client come back to the target: for as long as the application's
// cookie lives, where one is given, else as the policy says.
func (x *exchange) keepClassic(own *wire.Fields, p *pool, like *http.Cookie) {
	b := bond{Group: p.Group.ARN, Target: x.to.target.key, Until: x.began.Add(forever)}
	k := http.Cookie{Path: "/"}
	if like != nil {
		k = *like
	} else if p.appName == "" && p.stays > 0 {
		k.MaxAge, k.Expires = int(p.stays.Seconds()), x.began.Add(p.stays)
	}
	k.Name, k.Value = cookieClassic, x.l.lock.close(cookieClassic, b)
	own.Add("Set-Cookie", k.String())
	k.Name, k.SameSite, k.Secure = cookieClassicCORS, http.SameSiteNoneMode, true
	own.Add("Set-Cookie", k.String())
}

// brings tells whether a client has a cookie of the name.
func brings(asked wire.Fields, name string) bool {
	r := http.Request{Header: http.Header{"Cookie": asked.Values("Cookie")}}
	return len(r.CookiesNamed(name)) > 0
}

// cookieOf is the cookie of a name that an answer sets; nil for none.
func cookieOf(heard wire.Fields, name string) *http.Cookie {
	for _, text := range heard.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(text); err == nil && name != "" && c.Name == name {
			return c
		}
	}
	return nil
}

// classicLine appends the request as it is in the access log of a Classic balancer.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html
func (x *exchange) classicLine(to []byte) []byte {
	var request, agent line
	x.asking(&request)
	agent.add(cmp.Or(x.asked.Fields.Get("User-Agent"), "-"))
	cipher, version, backend := "-", "-", ""
	if state := x.conn.tls; state != nil {
		cipher, version = ssl.SuiteName(state.CipherSuite), ssl.VersionName(state.Version)
	}
	if x.to.target != nil {
		backend = x.to.target.address
	}
	e := balancer.ClassicEntry{
		At: x.began, Name: x.l.balancer.Name, Client: x.conn.from, Backend: backend, Dispatched: x.to.status != 0,
		Times:  [3]time.Duration{x.to.requested, x.to.waited, x.to.answered},
		Status: code(x.status), BackendStatus: code(x.to.status), Received: x.got.Load(), Sent: x.sent,
		Request: string(request.text), Agent: string(agent.text), Cipher: cipher, Version: version,
	}
	return append(to, e.String()...)
}

// code is a status, or nothing for 0.
func code(status int) string {
	var l line
	l.digits(status)
	return string(l.text)
}
