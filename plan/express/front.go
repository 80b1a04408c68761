package express

import (
	"slices"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
)

// Names of what is made begin as AWS's do.
const (
	balancerPrefix = "ecs-express-gateway-alb-"
	groupPrefix    = "ecs-gateway-tg-"
)

// sslPolicy is that of the listeners.
const sslPolicy = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"

// shared finds the listener of a balancer with the same nodes that has room.
func (m *making) shared(subnets []*network.Subnet) (*balancer.Listener, bool) {
	used := map[string]int{}
	var ways []*service.Ingress
	for s := range store.Services.By(m.tx, store.ServicesExpress, store.Express) {
		if s.Scope == m.Scope {
			in := s.Spec.Template.Express.Ingress
			used[in.BalancerARN]++
			ways = append(ways, in)
		}
	}
	for _, in := range ways {
		b, ok := store.Balancers.Get(m.tx, in.BalancerARN)
		l, serves := store.Listeners.Get(m.tx, in.ListenerARN)
		if ok && serves && in.Public == m.out.Public && used[b.ARN] < maxShare && stands(b, subnets) {
			m.out.BalancerARN, m.out.BalancerGroup = b.ARN, in.BalancerGroup
			return l, true
		}
	}
	return nil, false
}

// stands tells whether a balancer's nodes are in the subnets, and in no others.
func stands(b *balancer.Balancer, subnets []*network.Subnet) bool {
	return len(b.Zones) == len(subnets) && !slices.ContainsFunc(subnets, func(s *network.Subnet) bool {
		return !slices.ContainsFunc(b.Zones, func(z balancer.Zone) bool { return z.SubnetID == s.ID })
	})
}

func (m *making) balancer(subnets []*network.Subnet) (*balancer.Balancer, error) {
	id := m.id()
	open := network.World
	b := &balancer.Balancer{
		Scope: m.Scope, Name: balancerPrefix + id[:8], Kind: balancer.Application, Scheme: balancer.InternetFacing, AddressType: "ipv4",
		Tags: Tags(), CreatedAt: m.now, Version: 1,
	}
	if !m.out.Public {
		b.Scheme = balancer.Internal
		if vpc, ok := store.VPCs.Get(m.tx, network.Key(m.Scope, m.vpc)); ok {
			open = vpc.CIDR.String()
		}
	}
	m.out.BalancerGroup = m.securityGroup(balancerPrefix+"sg-"+id, network.Rule{
		ID: lease.NewID("sgr"), Protocol: "tcp", FromPort: port, ToPort: port, CIDR: open,
	})
	b.SecurityGroups = []string{m.out.BalancerGroup}
	b.ARN = balancer.ARNOf(m.Scope, b.Kind, b.Name, id)
	b.DNSName, b.HostedZoneID = balancer.DNSNameOf(b, id), balancer.HostedZoneID(b.Kind, m.Scope.Region)
	m.out.BalancerARN = b.ARN
	return b, m.Balance(m.tx, b, subnets, m.now)
}

// port is what listeners listen on.
const port = 443

// listener answers those who ask for no service.
func (m *making) listener(b *balancer.Balancer) *balancer.Listener {
	return &balancer.Listener{
		Scope: m.Scope, ARN: balancer.ChildARN(b.ARN, "listener", m.id()), BalancerARN: b.ARN, Port: port, Protocol: "HTTPS", SSLPolicy: sslPolicy,
		Default: []balancer.Action{{Type: balancer.FixedResponse, Order: 1, Fixed: &balancer.FixedAction{Status: 404, ContentType: "text/plain"}}},
		Tags:    Tags(), CreatedAt: m.now,
	}
}

func (m *making) targetGroup() (string, error) {
	id := m.NewID()
	name := groupPrefix + id[:17]
	g := &balancer.TargetGroup{
		Scope: m.Scope, Name: name, ARN: balancer.GroupARN(m.Scope, name, m.id()), Protocol: "HTTP", ProtocolVersion: "HTTP1", Port: m.Port,
		VPCID: m.vpc, TargetType: balancer.TargetIP, AddressType: "ipv4", Tags: Tags(), CreatedAt: m.now, Version: 1,
	}
	g.HealthCheck = balancer.DefaultHealthCheck(g, "HTTP")
	g.HealthCheck.Path = m.HealthCheckPath
	if err := balancer.CheckGroup(g); err != nil {
		return "", err
	}
	store.TargetGroups.Put(m.tx, g)
	return g.ARN, nil
}

// rule leads those who ask for the service's name to it.
func (m *making) rule() {
	priority, taken := 1, map[int]bool{}
	for r := range store.ListenerRules.By(m.tx, store.RulesByListener, m.out.ListenerARN) {
		taken[r.Priority] = true
	}
	for taken[priority] {
		priority++
	}
	m.out.RuleARN = balancer.ChildARN(m.out.ListenerARN, "listener-rule", m.id())
	store.ListenerRules.Put(m.tx, &balancer.Rule{
		Scope: m.Scope, ARN: m.out.RuleARN, ListenerARN: m.out.ListenerARN, Priority: priority,
		Conditions: []balancer.Condition{{Field: balancer.HostHeader, Values: []string{m.out.Host}}},
		Actions: []balancer.Action{{Type: balancer.Forward, Order: 1, Forward: &balancer.ForwardAction{
			Groups: []balancer.Weighted{{GroupARN: m.out.GroupARNs[0], Weight: 100}, {GroupARN: m.out.GroupARNs[1]}},
		}}},
		Tags: Tags(), CreatedAt: m.now, Version: 1,
	})
}
