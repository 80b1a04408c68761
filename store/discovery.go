package store

import (
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/discovery"
)

// Namespaces of Cloud Map by ScopeKey of their id.
var Namespaces = &Table[discovery.Namespace]{
	ID: namespaces, Noun: "namespace", Schema: 1,
	Primary: func(n *discovery.Namespace) string { return ScopeKey(n.Scope, n.ID) },
	Indexes: []*Index[discovery.Namespace]{NamespacesByName},
}

// NamespacesByName finds namespaces by ScopeKey of their name.
var NamespacesByName = &Index[discovery.Namespace]{
	Key: func(n *discovery.Namespace) string { return ScopeKey(n.Scope, n.Name) },
}

// Discoveries are the services of Cloud Map, by ScopeKey of their id.
var Discoveries = &Table[discovery.Service]{
	ID: discoveries, Noun: "discovery-service", Schema: 1,
	Primary: func(s *discovery.Service) string { return ScopeKey(s.Scope, s.ID) },
	Indexes: []*Index[discovery.Service]{DiscoveriesByNamespace, DiscoveriesByOwner},
}

// DiscoveriesByNamespace finds services by ScopeKey of the id of their namespace.
var DiscoveriesByNamespace = &Index[discovery.Service]{
	Key: func(s *discovery.Service) string { return ScopeKey(s.Scope, s.NamespaceID) },
}

// DiscoveriesByOwner finds the services that Service Connect's clients call by the ARN of
// the ECS service that they are of.
var DiscoveriesByOwner = &Index[discovery.Service]{
	Key: func(s *discovery.Service) string {
		if s.Connect == nil {
			return ""
		}
		return s.Connect.Owner
	},
}

// DiscoveryInstances by DiscoveryInstanceKey.
var DiscoveryInstances = &Table[discovery.Instance]{
	ID: discoveryInstances, Noun: "discovery-instance", Schema: 1,
	Primary: func(i *discovery.Instance) string { return DiscoveryInstanceKey(i.Scope, i.ServiceID, i.ID) },
	Indexes: []*Index[discovery.Instance]{DiscoveryInstancesByTask},
}

// DiscoveryInstanceKey is the primary key of an instance; those of a service share the
// prefix with an empty id.
func DiscoveryInstanceKey(s arn.Scope, service, id string) string {
	return ScopeKey(s, service) + " " + id
}

// DiscoveryInstancesByTask finds the instances of a task by its ARN.
var DiscoveryInstancesByTask = &Index[discovery.Instance]{
	Key: func(i *discovery.Instance) string { return i.TaskARN },
}

// DiscoveryOperations by ScopeKey of their id.
var DiscoveryOperations = &Table[discovery.Operation]{
	ID: discoveryOperations, Noun: "discovery-operation", Schema: 1,
	Primary: func(o *discovery.Operation) string { return ScopeKey(o.Scope, o.ID) },
}

// PutDiscovered puts an instance and notes that those of its service are others now.
func PutDiscovered(tx *Tx, i *discovery.Instance) {
	DiscoveryInstances.Put(tx, i)
	noteDiscovered(tx, i.Scope, i.ServiceID)
}

// DeleteDiscovered deletes an instance likewise; false when there was none.
func DeleteDiscovered(tx *Tx, s arn.Scope, service, id string) bool {
	if !DiscoveryInstances.Delete(tx, DiscoveryInstanceKey(s, service, id)) {
		return false
	}
	noteDiscovered(tx, s, service)
	return true
}

func noteDiscovered(tx *Tx, s arn.Scope, id string) {
	if have, ok := Discoveries.Get(tx, ScopeKey(s, id)); ok {
		next := *have
		next.Revision++
		Discoveries.Put(tx, &next)
	}
}
