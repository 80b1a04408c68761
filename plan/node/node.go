// Package node decides which host carries each load balancer node and interface
// endpoint: one that runs an edge and is connected, of the interface's zone where there
// is one, spread evenly. When a host is gone or silent for some seconds its nodes go
// elsewhere; the host gives up the address as soon as it hears of it. With no other
// host they stay.
package node

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// Options of the planner.
type Options struct {
	// Patience is how long a silent host keeps its nodes; 0 for ten seconds, in which
	// agents come back after a restart of the server.
	Patience time.Duration
}

const defaultPatience = 10 * time.Second

// Planner makes the planner.
func Planner(o Options) plan.Planner {
	o.Patience = cmp.Or(o.Patience, defaultPatience)
	return plan.Planner{
		Name:  "node",
		Wakes: []store.Descriptor{store.Interfaces, store.Instances, store.Endpoints, store.EndpointServices},
		Look: func(v *store.View, now time.Time) plan.Decision {
			l := &look{Options: o, view: v, now: now, edges: map[string]*edge{}}
			l.findEdges()
			l.place(network.ForBalancer)
			l.place(network.ForEndpoint)
			l.forget()
			return l.out
		},
	}
}

type look struct {
	Options
	view  *store.View
	now   time.Time
	edges map[string]*edge // those that work, by instance ARN
	out   plan.Decision
}

// edge is a host that can carry nodes.
type edge struct {
	instance *cluster.Instance
	carries  int
	owners   map[string]int // how many interfaces of each owner it carries
}

func (e *edge) take(owner string) {
	e.carries++
	e.owners[owner]++
}

func (l *look) findEdges() {
	for i := range store.Instances.All(l.view) {
		if runs, _ := i.Attribute(acs.AttributeEdge); runs == "true" && i.Joined && l.works(i) {
			l.edges[i.ARN] = &edge{instance: i, owners: map[string]int{}}
		}
	}
}

// works tells whether a host keeps what it carries.
func (l *look) works(i *cluster.Instance) bool {
	if !i.DeregisteredAt.IsZero() || i.Status == cluster.InstanceInactive || i.Status == cluster.Deregistering {
		return false
	}
	if i.Connected {
		return true
	}
	until := i.DisconnectedAt.Add(l.Patience)
	if i.DisconnectedAt.IsZero() || !until.After(l.now) {
		return false
	}
	l.out.Again = plan.Earliest(l.out.Again, until)
	return true
}

// place gives every interface of a kind a host.
func (l *look) place(kind network.InterfaceKind) {
	var homeless []*network.Interface
	for i := range store.Interfaces.By(l.view, store.InterfacesByKind, string(kind)) {
		if e := l.edges[i.InstanceARN]; e != nil && l.belongs(e, i) {
			e.take(i.Owner)
			continue
		}
		homeless = append(homeless, i)
	}
	for _, i := range homeless {
		to := l.choose(i)
		switch {
		case to == nil && i.InstanceARN == "":
			l.out.Troubles = append(l.out.Troubles, plan.Trouble{Subject: i.ID, Reason: "No connected host runs an edge, so that nothing answers at " + i.PrivateIP.String() + "."})
		case to != nil && to.instance.ARN != i.InstanceARN:
			l.move(i, to)
		}
		if to != nil {
			to.take(i.Owner)
		}
	}
}

// belongs tells whether an interface may stay where it is: an endpoint only beside a
// node of the balancer it leads to, if there is such a place.
func (l *look) belongs(e *edge, i *network.Interface) bool {
	if i.Kind != network.ForEndpoint {
		return true
	}
	balancers := l.behind(i)
	return e.serves(balancers) || !slices.ContainsFunc(slices.Collect(maps.Values(l.edges)), func(o *edge) bool { return o.serves(balancers) })
}

func (e *edge) serves(balancers []string) bool {
	return slices.ContainsFunc(balancers, func(b string) bool { return e.owners[b] > 0 })
}

// behind are the balancers of the service that an endpoint's interface leads to.
func (l *look) behind(i *network.Interface) []string {
	e, ok := store.Endpoints.Get(l.view, network.Key(i.Scope, i.Owner))
	if i.Kind != network.ForEndpoint || !ok {
		return nil
	}
	for s := range store.EndpointServices.By(l.view, store.EndpointServicesByName, e.ServiceName) {
		return s.Balancers
	}
	return nil
}

// choose finds the best host; nil for none. A host that is there already is as good
// as any that is not connected.
func (l *look) choose(i *network.Interface) *edge {
	balancers := l.behind(i)
	var best *edge
	for _, arn := range slices.Sorted(maps.Keys(l.edges)) {
		e := l.edges[arn]
		if !e.instance.Connected || e.instance.Status != cluster.InstanceActive {
			continue
		}
		if best == nil || slices.Compare(e.cost(i, balancers), best.cost(i, balancers)) < 0 {
			best = e
		}
	}
	return best
}

// cost of a host for an interface, what counts most first.
func (e *edge) cost(i *network.Interface, balancers []string) []int {
	yes := map[bool]int{true: 1}
	return []int{
		yes[len(balancers) > 0 && !e.serves(balancers)], yes[e.instance.Zone != i.Zone], e.owners[i.Owner], e.carries,
	}
}

func (l *look) move(i *network.Interface, to *edge) {
	key, from, at := network.Key(i.Scope, i.ID), i.InstanceARN, to.instance.ARN
	l.out.Changes = append(l.out.Changes, plan.Change{Subject: i.ID, Says: "carried by " + at, Apply: func(tx *store.Tx) error {
		have, ok := store.Interfaces.Get(tx, key)
		if !ok || !have.ReleasedAt.IsZero() || have.InstanceARN != from {
			return plan.ErrStale
		}
		next := *have
		next.InstanceARN = at
		store.Interfaces.Put(tx, &next)
		return nil
	}})
}
