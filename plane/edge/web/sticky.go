package web

import (
	"net/http"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// sticky is the target that the client's cookie names, nil for none or one that may not
// be used any more; and what has the client come back to the target that answers.
func (x *exchange) sticky(p *pool, from []*target) (*target, func(http.Header, *http.Response)) {
	if !p.Group.Enabled(balancer.StickinessEnabled) {
		return nil, func(http.Header, *http.Response) {}
	}
	if x.l.classic() {
		return x.stickyClassic(p, from)
	}
	name, over := cookieLB, p.Group.Seconds(balancer.LBCookieDuration)
	app := ""
	if p.Group.Attribute(balancer.StickinessType) == "app_cookie" {
		name, over, app = cookieApp, p.Group.Seconds(balancer.AppCookieDuration), p.Group.Attribute(balancer.AppCookieName)
	}
	b := x.l.lock.bound(x.r, name, x.began)
	bound := x.staying(p, from, b)
	return bound, func(h http.Header, answer *http.Response) {
		until := x.began.Add(over)
		if app != "" && !sets(answer, app) {
			if bound == nil || x.to.target != bound {
				return // the application decides when a session begins
			}
			until = b.Until
		}
		cors := cookieLBCORS
		if app != "" {
			cors = ""
		}
		x.l.lock.set(h, name, cors, bond{Group: p.Group.ARN, Target: x.to.target.key, Until: until}, x.began)
	}
}

// staying is the bound target, if it may get the request: a draining one as well, so
// that sessions end in their own time.
func (x *exchange) staying(p *pool, from []*target, b bond) *target {
	if b.Group != p.Group.ARN {
		return nil
	}
	for _, t := range p.targets {
		if t.key == b.Target && x.engine.State(t.key) == balancer.Healthy {
			return t
		}
	}
	for _, t := range from {
		if t.key == b.Target {
			return t
		}
	}
	return nil
}

func sets(answer *http.Response, cookie string) bool {
	for _, c := range answer.Cookies() {
		if c.Name == cookie {
			return true
		}
	}
	return false
}

// hold keeps the request until its group, whose service sleeps, has a target.
func (x *exchange) hold(p *pool) []*target {
	arn := p.Group.ARN
	x.engine.held.add(arn)
	defer x.engine.held.remove(arn)
	end := time.NewTimer(holdPatience)
	defer end.Stop()
	for {
		changed := x.engine.held.wait()
		x.world = x.engine.world.Load()
		now := x.world.pools[arn]
		if now == nil {
			return nil
		}
		if from := x.engine.healthy(x.l, now, x.zone); len(from) > 0 {
			return from
		}
		select {
		case <-changed:
		case <-x.r.Context().Done():
			return nil
		case <-end.C:
			return nil
		}
	}
}

// holdPatience is how long a service may take to wake.
const holdPatience = time.Minute

// healthy are the usable targets that are known to be healthy.
func (e *Engine) healthy(l *listener, p *pool, zone string) []*target {
	var out []*target
	for _, t := range e.usable(l, p, zone) {
		if e.State(t.key) == balancer.Healthy {
			out = append(out, t)
		}
	}
	return out
}
