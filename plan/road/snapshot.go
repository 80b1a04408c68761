package road

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// SnapshotOf is what the edge of an instance must know. Secrets in it are sealed as
// they are in the store. Equal states give equal snapshots, Revision and the targets'
// Seen aside.
func SnapshotOf(v *store.View, instanceARN string) *balancer.Snapshot {
	s := &snapshot{view: v, edge: instanceARN, nodes: map[string][]balancer.Node{}, groups: map[string]bool{}, certificates: map[string]bool{}, trust: map[string]bool{}}
	endpoints := map[string][]balancer.Node{}
	for i := range store.Interfaces.By(v, store.InterfacesByInstance, instanceARN) {
		switch {
		case !i.ReleasedAt.IsZero():
		case i.Kind == network.ForBalancer:
			s.nodes[i.Owner] = append(s.nodes[i.Owner], nodeOf(i))
		case i.Kind == network.ForEndpoint:
			key := network.Key(i.Scope, i.Owner)
			endpoints[key] = append(endpoints[key], nodeOf(i))
		}
	}
	s.out.Revision = int64(v.Revision())
	s.fronts()
	s.links(endpoints)
	s.pools()
	s.secrets()
	return &s.out
}

// snapshot is one in the making.
type snapshot struct {
	view                        *store.View
	edge                        string
	nodes                       map[string][]balancer.Node // by balancer
	groups, certificates, trust map[string]bool            // that something leads to
	out                         balancer.Snapshot
}

func nodeOf(i *network.Interface) balancer.Node {
	return balancer.Node{InterfaceID: i.ID, Zone: i.Zone, Address: i.PrivateIP, Public: i.PublicIP}
}

func (s *snapshot) fronts() {
	for _, arn := range slices.Sorted(maps.Keys(s.nodes)) {
		b, ok := store.Balancers.Get(s.view, arn)
		if !ok {
			continue
		}
		f := balancer.Front{Balancer: *b, Nodes: byInterface(s.nodes[arn])}
		for l := range store.Listeners.By(s.view, store.ListenersByBalancer, arn) {
			f.Listeners = append(f.Listeners, s.listener(l))
		}
		s.out.Fronts = append(s.out.Fronts, f)
	}
}

func byInterface(nodes []balancer.Node) []balancer.Node {
	slices.SortFunc(nodes, func(a, b balancer.Node) int { return cmp.Compare(a.InterfaceID, b.InterfaceID) })
	return nodes
}

func (s *snapshot) listener(l *balancer.Listener) balancer.FrontListener {
	out := balancer.FrontListener{Listener: *l}
	s.leadsTo(l.Default)
	for _, c := range l.Certificates {
		s.certificates[c] = true
	}
	if m := l.MutualAuth; m != nil && m.TrustStoreARN != "" {
		s.trust[m.TrustStoreARN] = true
	}
	for r := range store.ListenerRules.By(s.view, store.RulesByListener, l.ARN) {
		out.Rules = append(out.Rules, *r)
		s.leadsTo(r.Actions)
	}
	return out
}

func (s *snapshot) leadsTo(actions []balancer.Action) {
	for _, group := range balancer.GroupsOf(actions) {
		s.groups[group] = true
	}
}

// links are the endpoints here whose service's balancer has a node here, too:
// plan/node sees to it that it has.
func (s *snapshot) links(endpoints map[string][]balancer.Node) {
	for _, key := range slices.Sorted(maps.Keys(endpoints)) {
		e, ok := store.Endpoints.Get(s.view, key)
		if !ok || !strings.EqualFold(e.State, network.EndpointAvailable) {
			continue
		}
		for service := range store.EndpointServices.By(s.view, store.EndpointServicesByName, e.ServiceName) {
			for _, arn := range slices.Sorted(slices.Values(service.Balancers)) {
				if len(s.nodes[arn]) > 0 {
					s.out.Links = append(s.out.Links, balancer.Link{EndpointID: e.ID, BalancerARN: arn, Nodes: byInterface(endpoints[key])})
				}
			}
		}
	}
}

func (s *snapshot) pools() {
	for _, arn := range slices.Sorted(maps.Keys(s.groups)) {
		if g, ok := store.TargetGroups.Get(s.view, arn); ok {
			s.out.Pools = append(s.out.Pools, balancer.Pool{Group: *g, Targets: s.targets(g), Wake: s.sleeps(g)})
		}
	}
}

// targets are those of a group that can be reached, in order of registration.
func (s *snapshot) targets(g *balancer.TargetGroup) []balancer.PoolTarget {
	var out []balancer.PoolTarget
	for t := range store.Targets.Prefix(s.view, g.ARN+" ") {
		place, ok := PlaceOf(s.view, g, t)
		if !ok {
			continue
		}
		out = append(out, balancer.PoolTarget{
			Key: t.Key(), ID: t.ID, Address: place.At, Zone: place.Zone, Since: t.Since,
			Draining: !t.DrainingSince.IsZero(), Seen: s.seen(t.Key()),
		})
	}
	slices.SortStableFunc(out, func(a, b balancer.PoolTarget) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// seen is what this edge reported last, else what another did.
func (s *snapshot) seen(target string) balancer.State {
	h, ok := store.TargetHealth.Get(s.view, target)
	if !ok {
		return balancer.Initial
	}
	if r, ok := h.Reports[s.edge]; ok {
		return r.State
	}
	for _, edge := range slices.Sorted(maps.Keys(h.Reports)) {
		return h.Reports[edge].State
	}
	return balancer.Initial
}

func (s *snapshot) secrets() {
	for _, arn := range slices.Sorted(maps.Keys(s.certificates)) {
		if c, ok := store.Certificates.Get(s.view, arn); ok {
			s.out.Certificates = append(s.out.Certificates, *c)
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(s.trust)) {
		if t, ok := store.TrustStores.Get(s.view, arn); ok {
			s.out.TrustStores = append(s.out.TrustStores, *t)
		}
	}
}

// sleeps tells whether a service that was scaled to nothing stands behind the group.
func (s *snapshot) sleeps(g *balancer.TargetGroup) bool {
	return store.Services.Has(s.view, store.ServicesAsleep, g.ARN)
}
