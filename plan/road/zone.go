package road

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// balancerTTL is the time to live of balancers' and endpoints' names in seconds.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html
const balancerTTL = 60

// ZoneOf is what the tasks of a VPC, given by its network.Key, may ask for; with an
// empty key what everybody on a host may. Equal stores give equal zones.
func ZoneOf(r store.Reader, vpcKey string) *discovery.Zone {
	z := zone{Reader: r, vpc: vpcKey, names: map[string]*discovery.Name{}}
	for b := range store.Balancers.All(r) {
		z.balancer(b)
	}
	for s := range store.Services.By(r, store.ServicesExpress, store.Express) {
		z.express(s.Spec.Template.Express.Ingress)
	}
	for e := range store.Endpoints.All(r) {
		z.endpoint(e)
	}
	for n := range store.Namespaces.All(r) {
		z.namespace(n)
	}
	return z.made()
}

// HasNames tells whether a change of a record can change a zone.
func HasNames(record any) bool {
	switch r := record.(type) {
	case *network.Interface:
		return r != nil && r.Kind != network.ForTask
	case *service.Service:
		return r != nil && r.Spec.Template.Express != nil
	case *balancer.Balancer, *network.Endpoint, *network.EndpointService, *discovery.Namespace, *discovery.Service, *discovery.Instance:
		return true
	}
	return false
}

// zone is one in the making.
type zone struct {
	store.Reader
	vpc    string // network.Key; empty for the host's
	names  map[string]*discovery.Name
	closed []discovery.Domain
}

func (z *zone) made() *discovery.Zone {
	out := &discovery.Zone{VPCID: z.vpc[strings.LastIndexByte(z.vpc, '/')+1:]}
	for _, name := range slices.Sorted(maps.Keys(z.names)) {
		out.Names = append(out.Names, *z.names[name])
	}
	slices.SortFunc(z.closed, func(a, b discovery.Domain) int { return cmp.Compare(a.Name, b.Name) })
	out.Closed = z.closed
	return out
}

// balancer names a balancer's nodes: in its own VPC by their addresses there,
// elsewhere by the public ones of those that have some.
func (z *zone) balancer(b *balancer.Balancer) {
	n := discovery.Name{Name: strings.ToLower(b.DNSName), TTL: balancerTTL, Generated: true}
	outside := b.Scheme == balancer.InternetFacing && network.Key(b.Scope, b.VPCID) != z.vpc
	for _, at := range b.Zones {
		i, ok := store.Interfaces.Get(z, network.Key(b.Scope, at.InterfaceID))
		switch {
		case !ok || !served(i):
		case outside && i.PublicIP.IsValid():
			n.Addresses = append(n.Addresses, i.PublicIP)
		default:
			n.Addresses = append(n.Addresses, i.PrivateIP)
		}
	}
	z.put(n)
}

// express names the way in to an Express gateway service as its balancer is named.
func (z *zone) express(in *service.Ingress) {
	if b, ok := store.Balancers.Get(z, in.BalancerARN); ok {
		z.put(discovery.Name{Name: in.Host, TTL: balancerTTL, Generated: true, Addresses: slices.Clone(z.addresses(strings.ToLower(b.DNSName)))})
	}
}

// served tells whether a host carries an interface, so that somebody answers there.
func served(i *network.Interface) bool { return i.InstanceARN != "" && i.ReleasedAt.IsZero() }

// endpoint names an endpoint in its VPC.
func (z *zone) endpoint(e *network.Endpoint) {
	if network.Key(e.Scope, e.VPCID) != z.vpc || !strings.EqualFold(e.State, "available") {
		return
	}
	var addresses []netip.Addr
	for _, id := range e.InterfaceIDs {
		if i, ok := store.Interfaces.Get(z, network.Key(e.Scope, id)); ok && served(i) {
			addresses = append(addresses, i.PrivateIP)
		}
	}
	for _, name := range e.DNSNames {
		z.put(discovery.Name{Name: strings.ToLower(name), TTL: balancerTTL, Addresses: addresses})
	}
	if !e.PrivateDNS {
		return
	}
	for s := range store.EndpointServices.By(z, store.EndpointServicesByName, e.ServiceName) {
		z.put(discovery.Name{Name: strings.ToLower(s.PrivateDNSName), TTL: balancerTTL, Addresses: addresses})
	}
}

// namespace names the services of a namespace that the zone has: of private ones those
// of its VPC.
func (z *zone) namespace(n *discovery.Namespace) {
	switch {
	case n.Kind == discovery.HTTP, n.Kind == discovery.DNSPrivate && network.Key(n.Scope, n.VPCID) != z.vpc:
		return
	case n.Kind == discovery.DNSPrivate:
		z.closed = append(z.closed, discovery.Domain{Name: strings.ToLower(strings.TrimSuffix(n.Name, ".")), TTL: uint32(n.TTL)})
	}
	for s := range store.Discoveries.By(z, store.DiscoveriesByNamespace, store.ScopeKey(n.Scope, n.ID)) {
		instances := slices.Collect(store.DiscoveryInstances.Prefix(z, store.DiscoveryInstanceKey(s.Scope, s.ID, "")))
		for _, name := range s.Names(n, instances, z.addresses) {
			z.put(name)
		}
	}
}

// addresses are those of a balancer by its name, with or without "dualstack.".
func (z *zone) addresses(name string) []netip.Addr {
	if have := z.names[strings.TrimPrefix(name, "dualstack.")]; have != nil {
		return have.Addresses
	}
	return nil
}

// put adds a name that answers something; what is there of it is kept.
func (z *zone) put(n discovery.Name) {
	if n.Name == "" || len(n.Addresses) == 0 && len(n.Services) == 0 && n.Alias == "" {
		return
	}
	slices.SortFunc(n.Addresses, netip.Addr.Compare)
	have := z.names[n.Name]
	if have == nil {
		z.names[n.Name] = &n
		return
	}
	have.Addresses = slices.Compact(slices.SortedFunc(slices.Values(append(have.Addresses, n.Addresses...)), netip.Addr.Compare))
	have.Services = append(have.Services, n.Services...)
}
