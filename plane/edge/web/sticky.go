package web

import (
	"net/http"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/web/wire"
)

// stay has the client come back to the target that answers, where its answer allows:
// own are the fields of ours, heard those of the target's. nil for nothing.
type stay func(own *wire.Fields, heard wire.Fields)

// sticky is the target that the client's cookie names, nil for none or one that may not
// be used any more; and what makes it so.
func (x *exchange) sticky(p *pool, from []*target) (*target, stay) {
	if !p.sticky {
		return nil, nil
	}
	b := x.l.lock.bound(x.asked.Fields, p.cookie, x.began)
	bound := x.staying(p, from, b)
	return bound, func(own *wire.Fields, heard wire.Fields) {
		until, cors := x.began.Add(p.stays), cookieLBCORS
		if p.appName != "" {
			if cors = ""; !sets(heard, p.appName) {
				if bound == nil || x.to.target != bound {
					return // the application decides when a session begins
				}
				until = b.Until
			}
		}
		x.l.lock.set(own, p.cookie, cors, bond{Group: p.Group.ARN, Target: x.to.target.key, Until: until}, x.began)
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

func sets(heard wire.Fields, cookie string) bool {
	return heard.Any(func(f *wire.Field) bool {
		if !f.Is("Set-Cookie") {
			return false
		}
		c, err := http.ParseSetCookie(f.Value)
		return err == nil && c.Name == cookie
	})
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
		if from := x.healthy(now); len(from) > 0 {
			return from
		}
		select {
		case <-changed:
		case <-x.client.context().Done():
			return nil
		case <-end.C:
			return nil
		}
	}
}

// holdPatience is how long a service may take to wake.
const holdPatience = time.Minute

// healthy are the usable targets that are known to be healthy.
func (x *exchange) healthy(p *pool) []*target {
	var out []*target
	for _, t := range x.usable(p) {
		if x.engine.State(t.key) == balancer.Healthy {
			out = append(out, t)
		}
	}
	return out
}
