package web

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// target is a registered target: what lives longer than one snapshot. Snapshots come
// and go; the connections to a target and the count of its requests stay.
type target struct {
	key     string
	group   string // ARN
	address string // in words
	current atomic.Pointer[balancer.PoolTarget]
	flying  atomic.Int64
	idle    idle
	h2      sync.Map // of RoundTripper, by node
}

// targets are all targets, by key.
type targets struct {
	engine *Engine

	mu    sync.Mutex
	all   map[string]*target
	turns map[string]*atomic.Uint64 // of round robin, by group
}

func (ts *targets) get(g *balancer.TargetGroup, p *balancer.PoolTarget) *target {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.all[p.Key]
	if before := (*balancer.PoolTarget)(nil); t != nil {
		if before = t.current.Load(); before.Address != p.Address {
			t.close()
			t = nil
		}
	}
	if t == nil {
		t = &target{key: p.Key, group: g.ARN, address: p.Address.String()}
		ts.all[p.Key] = t
	}
	t.current.Store(p)
	return t
}

// keep forgets the targets that are not in the world.
func (ts *targets) keep(w *world) {
	wanted := map[string]bool{}
	for _, p := range w.pools {
		for _, t := range p.targets {
			wanted[t.key] = true
		}
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for key, t := range ts.all {
		if !wanted[key] {
			t.close()
			delete(ts.all, key)
		}
	}
}

func (ts *targets) inFlight(key string) int {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.all[key]; t != nil {
		return int(t.flying.Load())
	}
	return 0
}

// close ends the idle connections; those in use end with their request.
func (t *target) close() {
	t.idle.close()
	t.h2.Range(func(_, v any) bool {
		if c, ok := v.(interface{ CloseIdleConnections() }); ok {
			c.CloseIdleConnections()
		}
		return true
	})
}

// warmth is the share, in thousandths, of its part of the traffic that a target in slow
// start gets: it rises with its age.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#slow-start-mode
func (t *target) warmth(over time.Duration, now time.Time) int64 {
	age := now.Sub(t.current.Load().Since)
	if over <= 0 || age >= over {
		return 1000
	}
	return max(1, int64(age)*1000/int64(over))
}
