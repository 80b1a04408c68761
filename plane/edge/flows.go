package edge

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/metric"
	"github.com/berthhq/berth/plane/edge/flow"
	"github.com/berthhq/berth/plane/edge/probe"
	"github.com/berthhq/berth/plane/edge/ssl"
)

// Health finds out how targets are.
type Health interface {
	// Watch makes it watch exactly these targets.
	Watch(targets []probe.Watched)
	// Of is what is known of one; its state is Initial at first.
	Of(group, target string) balancer.Report
}

// Flows is the engine of Network balancers, and of the TCP and SSL of Classic ones.
type Flows struct {
	health Health
	flow   *flow.Flow

	applying sync.Mutex
	last     func() // applies what was last to be applied

	conns   map[netip.AddrPort]int // by target, when they were counted last
	connsAt time.Time

	mu      sync.Mutex
	targets []probe.Watched
	carried []*balancer.Front
	nodes   map[string]Node // the balancers' own, by interface
}

// NewFlows makes one; its targets' health is by health, of which it is the only user.
// The lines of access logs go to the journal; nil for nowhere.
func NewFlows(health Health, j *Journal, log *slog.Logger) *Flows {
	f := &Flows{health: health}
	f.flow = &flow.Flow{Log: log, Usable: func(group, target string) bool { return health.Of(group, target).State == balancer.Healthy }}
	if j != nil {
		f.flow.Over = func(o *flow.Over) { f.write(j, o) }
		f.flow.Access = func(b *balancer.Balancer, address, line string) {
			j.Write(balancer.AccessLog, b, address, []byte(line))
		}
	}
	return f
}

// write tells the access log of a Classic balancer of a connection that is over.
func (f *Flows) write(j *Journal, o *flow.Over) {
	f.mu.Lock()
	n, ok := f.nodes[o.Node]
	f.mu.Unlock()
	if b := &n.Front.Balancer; ok && b.Kind == balancer.Classic && b.Enabled(balancer.AccessLogs) {
		j.Write(balancer.AccessLog, b, n.Address.String(), []byte(entryOf(b, o).String()))
	}
}

func entryOf(b *balancer.Balancer, o *flow.Over) *balancer.ClassicEntry {
	e := &balancer.ClassicEntry{
		At: o.Began, Name: b.Name, Client: o.Client.String(), Dispatched: o.Target.IsValid(), Times: [3]time.Duration{o.Connected, o.Dialing},
		Status: "-", BackendStatus: "-", Received: o.Received, Sent: o.Sent, Request: "- - - ", Agent: "-", Cipher: "-", Version: "-",
	}
	if e.Dispatched {
		e.Backend = o.Target.String()
	}
	if o.TLS != nil {
		e.Cipher, e.Version = ssl.SuiteName(o.TLS.CipherSuite), ssl.VersionName(o.TLS.Version)
	}
	return e
}

var _ Engine = (*Flows)(nil)

// Apply implements Engine.
func (f *Flows) Apply(s *balancer.Snapshot, nodes []Node, doors *Doors) {
	var mine []flow.Node
	var own []Node
	for _, n := range layer(nodes, "TCP", "SSL") {
		if n.Front.Balancer.Kind == balancer.Application {
			continue
		}
		x := flow.Node{Front: n.Front, Node: n.Node, Space: n.Space}
		if n.Link != nil {
			x.Endpoint = n.Link.EndpointID
		} else {
			own = append(own, n)
		}
		mine = append(mine, x)
	}
	targets := watched(s, own)
	f.mu.Lock()
	f.targets, f.carried, f.nodes = targets, frontsOf(own), map[string]Node{}
	for _, n := range own {
		f.nodes[n.InterfaceID] = n
	}
	f.mu.Unlock()
	f.applying.Lock()
	defer f.applying.Unlock()
	f.health.Watch(targets)
	f.last = func() {
		f.flow.Apply(s, mine, func(n *flow.Node, port int) (net.Listener, error) {
			return doors.Open(n.Space, n.InterfaceID, n.Address.String(), port)
		})
	}
	f.last()
}

// Again is for who knows that the health of a target changed: connections go by it at
// once. It does not wait.
func (f *Flows) Again() {
	go func() {
		f.applying.Lock()
		defer f.applying.Unlock()
		if f.last != nil {
			f.last()
		}
	}()
}

// watched are the targets that nodes lead to, each asked by the first of them.
func watched(s *balancer.Snapshot, nodes []Node) []probe.Watched {
	groups := map[string]*Node{}
	for n := range nodes {
		for g := range groupsOf(nodes[n].Front) {
			if groups[g] == nil {
				groups[g] = &nodes[n]
			}
		}
	}
	var out []probe.Watched
	for n := range s.Pools {
		p := &s.Pools[n]
		by := groups[p.Group.ARN]
		if by == nil {
			continue
		}
		for _, t := range p.Targets {
			out = append(out, probe.Watched{Group: &p.Group, Target: t, Space: by.Space, From: by.Address})
		}
	}
	return out
}

// groupsOf are the target groups that a balancer leads to.
func groupsOf(f *balancer.Front) map[string]bool {
	all := map[string]bool{}
	for _, l := range f.Listeners {
		led := balancer.GroupsOf(l.Listener.Default)
		for _, r := range l.Rules {
			led = append(led, balancer.GroupsOf(r.Actions)...)
		}
		for _, g := range led {
			all[g] = true
		}
	}
	return all
}

// frontsOf are the balancers of nodes, each once.
func frontsOf(nodes []Node) []*balancer.Front {
	var all []*balancer.Front
	for _, n := range nodes {
		if !slices.Contains(all, n.Front) {
			all = append(all, n.Front)
		}
	}
	return all
}

func (f *Flows) current() []probe.Watched {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.targets
}

func (f *Flows) fronts() []*balancer.Front {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.carried
}

// Report implements Engine. A draining target is idle once no connection to it is open.
func (f *Flows) Report() ([]balancer.TargetReport, []string) {
	var out []balancer.TargetReport
	var open map[netip.AddrPort]int
	for _, w := range f.current() {
		r := f.health.Of(w.Group.ARN, w.Target.Key)
		if w.Target.Draining {
			if open == nil {
				open = f.open(time.Now())
			}
			r.Idle = open[w.Target.Address] == 0
		}
		out = append(out, balancer.TargetReport{Target: w.Target.Key, Report: r})
	}
	return out, nil
}

// counted is how old a count of connections may be: the kernel's list of them may be
// long.
const counted = time.Second

// open counts connections by target. Only Report calls it.
func (f *Flows) open(now time.Time) map[netip.AddrPort]int {
	if f.conns == nil || now.Sub(f.connsAt) >= counted {
		f.conns, f.connsAt = f.flow.Connections(), now
	}
	return f.conns
}

// Counts implements Engine.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html
func (f *Flows) Counts(now time.Time) []balancer.Count {
	var out []balancer.Count
	for _, m := range f.flow.Measure() {
		measured := func(name, unit string, set metric.Set) {
			if set.Count > 0 {
				out = append(out, balancer.Count{BalancerARN: m.Node.Front.Balancer.ARN, Zone: m.Node.Zone, Name: name, Unit: unit, At: now, Set: set})
			}
		}
		add := func(name, unit string, value float64) { measured(name, unit, metric.One(value)) }
		add("NewFlowCount", "Count", float64(m.New))
		add("ActiveFlowCount", "Count", float64(m.Open))
		add("ProcessedBytes", "Bytes", float64(m.Bytes))
		if m.TLS > 0 {
			add("NewFlowCount_TLS", "Count", float64(m.TLS))
		}
		if m.Node.Front.Balancer.Kind == balancer.Classic {
			add("TargetConnectionErrorCount", "Count", float64(m.Refused))
			measured("TargetResponseTime", "Seconds", m.Dialing)
		}
	}
	return append(out, HostCounts(f.fronts(), f.current(), f.health, now)...)
}

// Drain implements Engine.
func (f *Flows) Drain(ctx context.Context) {
	f.applying.Lock()
	defer f.applying.Unlock()
	f.last = nil
	f.mu.Lock()
	f.targets = nil
	f.mu.Unlock()
	f.health.Watch(nil)
	f.flow.Drain(ctx)
}

// HostCounts are how many targets are healthy, and how many are not, by balancer,
// group and zone.
func HostCounts(fronts []*balancer.Front, targets []probe.Watched, health Health, now time.Time) []balancer.Count {
	type place struct{ group, zone string }
	healthy, unhealthy := map[place]int{}, map[place]int{}
	var places []place
	for _, w := range targets {
		at := place{w.Group.ARN, w.Target.Zone}
		if _, seen := healthy[at]; !seen {
			healthy[at], places = 0, append(places, at)
		}
		switch {
		case w.Target.Draining:
		case health.Of(w.Group.ARN, w.Target.Key).State == balancer.Healthy:
			healthy[at]++
		default:
			unhealthy[at]++
		}
	}
	var out []balancer.Count
	for _, f := range fronts {
		led := groupsOf(f)
		for _, at := range places {
			if led[at.group] {
				for name, n := range map[string]int{"HealthyHostCount": healthy[at], "UnHealthyHostCount": unhealthy[at]} {
					out = append(out, balancer.Count{
						BalancerARN: f.Balancer.ARN, GroupARN: at.group, Zone: at.zone, Name: name, Unit: "Count", At: now, Set: metric.One(float64(n)),
					})
				}
			}
		}
	}
	return out
}
