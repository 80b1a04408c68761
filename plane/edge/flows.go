package edge

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/metric"
	"github.com/berthhq/berth/plane/edge/flow"
	"github.com/berthhq/berth/plane/edge/health"
)

// Flows is the engine of Network balancers.
type Flows struct {
	checker *health.Checker
	flow    *flow.Flow

	applying sync.Mutex
	last     func() // applies what was last to be applied

	mu      sync.Mutex
	carried roster
}

// NewFlows makes one.
func NewFlows(log *slog.Logger) *Flows {
	f := &Flows{checker: &health.Checker{}}
	f.checker.Changed = f.again
	f.flow = &flow.Flow{Log: log, Usable: func(_, target string) bool { return f.checker.Of(target).State == balancer.Healthy }}
	return f
}

var _ Engine = (*Flows)(nil)

// Apply implements Engine.
func (f *Flows) Apply(s *balancer.Snapshot, nodes []Node, doors *Doors) {
	mine := rosterOf(s, nodes, balancer.Network)
	var all []flow.Node
	for _, n := range nodes {
		if n.Front.Balancer.Kind == balancer.Network {
			x := flow.Node{Front: n.Front, Node: n.Node, Space: n.Space}
			if n.Link != nil {
				x.Endpoint = n.Link.EndpointID
			}
			all = append(all, x)
		}
	}
	f.mu.Lock()
	f.carried = mine
	f.mu.Unlock()
	f.applying.Lock()
	defer f.applying.Unlock()
	f.checker.Watch(mine.watched(f.dial, f.asker))
	f.last = func() {
		f.flow.Apply(s, all, func(n *flow.Node, port int) (net.Listener, error) {
			return doors.Open(n.Space, n.InterfaceID, n.Address.String(), port)
		})
	}
	f.last()
}

// again has connections go by the health of targets as it is now. It does not wait.
func (f *Flows) again() {
	go func() {
		f.applying.Lock()
		defer f.applying.Unlock()
		if f.last != nil {
			f.last()
		}
	}()
}

func (f *Flows) dial(ctx context.Context, node string, to netip.AddrPort) (net.Conn, error) {
	f.mu.Lock()
	n := f.carried.find(node)
	f.mu.Unlock()
	if n == nil {
		return nil, fmt.Errorf("node %s is not carried here any more", node)
	}
	return dialFrom(ctx, n.Space, to)
}

func (f *Flows) asker(group string) string { return f.now().askers[group] }

func (f *Flows) now() roster {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.carried
}

// Report implements Engine. A draining target is idle once no connection to it is open.
func (f *Flows) Report() ([]balancer.TargetReport, []string) {
	var out []balancer.TargetReport
	var open map[netip.AddrPort]int
	for _, t := range f.now().targets {
		r := f.checker.Of(t.Key)
		if t.Draining {
			if open == nil {
				open = f.flow.Connections()
			}
			r.Idle = open[t.Address] == 0
		}
		out = append(out, balancer.TargetReport{Target: t.Key, Report: r})
	}
	return out, nil
}

// Counts implements Engine.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html
func (f *Flows) Counts(now time.Time) []balancer.Count {
	var out []balancer.Count
	for _, m := range f.flow.Measure() {
		add := func(name, unit string, value float64) {
			out = append(out, balancer.Count{
				BalancerARN: m.Node.Front.Balancer.ARN, Zone: m.Node.Zone, Name: name, Unit: unit, At: now, Set: metric.One(value),
			})
		}
		add("NewFlowCount", "Count", float64(m.New))
		add("ActiveFlowCount", "Count", float64(m.Open))
		add("ProcessedBytes", "Bytes", float64(m.Bytes))
		if m.TLS > 0 {
			add("NewFlowCount_TLS", "Count", float64(m.TLS))
		}
	}
	return append(out, f.now().counts(f.checker, now)...)
}

// Drain implements Engine.
func (f *Flows) Drain(ctx context.Context) {
	f.applying.Lock()
	defer f.applying.Unlock()
	f.last = nil
	f.checker.Close()
	f.flow.Drain(ctx)
}
