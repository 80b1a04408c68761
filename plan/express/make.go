package express

import (
	"slices"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
	"github.com/berthhq/berth/store/route"
)

// Names of what is made begin as AWS's do.
const (
	balancerPrefix = "ecs-express-gateway-alb-"
	groupPrefix    = "ecs-gateway-tg-"
)

// sslPolicy is that of the listeners.
const sslPolicy = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"

// Maker makes ways in.
type Maker struct {
	// Balance finishes a balancer in the subnets, and stores it with its nodes.
	Balance func(tx *store.Tx, b *balancer.Balancer, subnets []*network.Subnet, now time.Time) error
	NewID   func() string // 32 hex digits
}

// Wish is what a way in is for.
type Wish struct {
	Scope           arn.Scope
	Cluster, Name   string // of the service
	Subnets         []string
	Port            int // of the container
	HealthCheckPath string
	Certificate     *balancer.Certificate // for the one name of the service
}

// making is one way in on its way.
type making struct {
	*Maker
	*Wish
	tx  *store.Tx
	now time.Time
	vpc string
	out service.Ingress
}

// Make makes the way in. The service's own record is the caller's to put.
func (m *Maker) Make(tx *store.Tx, w *Wish, now time.Time) (*service.Ingress, error) {
	at := &making{Maker: m, Wish: w, tx: tx, now: now, out: service.Ingress{Host: w.Certificate.Domain, CertificateARN: w.Certificate.ARN}}
	subnets, err := at.subnets()
	if err != nil {
		return nil, err
	}
	if err := at.front(subnets); err != nil {
		return nil, err
	}
	for n := range at.out.GroupARNs {
		if at.out.GroupARNs[n], err = at.targetGroup(); err != nil {
			return nil, err
		}
	}
	at.rule()
	at.out.ServiceGroup = at.securityGroup(w.Cluster+"-"+w.Name+"-"+at.vpc, admits(w.Port, at.out.BalancerGroup))
	return &at.out, nil
}

// subnets are those of the balancer's nodes, one of a zone. Where all lead to the world
// the balancer does, too.
func (m *making) subnets() (all []*network.Subnet, err error) {
	m.out.Public = true
	for _, id := range m.Subnets {
		s, ok := store.Subnets.Get(m.tx, network.Key(m.Scope, id))
		if !ok {
			return nil, fault.New(fault.SubnetNotFound, "The subnet ID '%s' does not exist", id)
		}
		exit, _ := route.Exit(m.tx, s)
		m.out.Public = m.out.Public && exit == network.ExitIGW
		if !slices.ContainsFunc(all, func(have *network.Subnet) bool { return have.Zone == s.Zone }) {
			all = append(all, s)
		}
	}
	m.vpc = all[0].VPCID
	return all, nil
}

// front finds or makes the balancer and its listener, and has it serve the certificate.
func (m *making) front(subnets []*network.Subnet) error {
	l, ok := m.shared(subnets)
	if !ok {
		b, err := m.balancer(subnets)
		if err != nil {
			return err
		}
		l = m.listener(b)
	}
	m.out.ListenerARN = l.ARN
	next := *l
	next.Certificates = append(slices.Clone(l.Certificates), m.Certificate.ARN)
	next.Version++
	store.Listeners.Put(m.tx, &next)
	return nil
}

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

// admits is the rule of the tasks' security group that lets the balancer in.
func admits(port int, balancerGroup string) network.Rule {
	return network.Rule{ID: lease.NewID("sgr"), Protocol: "tcp", FromPort: port, ToPort: port, Group: balancerGroup}
}

// Admit has the tasks' security group of a way in admit the balancer at the ports, and
// at no others. What else it admits stays.
func Admit(tx *store.Tx, scope arn.Scope, in *service.Ingress, ports []int) {
	have, ok := store.SecurityGroups.Get(tx, network.Key(scope, in.ServiceGroup))
	if !ok {
		return
	}
	next := *have
	next.Ingress = nil
	for _, r := range have.Ingress {
		switch {
		case r.Group != in.BalancerGroup:
		case r.FromPort != r.ToPort || !slices.Contains(ports, r.FromPort):
			continue
		default:
			ports = slices.DeleteFunc(slices.Clone(ports), func(p int) bool { return p == r.FromPort })
		}
		next.Ingress = append(next.Ingress, r)
	}
	for _, p := range ports {
		next.Ingress = append(next.Ingress, admits(p, in.BalancerGroup))
	}
	store.SecurityGroups.Put(tx, &next)
}

// maxGroupName is how long the name of a security group may be.
const maxGroupName = 255

// securityGroup makes a group whose members may call everybody, and be called as the
// rule says. It gives its id.
func (m *making) securityGroup(name string, open network.Rule) string {
	id := lease.NewID("sg")
	for g := range store.SecurityGroups.By(m.tx, store.SecurityGroupsByVPC, network.Key(m.Scope, m.vpc)) {
		if g.Name == name {
			name += "-" + m.id() // that of a service before, which its last task still holds
			break
		}
	}
	store.SecurityGroups.Put(m.tx, &network.SecurityGroup{
		Scope: m.Scope, ID: id, VPCID: m.vpc, Name: name[max(0, len(name)-maxGroupName):], Description: "Managed by Amazon ECS for Express gateway services",
		Ingress: []network.Rule{open}, Egress: []network.Rule{network.OpenRule(lease.NewID("sgr"))}, Tags: Tags(),
	})
	return id
}

// id is 16 hex digits.
func (m *making) id() string { return m.NewID()[:16] }
