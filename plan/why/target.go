package why

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/plan/road"
	"github.com/berthhq/berth/store"
)

// targets are what load balancers say of the running task, but for those that find
// it healthy.
func (a *about) targets() (all []*Node) {
	for t := range store.Targets.By(a.View, store.TargetsByTask, a.task.ARN) {
		g, ok := store.TargetGroups.Get(a.View, t.GroupARN)
		if !ok {
			continue
		}
		if n := a.target(g, t); n.State != string(balancer.Healthy) {
			all = append(all, n)
		}
	}
	return all
}

// target explains one registration.
func (q *Inquiry) target(g *balancer.TargetGroup, t *balancer.Target) *Node {
	r := road.HealthOf(q.View, g, t)
	n := &Node{
		Subject: g.ARN, State: string(r.State), Since: r.At,
		Says: fmt.Sprintf("Target group %s sends to %s.", g.Name, netip.AddrPortFrom(addressOf(t), uint16(t.Port))),
	}
	if !addressOf(t).IsValid() {
		n.Says = fmt.Sprintf("Target group %s sends to %s, port %d.", g.Name, name(t.ID), t.Port)
	}
	if r.Detail == "" {
		return n
	}
	n.Says = fmt.Sprintf("%s: %s (%s).", n.Says[:len(n.Says)-1], r.Detail, r.Reason)
	n.Hint = q.targetHint(g, t, r.Reason)
	return n
}

// addressOf is a target's address; invalid of those that are instances or balancers.
func addressOf(t *balancer.Target) netip.Addr {
	at, _ := netip.ParseAddr(t.ID)
	return at
}

func (q *Inquiry) targetHint(g *balancer.TargetGroup, t *balancer.Target, reason string) string {
	port := checkPort(g, t)
	switch reason {
	case balancer.ReasonUnused:
		return "make a listener or a rule that leads to the target group, of a balancer with a subnet in the target's zone"
	case balancer.ReasonMismatch:
		return fmt.Sprintf("the health check asks for %s and wants %s: correct its path or its matcher, or the program", g.HealthCheck.Path, g.HealthCheck.Matcher)
	case balancer.ReasonTimeout, balancer.ReasonFailed:
		if closed := q.closed(g, t, port); closed != "" {
			return closed
		}
		return fmt.Sprintf("see that the program listens on all addresses, not on 127.0.0.1, at port %d, and answers within %ds", port, g.HealthCheck.Timeout)
	case balancer.ReasonChecking, balancer.ReasonRegistering:
		return q.uncarried(g)
	}
	return ""
}

// checkPort is the port that health checks ask.
func checkPort(g *balancer.TargetGroup, t *balancer.Target) int {
	if port, err := strconv.Atoi(g.HealthCheck.Port); err == nil {
		return port
	}
	return t.Port
}

// closed says which security group keeps a balancer out of a target; empty when none
// does, or the target is not an interface of the VPC.
func (q *Inquiry) closed(g *balancer.TargetGroup, t *balancer.Target, port int) string {
	for i := range store.Interfaces.By(q.View, store.InterfacesByAddress, store.AddressKey(g.Scope, g.VPCID, addressOf(t))) {
		if !i.ReleasedAt.IsZero() || len(i.SecurityGroups) == 0 {
			continue
		}
		for _, arn := range store.BalancersLeadingTo(q.View, g.ARN) {
			b, ok := store.Balancers.Get(q.View, arn)
			if ok && !q.admits(i, b, port) {
				return fmt.Sprintf("let the load balancer in: aws ec2 authorize-security-group-ingress --group-id %s --protocol tcp --port %d %s", i.SecurityGroups[0], port, q.sourceOf(b))
			}
		}
	}
	return ""
}

// sourceOf names the balancer in a rule of a security group.
func (q *Inquiry) sourceOf(b *balancer.Balancer) string {
	if len(b.SecurityGroups) > 0 {
		return "--source-group " + b.SecurityGroups[0]
	}
	if v, ok := store.VPCs.Get(q.View, network.Key(b.Scope, b.VPCID)); ok {
		return "--cidr " + v.CIDR.String()
	}
	return "--cidr RANGE"
}

// admits tells whether the nodes of a balancer may reach a port of an interface.
func (q *Inquiry) admits(i *network.Interface, b *balancer.Balancer, port int) bool {
	for n := range b.Zones {
		if node, ok := q.nodeIn(b, &b.Zones[n]); ok && !road.Admits(q.View, i, node, port) {
			return false
		}
	}
	return true
}

// uncarried says what to do about a balancer that no machine carries; empty when each
// of those that lead to a group is carried.
func (q *Inquiry) uncarried(g *balancer.TargetGroup) string {
	for _, arn := range store.BalancersLeadingTo(q.View, g.ARN) {
		if b, ok := store.Balancers.Get(q.View, arn); ok && !q.carried(b) {
			return noEdge
		}
	}
	return ""
}

// noEdge is the hint for nodes without a machine.
const noEdge = "have a machine carry load balancers: its agent runs with --edge and is connected"

// carried tells whether a machine has a node of a balancer.
func (q *Inquiry) carried(b *balancer.Balancer) bool {
	for n := range b.Zones {
		if i, ok := q.nodeIn(b, &b.Zones[n]); ok && i.InstanceARN != "" {
			return true
		}
	}
	return false
}

// nodeIn is the interface of a balancer's node in a zone.
func (q *Inquiry) nodeIn(b *balancer.Balancer, z *balancer.Zone) (*network.Interface, bool) {
	return store.Interfaces.Get(q.View, network.Key(b.Scope, z.InterfaceID))
}
