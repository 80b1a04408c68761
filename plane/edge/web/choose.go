package web

import (
	"math/rand/v2"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// usable are the targets that may get a new request of a node's zone. When none is
// healthy, or fewer than the group asks for, all are taken: AWS calls it fail-open.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
func (x *exchange) usable(p *pool) []*target {
	cross, zone := balancer.CrossZone(x.l.balancer, &p.Group), x.zone()
	all := x.targets[:0] // the healthy ones, then all that are there
	for _, t := range p.targets {
		if t.takes(cross, zone) && x.engine.State(t.key) == balancer.Healthy {
			all = append(all, t)
		}
	}
	healthy := len(all)
	for _, t := range p.targets {
		if t.takes(cross, zone) {
			all = append(all, t)
		}
	}
	x.targets = all
	if p.enough(healthy, len(all)-healthy) {
		return all[:healthy:healthy]
	}
	return all[healthy:]
}

// takes tells whether a target gets new requests of a zone.
func (t *target) takes(cross bool, zone string) bool {
	at := t.current.Load()
	return !at.Draining && (cross || at.Zone == zone || at.Zone == "all")
}

// enough tells whether so many healthy targets carry the traffic alone.
func (m *means) enough(healthy, all int) bool {
	return healthy > 0 && healthy >= m.least && healthy*100 >= m.share*all
}

// choose takes one of the targets as the group's algorithm says.
func (e *Engine) choose(p *pool, from []*target) *target {
	if len(from) == 1 {
		return from[0]
	}
	switch p.algorithm {
	case "least_outstanding_requests":
		return leastBusy(from, p.turn.Add(1))
	case "weighted_random":
		return from[rand.IntN(len(from))]
	}
	if p.slowStart == 0 {
		return from[p.turn.Add(1)%uint64(len(from))]
	}
	return warmest(from, p.slowStart, e.Now())
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
