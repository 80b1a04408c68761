package why

import (
	"fmt"
	"slices"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/plan/road"
	"github.com/berthhq/berth/store"
)

// maxTargets is how many targets of a group are shown, those that get no requests first.
const maxTargets = 10

// Balancer explains a load balancer, by its ARN or its DNS name: who carries it, who is
// let in, and how the targets are that it leads to.
func (q *Inquiry) Balancer(scope arn.Scope, target string) (*Node, error) {
	for b := range store.Balancers.All(q.View) {
		if b.Scope == scope && (b.ARN == target || b.DNSName == target) {
			return q.balancer(b), nil
		}
	}
	return nil, fault.New(fault.LoadBalancerNotFound, "Load balancers '[%s]' not found", target).
		WithHint("give the ARN or the DNS name of a load balancer, the id or ARN of a task, or the name or ARN of a service")
}

func (q *Inquiry) balancer(b *balancer.Balancer) *Node {
	n := &Node{Subject: b.ARN, Says: fmt.Sprintf("Load balancer %s (%s) has a node in each of %d zones.", b.Name, b.Kind, len(b.Zones)), Since: b.CreatedAt}
	for i := range b.Zones {
		n.add(q.zone(b, &b.Zones[i]))
	}
	if b.Kind == balancer.Classic {
		n.Hint = "Classic load balancers are of the previous generation: an Application or a Network one does more"
	}
	groups := map[string]bool{}
	for l := range store.Listeners.By(q.View, store.ListenersByBalancer, b.ARN) {
		n.add(q.listener(b, l))
		led := balancer.GroupsOf(l.Default)
		for r := range store.ListenerRules.By(q.View, store.RulesByListener, l.ARN) {
			led = append(led, balancer.GroupsOf(r.Actions)...)
		}
		for _, group := range led {
			if g, ok := store.TargetGroups.Get(q.View, group); ok && !groups[group] {
				groups[group] = true
				n.add(q.group(g))
			}
		}
	}
	if !store.Listeners.Has(q.View, store.ListenersByBalancer, b.ARN) {
		n.Says = fmt.Sprintf("Load balancer %s (%s) has no listener, so nobody can connect to it.", b.Name, b.Kind)
		n.Hint = "make one with aws elbv2 create-listener"
	}
	return n
}

// zone is a node that nobody carries, or whose machine is away; nil for one that works.
func (q *Inquiry) zone(b *balancer.Balancer, z *balancer.Zone) *Node {
	i, ok := q.nodeIn(b, z)
	if !ok || i.InstanceARN == "" {
		return &Node{Subject: z.InterfaceID, State: "PENDING", Says: fmt.Sprintf("Its node in %s has no machine yet.", z.Name), Hint: noEdge}
	}
	host, ok := store.Instances.Get(q.View, i.InstanceARN)
	if ok && host.Connected {
		return q.trouble(b, z, i.InstanceARN)
	}
	return &Node{
		Subject: z.InterfaceID, State: "DISCONNECTED",
		Says: fmt.Sprintf("Its node in %s is on instance %s, whose agent is away; no other machine can carry it.", z.Name, name(i.InstanceARN)),
		Hint: "start the agent of that machine again, or another with --edge",
	}
}

// trouble is why the edge of a machine does not carry a node; nil when it does.
func (q *Inquiry) trouble(b *balancer.Balancer, z *balancer.Zone, instance string) *Node {
	t, ok := store.Troubles.Get(q.View, b.ARN)
	if !ok || t.Reasons[instance] == "" {
		return nil
	}
	return &Node{
		Subject: z.InterfaceID, State: "FAILED", Says: fmt.Sprintf("Its node in %s is not carried by instance %s: %s.", z.Name, name(instance), t.Reasons[instance]),
		Hint: "berth doctor tells what that machine lacks",
	}
}

func (q *Inquiry) listener(b *balancer.Balancer, l *balancer.Listener) *Node {
	n := &Node{Subject: l.ARN, State: l.Protocol, Says: fmt.Sprintf("Listener %d is open.", l.Port)}
	for z := range b.Zones {
		i, ok := q.nodeIn(b, &b.Zones[z])
		if ok && l.Protocol != "UDP" && !road.AdmitsAnyone(q.View, i, l.Port) {
			n.Says = fmt.Sprintf("Listener %d can be reached by nobody: no security group of the load balancer has a rule for it.", l.Port)
			n.Hint = fmt.Sprintf("aws ec2 authorize-security-group-ingress --group-id %s --protocol tcp --port %d --cidr RANGE", i.SecurityGroups[0], l.Port)
			break
		}
	}
	return n
}

func (q *Inquiry) group(g *balancer.TargetGroup) *Node {
	n := &Node{Subject: g.ARN}
	var all, healthy int
	var others []*Node
	for t := range store.Targets.Prefix(q.View, g.ARN+" ") {
		all++
		one := q.target(g, t)
		if one.State == string(balancer.Healthy) {
			healthy++
			continue
		}
		others = append(others, one)
	}
	n.Says = fmt.Sprintf("Target group %s has %d targets, %d of them healthy.", g.Name, all, healthy)
	switch {
	case all == 0:
		n.Says = fmt.Sprintf("Target group %s has no targets, so requests for it end with 503.", g.Name)
		n.Hint = "register some with aws elbv2 register-targets, or have a service register its tasks"
	case healthy == 0 && !slices.ContainsFunc(others, func(n *Node) bool { return n.State != string(balancer.Unhealthy) }):
		n.Says = fmt.Sprintf("Target group %s has %d targets and none is healthy, so requests go to all of them.", g.Name, all)
	}
	n.add(others[:min(maxTargets, len(others))]...)
	return n
}
