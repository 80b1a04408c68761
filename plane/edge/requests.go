package edge

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/probe"
	"github.com/berthhq/berth/plane/edge/signin"
	"github.com/berthhq/berth/plane/edge/web"
)

// Requests is the engine of Application balancers, and of the HTTP of Classic ones.
type Requests struct {
	health Health
	web    *web.Engine
	log    *slog.Logger

	mu      sync.Mutex
	nodes   map[string]Node // by interface
	serving map[net.Listener]bool
	targets []probe.Watched
	groups  map[string]string // of targets, by key
	carried []*balancer.Front
}

// NewRequests makes one; its targets' health is by health, of which it is the only
// user. The lines of logs go to the journal; nil for nowhere. Identity providers may be
// at those of this machine's own addresses that are in inside.
func NewRequests(health Health, j *Journal, inside []netip.Prefix, log *slog.Logger) *Requests {
	r := &Requests{health: health, log: log, serving: map[net.Listener]bool{}}
	o := web.Options{Dial: r.dial, State: r.state, Log: log, Providers: signin.Outside(func(a netip.Addr) bool {
		return slices.ContainsFunc(inside, func(p netip.Prefix) bool { return p.Contains(a) })
	})}
	if j != nil {
		to := func(l balancer.Log) func(arn, node string, line []byte) {
			return func(_, node string, line []byte) { r.write(j, l, node, line) }
		}
		o.Access, o.Connection = to(balancer.AccessLog), to(balancer.ConnectionLog)
	}
	r.web = web.New(o)
	return r
}

var _ Engine = (*Requests)(nil)

// errNoNode says that a node went away while a request was on its way.
var errNoNode = errors.New("the balancer's node is not here any more")

// dial connects from a node's network.
func (r *Requests) dial(ctx context.Context, node string, to netip.AddrPort) (net.Conn, error) {
	r.mu.Lock()
	n, ok := r.nodes[node]
	r.mu.Unlock()
	if !ok {
		return nil, errNoNode
	}
	return n.Space.Dial(ctx, to)
}

func (r *Requests) state(target string) balancer.State {
	r.mu.Lock()
	group := r.groups[target]
	r.mu.Unlock()
	return r.health.Of(group, target).State
}

func (r *Requests) write(j *Journal, l balancer.Log, node string, line []byte) {
	r.mu.Lock()
	n, ok := r.nodes[node]
	r.mu.Unlock()
	if ok {
		j.Write(l, &n.Front.Balancer, n.Address.String(), line)
	}
}

// Apply implements Engine.
func (r *Requests) Apply(s *balancer.Snapshot, nodes []Node, doors *Doors) {
	var mine []Node
	for _, n := range layer(nodes, "HTTP", "HTTPS") {
		if n.Front.Balancer.Kind != balancer.Network && n.Front.Balancer.Engine == balancer.EngineBerth && n.Link == nil {
			mine = append(mine, n)
		}
	}
	targets := watched(s, mine)
	r.mu.Lock()
	r.targets, r.carried = targets, frontsOf(mine)
	r.nodes, r.groups = map[string]Node{}, map[string]string{}
	for _, n := range mine {
		r.nodes[n.InterfaceID] = n
	}
	for _, t := range targets {
		r.groups[t.Target.Key] = t.Group.ARN
	}
	r.mu.Unlock()
	r.health.Watch(targets)
	r.web.Apply(s)
	for n := range mine {
		r.open(&mine[n], doors)
	}
}

// open serves the ports of a node that are not served yet.
func (r *Requests) open(n *Node, doors *Doors) {
	for i := range n.Front.Listeners {
		l := &n.Front.Listeners[i].Listener
		if l.Protocol != "HTTP" && l.Protocol != "HTTPS" {
			continue
		}
		socket, err := doors.Open(n.Space, n.InterfaceID, n.Address.String(), l.Port)
		if err != nil {
			r.log.Error("a listener cannot be served", "listener", l.ARN, "interface", n.InterfaceID, "err", err)
			continue
		}
		r.serve(socket, n.InterfaceID, l.Port)
	}
}

func (r *Requests) serve(socket net.Listener, node string, port int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.serving[socket] {
		return
	}
	r.serving[socket] = true
	go func() {
		err := r.web.Serve(socket, node, port)
		r.log.Debug("a listener is not served any more", "interface", node, "port", port, "why", err)
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.serving, socket)
	}()
}

// Again is for who knows that the health of a target changed.
func (r *Requests) Again() { r.web.Changed() }

// Report implements Engine. A draining target is idle once its last request has been
// answered.
func (r *Requests) Report() ([]balancer.TargetReport, []string) {
	r.mu.Lock()
	targets := r.targets
	r.mu.Unlock()
	out := make([]balancer.TargetReport, 0, len(targets))
	for _, w := range targets {
		report := r.health.Of(w.Group.ARN, w.Target.Key)
		report.Idle = w.Target.Draining && r.web.InFlight(w.Target.Key) == 0
		out = append(out, balancer.TargetReport{Target: w.Target.Key, Report: report})
	}
	return out, r.web.Wakes()
}

// Counts implements Engine.
func (r *Requests) Counts(now time.Time) []balancer.Count {
	r.mu.Lock()
	fronts, targets := r.carried, r.targets
	r.mu.Unlock()
	return append(r.web.Counts(now), HostCounts(fronts, targets, r.health, now)...)
}

// Drain implements Engine.
func (r *Requests) Drain(ctx context.Context) { r.web.Drain(ctx) }
