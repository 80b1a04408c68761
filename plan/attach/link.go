package attach

import (
	"net/netip"
	"strconv"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// place is where a running task is reached.
type place struct {
	task     *task.Task
	instance *cluster.Instance
	own      *network.Interface // nil where it shares the instance's address
}

func placeOf(r store.Reader, t *task.Task) (place, bool) {
	i, ok := store.Instances.Get(r, t.Assignment.InstanceARN)
	p := place{task: t, instance: i}
	if !ok || t.Assignment.InterfaceID == "" {
		return p, ok
	}
	p.own, ok = store.Interfaces.Get(r, network.Key(t.Scope, t.Assignment.InterfaceID))
	return p, ok
}

func (p *place) zone() string {
	if p.own != nil {
		return p.own.Zone
	}
	return p.instance.Zone
}

// port is where a port of a container is reached from outside.
func (p *place) port(container string, port int) int {
	if p.own != nil {
		return port
	}
	for i := range p.task.Observed.Containers {
		c := &p.task.Observed.Containers[i]
		for _, b := range c.Bindings {
			if c.Name == container && b.ContainerPort == port && b.HostPort != 0 {
				return b.HostPort
			}
		}
	}
	return port // of a container that has the host's network
}

// targets are those that the task is to be of the groups that are there.
func (p *place) targets(r store.Reader) (all []balancer.Target) {
	for i := range p.task.Spec.Links {
		l := &p.task.Spec.Links[i]
		if g, ok := store.TargetGroups.Get(r, l.GroupARN); ok {
			all = append(all, p.target(g, p.port(l.Container, l.Port)))
		}
		if l.Classic == "" {
			continue
		}
		for b := range store.Balancers.By(r, store.BalancersByName, store.ScopeKey(p.task.Scope, l.Classic)) {
			for g := range store.TargetGroups.By(r, store.TargetGroupsByClassic, b.ARN) {
				all = append(all, p.target(g, g.Port))
			}
		}
	}
	return all
}

func (p *place) target(g *balancer.TargetGroup, port int) balancer.Target {
	t := balancer.Target{Scope: g.Scope, GroupARN: g.ARN, ID: p.instance.EC2ID, Port: port, Zone: p.zone(), TaskARN: p.task.ARN}
	if g.TargetType == balancer.TargetIP && p.own != nil {
		t.ID = p.own.PrivateIP.String()
	}
	return t
}

// instances are those that the task is to be of the Cloud Map services that are
// there.
func (p *place) instances(r store.Reader) (all []discovery.Instance) {
	for i := range p.task.Spec.Links {
		l := &p.task.Spec.Links[i]
		s, ok := store.Discoveries.Get(r, store.ScopeKey(p.task.Scope, arn.NameOf(l.RegistryARN)))
		if l.RegistryARN == "" || !ok {
			continue
		}
		all = append(all, discovery.Instance{
			Scope: s.Scope, ServiceID: s.ID, ID: p.task.ID, TaskARN: p.task.ARN, Attributes: p.attributes(l),
		})
	}
	return all
}

// attributes are those that ECS registers tasks with.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html
func (p *place) attributes(l *task.Link) map[string]string {
	t := p.task
	out := map[string]string{
		"AVAILABILITY_ZONE": p.zone(), "REGION": t.Scope.Region, "ECS_CLUSTER_NAME": arn.NameOf(t.Spec.ClusterARN),
		"ECS_SERVICE_NAME": arn.NameOf(service.ARNOf(t)), "ECS_TASK_DEFINITION_FAMILY": store.Family(t),
	}
	if at := p.address(); at.IsValid() {
		out[discovery.InstanceIPv4] = at.String()
	}
	if p.instance.EC2ID != "" {
		out["EC2_INSTANCE_ID"] = p.instance.EC2ID
	}
	switch {
	case l.Door != 0:
		out[discovery.InstancePort] = strconv.Itoa(l.Door)
	case l.Port != 0:
		out[discovery.InstancePort] = strconv.Itoa(p.port(l.Container, l.Port))
	case l.Said != 0:
		out[discovery.InstancePort] = strconv.Itoa(l.Said)
	}
	return out
}

func (p *place) address() netip.Addr {
	if p.own != nil {
		return p.own.PrivateIP
	}
	text, _ := p.instance.Attribute(acs.AttributePrivateIP)
	at, _ := netip.ParseAddr(text)
	return at
}
