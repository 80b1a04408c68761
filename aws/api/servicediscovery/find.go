package servicediscovery

import (
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/store"
)

// idIn is the id that an id or an ARN of a resource of the kind names: empty for an
// ARN of another account or region.
func idIn(scope arn.Scope, ref, kind string) string {
	if !arn.IsARN(ref) {
		return ref
	}
	id, ok := strings.CutPrefix(ref, discovery.ARN(scope, kind, ""))
	if !ok {
		return ""
	}
	return id
}

func findNamespace(r store.Reader, scope arn.Scope, ref string) (*discovery.Namespace, error) {
	n, ok := store.Namespaces.Get(r, store.ScopeKey(scope, idIn(scope, ref, discovery.KindNamespace)))
	if !ok {
		return nil, namespaceNotFound(ref)
	}
	return n, nil
}

func findService(r store.Reader, scope arn.Scope, ref string) (*discovery.Service, error) {
	s, ok := store.Discoveries.Get(r, store.ScopeKey(scope, idIn(scope, ref, discovery.KindService)))
	if !ok {
		return nil, serviceNotFound(ref)
	}
	return s, nil
}

func findInstance(r store.Reader, s *discovery.Service, id string) (*discovery.Instance, error) {
	i, ok := store.DiscoveryInstances.Get(r, store.DiscoveryInstanceKey(s.Scope, s.ID, id))
	if !ok {
		return nil, instanceNotFound(id)
	}
	return i, nil
}

// servicesOf are the services of a namespace.
func servicesOf(r store.Reader, n *discovery.Namespace) (list []*discovery.Service) {
	for s := range store.Discoveries.By(r, store.DiscoveriesByNamespace, store.ScopeKey(n.Scope, n.ID)) {
		list = append(list, s)
	}
	return list
}

// instancesOf are the instances of a service, in order of their ids.
func instancesOf(r store.Reader, s *discovery.Service) (list []*discovery.Instance) {
	for i := range store.DiscoveryInstances.Prefix(r, store.DiscoveryInstanceKey(s.Scope, s.ID, "")) {
		list = append(list, i)
	}
	return list
}

// named finds a service by the names of its namespace and its own. Of private
// namespaces of one name the oldest that has the service counts.
func named(r store.Reader, scope arn.Scope, namespace, service string) (*discovery.Namespace, *discovery.Service, error) {
	known := false
	for n := range store.Namespaces.By(r, store.NamespacesByName, store.ScopeKey(scope, namespace)) {
		known = true
		for _, s := range servicesOf(r, n) {
			if n.Same(s.Name, service) {
				return n, s, nil
			}
		}
	}
	if !known {
		return nil, nil, namespaceNotFound(namespace)
	}
	return nil, nil, serviceNotFound(service)
}
