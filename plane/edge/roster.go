package edge

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/metric"
	"github.com/berthhq/berth/plane/edge/health"
)

// roster is what an engine carries: nodes, and the targets that they lead to.
type roster struct {
	nodes   []Node // balancers' own
	targets []target
	askers  map[string]string // the node that asks a group's targets how they are, by group
}

// target is a target with its group.
type target struct {
	balancer.PoolTarget
	group *balancer.TargetGroup
}

// rosterOf are the nodes of a kind of balancers and what they lead to.
func rosterOf(s *balancer.Snapshot, nodes []Node, kind balancer.Kind) roster {
	r := roster{askers: map[string]string{}}
	for _, n := range nodes {
		if n.Front.Balancer.Kind != kind || n.Link != nil {
			continue
		}
		r.nodes = append(r.nodes, n)
		for g := range groupsOf(n.Front) {
			if r.askers[g] == "" {
				r.askers[g] = n.InterfaceID
			}
		}
	}
	for n := range s.Pools {
		p := &s.Pools[n]
		if r.askers[p.Group.ARN] == "" {
			continue
		}
		for _, t := range p.Targets {
			r.targets = append(r.targets, target{t, &p.Group})
		}
	}
	return r
}

func (r *roster) find(node string) *Node {
	for n := range r.nodes {
		if r.nodes[n].InterfaceID == node {
			return &r.nodes[n]
		}
	}
	return nil
}

// watched are the targets as a checker wants them. A check finds its group's asker when
// it asks: it may have become another node.
func (r *roster) watched(dial func(ctx context.Context, node string, to netip.AddrPort) (net.Conn, error), asker func(group string) string) []health.Target {
	var out []health.Target
	for _, t := range r.targets {
		group := t.group.ARN
		out = append(out, health.Target{
			Group: t.group, Key: t.Key, Address: t.Address, Seen: t.Seen,
			Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) { return dial(ctx, asker(group), to) },
		})
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

// counts are how many targets are healthy, and how many are not, by balancer, group and
// zone.
func (r roster) counts(c *health.Checker, now time.Time) []balancer.Count {
	type place struct{ group, zone string }
	type count struct{ healthy, unhealthy float64 }
	at := map[place]*count{}
	for _, t := range r.targets {
		p := place{t.group.ARN, t.Zone}
		if at[p] == nil {
			at[p] = &count{}
		}
		switch {
		case t.Draining:
		case c.Of(t.Key).State == balancer.Healthy:
			at[p].healthy++
		default:
			at[p].unhealthy++
		}
	}
	var out []balancer.Count
	told := map[string]bool{} // balancers, each once whatever its nodes here
	for _, n := range r.nodes {
		arn, led := n.Front.Balancer.ARN, groupsOf(n.Front)
		if told[arn] {
			continue
		}
		told[arn] = true
		for p, c := range at {
			if led[p.group] {
				for name, value := range map[string]float64{"HealthyHostCount": c.healthy, "UnHealthyHostCount": c.unhealthy} {
					out = append(out, balancer.Count{BalancerARN: arn, GroupARN: p.group, Zone: p.zone, Name: name, Unit: "Count", At: now, Set: metric.One(value)})
				}
			}
		}
	}
	return out
}

// dialFrom connects from a namespace.
func dialFrom(ctx context.Context, s *space.Space, to netip.AddrPort) (c net.Conn, err error) {
	err = s.Do(func() error {
		var d net.Dialer
		c, err = d.DialContext(ctx, "tcp4", to.String())
		return err
	})
	return c, err
}
