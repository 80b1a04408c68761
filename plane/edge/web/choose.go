package web

import (
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// usable are the targets that may get a new request of a node's zone: that zone's where
// balancing does not cross zones, unless it has none.
func (e *Engine) usable(l *listener, p *pool, zone string) []*target {
	if !balancer.CrossZone(l.balancer, &p.Group) {
		if near := e.within(p, func(z string) bool { return z == zone || z == "all" }); len(near) > 0 {
			return near
		}
	}
	return e.within(p, func(string) bool { return true })
}

// within are the usable targets of some zones. When none is healthy, or fewer than the
// group asks for, all are taken: AWS calls it fail-open.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
func (e *Engine) within(p *pool, fits func(zone string) bool) []*target {
	var there, healthy []*target
	for _, t := range p.targets {
		at := t.current.Load()
		if at.Draining || !fits(at.Zone) {
			continue
		}
		there = append(there, t)
		if e.State(t.key) == balancer.Healthy {
			healthy = append(healthy, t)
		}
	}
	if enough(&p.Group, len(healthy), len(there)) {
		return healthy
	}
	return there
}

// enough tells whether so many healthy targets carry the traffic alone.
func enough(g *balancer.TargetGroup, healthy, all int) bool {
	if healthy == 0 {
		return false
	}
	if n, err := strconv.Atoi(g.Attribute(balancer.MinimumCount)); err == nil && healthy < n {
		return false
	}
	n, err := strconv.Atoi(g.Attribute(balancer.MinimumPercent))
	return err != nil || healthy*100 >= n*all
}

// choose takes one of the targets as the group's algorithm says.
func (e *Engine) choose(p *pool, from []*target, turn *atomic.Uint64) *target {
	if len(from) == 1 {
		return from[0]
	}
	switch p.Group.Attribute(balancer.Algorithm) {
	case "least_outstanding_requests":
		return leastBusy(from, turn.Add(1))
	case "weighted_random":
		return from[rand.IntN(len(from))]
	}
	over := p.Group.Seconds(balancer.SlowStart)
	if over == 0 {
		return from[turn.Add(1)%uint64(len(from))]
	}
	return warmest(from, over, e.Now())
}

// leastBusy begins at a place that moves on, so that equals take turns.
func leastBusy(from []*target, begin uint64) *target {
	best := from[begin%uint64(len(from))]
	for n := range from {
		if t := from[(begin+uint64(n))%uint64(len(from))]; t.flying.Load() < best.flying.Load() {
			best = t
		}
	}
	return best
}

// warmest chooses by how warm each is: one in slow start less often.
func warmest(from []*target, over time.Duration, now time.Time) *target {
	var sum int64
	for _, t := range from {
		sum += t.warmth(over, now)
	}
	at := rand.Int64N(sum)
	for _, t := range from {
		if at -= t.warmth(over, now); at < 0 {
			return t
		}
	}
	return from[len(from)-1]
}

// weighted chooses a group by the weights; nil when all are zero.
func weighted(groups []balancer.Weighted) *balancer.Weighted {
	sum := 0
	for _, g := range groups {
		sum += g.Weight
	}
	if len(groups) == 1 {
		return &groups[0]
	}
	if sum == 0 {
		return nil
	}
	at := rand.IntN(sum)
	for n := range groups {
		if at -= groups[n].Weight; at < 0 {
			return &groups[n]
		}
	}
	return nil
}
