package edge

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/haproxy"
	"github.com/berthhq/berth/plane/edge/probe"
)

// Proxies is the engine of balancers that HAProxy carries. HAProxy listens and checks
// health by itself.
type Proxies struct {
	dir     string
	haproxy haproxy.Engine

	mu      sync.Mutex
	targets []probe.Watched
	carried []*balancer.Front
	seen    map[string]balancer.Report // by target
}

// NewProxies makes one; the processes' files are in the folder.
func NewProxies(dir string, log *slog.Logger) *Proxies {
	return &Proxies{dir: dir, haproxy: haproxy.Engine{Dir: haproxy.Own(dir), Log: log}, seen: map[string]balancer.Report{}}
}

var _ Engine = (*Proxies)(nil)

// Apply implements Engine.
func (p *Proxies) Apply(s *balancer.Snapshot, nodes []Node, _ *Doors) {
	var mine []Node
	var theirs []haproxy.Node
	for _, n := range nodes {
		if n.Front.Balancer.Kind == balancer.Application && n.Front.Balancer.Engine == balancer.EngineHAProxy && n.Link == nil {
			mine = append(mine, n)
			theirs = append(theirs, haproxy.Node{Front: n.Front, Node: n.Node, Enter: n.Space.Do})
		}
	}
	targets := watched(s, mine)
	p.mu.Lock()
	p.targets, p.carried = targets, frontsOf(mine)
	p.mu.Unlock()
	p.haproxy.Apply(s, theirs)
	haproxy.StopOrphans(p.dir)
}

// Troubles implements Troubled.
func (p *Proxies) Troubles() map[string]string { return p.haproxy.Troubles() }

// Report implements Engine.
func (p *Proxies) Report() ([]balancer.TargetReport, []string) {
	seen := p.haproxy.Reports(time.Now())
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.seen)
	for _, t := range seen {
		p.seen[t.Target] = t.Report
	}
	return seen, nil
}

// Watch implements Health: HAProxy knows its targets.
func (p *Proxies) Watch([]probe.Watched) {}

// Of implements Health by the last report.
func (p *Proxies) Of(_, target string) balancer.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r, ok := p.seen[target]; ok {
		return r
	}
	return balancer.Report{State: balancer.Initial}
}

// Counts implements Engine: how many targets are healthy. HAProxy's own counters are not
// CloudWatch's.
func (p *Proxies) Counts(now time.Time) []balancer.Count {
	p.mu.Lock()
	fronts, targets := p.carried, p.targets
	p.mu.Unlock()
	return HostCounts(fronts, targets, p, now)
}

// Drain implements Engine.
func (p *Proxies) Drain(ctx context.Context) { p.haproxy.Drain(ctx) }
