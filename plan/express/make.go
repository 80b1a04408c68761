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
	"github.com/berthhq/berth/store/route"
)

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

// id is 16 hex digits.
func (m *making) id() string { return m.NewID()[:16] }
