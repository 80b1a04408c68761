package web

import (
	"cmp"
	"net/http"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/ssl"
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
func (x *exchange) stickyClassic(p *pool, from []*target) (*target, func(http.Header, *http.Response)) {
	app := ""
	if p.Group.Attribute(balancer.StickinessType) == "app_cookie" {
		app = p.Group.Attribute(balancer.AppCookieName)
	}
	var kept bond
	if app == "" || len(x.r.CookiesNamed(app)) > 0 {
		kept = x.l.lock.bound(x.r, cookieClassic, x.began)
	}
	var bound *target
	for _, t := range from {
		if t.key == kept.Target {
			bound = t
		}
	}
	return bound, func(h http.Header, answer *http.Response) {
		begun := cookieOf(answer, app)
		if stays := app == "" || kept.Target != ""; begun != nil || stays && x.to.target != bound {
			x.keepClassic(h, p, begun)
		}
	}
}

// keepClassic has the client come back to the target: for as long as the application's
// cookie lives, where one is given, else as the policy says.
func (x *exchange) keepClassic(h http.Header, p *pool, like *http.Cookie) {
	b := bond{Group: p.Group.ARN, Target: x.to.target.key, Until: x.began.Add(forever)}
	k := http.Cookie{Path: "/"}
	if like != nil {
		k = *like
	} else if life := p.Group.Seconds(balancer.LBCookieDuration); life > 0 && p.Group.Attribute(balancer.StickinessType) == "lb_cookie" {
		k.MaxAge, k.Expires = int(life.Seconds()), x.began.Add(life)
	}
	k.Name, k.Value = cookieClassic, x.l.lock.close(cookieClassic, b)
	h.Add("Set-Cookie", k.String())
	k.Name, k.SameSite, k.Secure = cookieClassicCORS, http.SameSiteNoneMode, true
	h.Add("Set-Cookie", k.String())
}

// cookieOf is the cookie of a name that an answer sets; nil for none.
func cookieOf(answer *http.Response, name string) *http.Cookie {
	for _, c := range answer.Cookies() {
		if name != "" && c.Name == name {
			return c
		}
	}
	return nil
}

// classicLine is the request in the access log of a Classic balancer.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html
func (x *exchange) classicLine() string {
	cipher, version := "-", "-"
	if state := x.r.TLS; state != nil {
		cipher, version = ssl.SuiteName(state.CipherSuite), ssl.VersionName(state.Version)
	}
	e := balancer.ClassicEntry{
		At: x.began, Name: x.l.balancer.Name, Client: x.client.String(), Backend: x.targetAddress(), Dispatched: x.to.status != 0,
		Times:  [3]time.Duration{x.to.requested, x.to.waited, x.to.answered},
		Status: cmp.Or(number(x.w.status), "-"), BackendStatus: cmp.Or(number(x.to.status), "-"), Received: x.body.bytes, Sent: x.w.bytes,
		Request: logged(x.r.Method + " " + x.url() + " " + x.r.Proto), Agent: logged(cmp.Or(x.r.UserAgent(), "-")), Cipher: cipher, Version: version,
	}
	return e.String()
}
