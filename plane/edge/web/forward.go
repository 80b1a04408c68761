package web

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/web/wire"
)

// turns are where round robin is, by target group; they outlive snapshots.
func (ts *targets) turn(group string) *atomic.Uint64 {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.turns == nil {
		ts.turns = map[string]*atomic.Uint64{}
	}
	if ts.turns[group] == nil {
		ts.turns[group] = new(atomic.Uint64)
	}
	return ts.turns[group]
}

// forward leads the request to a target of the action's groups.
func (x *exchange) forward(a *balancer.ForwardAction) {
	p, keep := x.group(a)
	if p == nil {
		x.fail(noTarget)
		return
	}
	x.to.group = p.Group.ARN
	if !fits(&x.asked, p) {
		x.fail(wrongProtocol)
		return
	}
	from := x.usable(p)
	if len(from) == 0 && p.Wake {
		from = x.hold(p)
		x.now = time.Now()
		p = x.world.pools[p.Group.ARN] // it may be another by now
	}
	if len(from) == 0 {
		x.fail(noTarget)
		return
	}
	if keep {
		x.l.lock.set(&x.own, cookieGroup, cookieGroupAll,
			bond{Group: p.Group.ARN, Until: x.began.Add(time.Duration(a.StickinessSeconds) * time.Second)}, x.began)
	}
	x.send(p, from)
}

// group chooses the target group; keep tells that the client shall stay with it.
func (x *exchange) group(a *balancer.ForwardAction) (p *pool, keep bool) {
	if a.Stickiness && len(a.Groups) > 1 {
		b := x.l.lock.bound(x.asked.Fields, cookieGroup, x.began)
		for _, g := range a.Groups {
			if g.GroupARN == b.Group && x.world.pools[b.Group] != nil {
				return x.world.pools[b.Group], false
			}
		}
		keep = true
	}
	g := weighted(a.Groups)
	if g == nil {
		return nil, false
	}
	return x.world.pools[g.GroupARN], keep
}

// fits tells whether the client's protocol is one that the group speaks.
func fits(r *wire.Request, p *pool) bool {
	switch p.Group.ProtocolVersion {
	case "GRPC":
		return r.Major == 2 && r.Method == http.MethodPost
	case "HTTP2":
		return r.Major == 2
	}
	return true
}

// tries is how many targets may refuse a connection before the request fails.
const tries = 3

// send asks targets until one takes the request.
func (x *exchange) send(p *pool, from []*target) {
	t, stuck := x.sticky(p, from)
	for n := 0; ; n++ {
		if t == nil {
			t = x.engine.choose(p, from)
		}
		x.to.target = t
		x.to.tried = append(x.to.tried, t.address)
		err := x.askCounted(p, t, stuck)
		if err == nil {
			return
		}
		if !errors.As(err, new(*refusedError)) || n+1 >= tries || x.got.Load() > 0 || x.status != 0 || x.client.gone() {
			x.targetFailed(err)
			return
		}
		x.countGroup(x.zone(), measure{"TargetConnectionErrorCount", 1})
		from, t = others(from, t), nil
	}
}

func (x *exchange) askCounted(p *pool, t *target, stuck stay) error {
	t.flying.Add(1)
	defer t.flying.Add(-1)
	return x.ask(p, t, stuck)
}

// others are the targets without one, or that one if there is no other.
func others(from []*target, without *target) []*target {
	var left []*target
	for _, t := range from {
		if t != without {
			left = append(left, t)
		}
	}
	if len(left) == 0 {
		return from
	}
	return left
}

// refusedError says that a target took no connection: another may be asked.
type refusedError struct{ error }

func (e *refusedError) Unwrap() error { return e.error }

// targetFailed answers for a target that did not.
func (x *exchange) targetFailed(err error) {
	switch {
	case errors.As(err, new(*wire.Fault)):
		x.class, x.odd = "Severe", "BadTransferEncoding"
		x.fail(badRequest)
	case errors.Is(err, errSlow):
		x.fail(tooSlow)
	case errors.Is(err, errClient), x.client.gone():
		x.countHere(measure{"HTTPCode_ELB_460_Count", 1})
		x.fail(hungUp)
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		x.fail(timedOut)
	default:
		x.fail(badGateway)
	}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// errClient says that it was the client who did not go on.
var errClient = errors.New("the client went away")

// ask has one target answer. An error means that the client has heard nothing yet.
func (x *exchange) ask(p *pool, t *target, stuck stay) error {
	x.outgoing(p)
	if v := p.Group.ProtocolVersion; v == "GRPC" || v == "HTTP2" {
		return x.overHTTP2(p, t, stuck)
	}
	if upgrades(&x.asked) {
		return x.upgrade(p, t)
	}
	return x.overHTTP1(p, t, stuck)
}
