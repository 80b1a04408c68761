package rollout

import (
	"reflect"
	"slices"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// retire deletes the names that others called a service by and that none of its
// deployments has any more. Those of the primary one are as it says: it may be an
// earlier one, to which the service went back.
func retire(tx *store.Tx, s *service.Service) {
	owned := slices.Collect(store.Discoveries.By(tx, store.DiscoveriesByOwner, s.ARN))
	if len(owned) == 0 {
		return
	}
	used, said := map[string]bool{}, map[string]*service.ConnectService{}
	for i := range s.Deployments {
		d := &s.Deployments[i]
		rev, ok := store.ServiceRevisions.Get(tx, d.RevisionARN)
		if !ok || rev.Template.Connects() == "" {
			continue
		}
		for j := range rev.Template.Connect.Services {
			c := &rev.Template.Connect.Services[j]
			used[c.RegistryARN] = true
			if d.Status == service.Primary {
				said[c.RegistryARN] = c
			}
		}
	}
	for _, d := range owned {
		switch c := said[d.ARN]; {
		case !used[d.ARN]:
			forgetName(tx, d)
		case c != nil:
			sayName(tx, d, c)
		}
	}
}

func sayName(tx *store.Tx, d *discovery.Service, c *service.ConnectService) {
	n, ok := store.Namespaces.Get(tx, store.ScopeKey(d.Scope, d.NamespaceID))
	if !ok {
		return
	}
	next := *d
	if next.Connect = c.Called(n.Name, d.Connect.Owner); !reflect.DeepEqual(next.Connect, d.Connect) {
		store.Discoveries.Put(tx, &next)
	}
}

func forgetName(tx *store.Tx, d *discovery.Service) {
	for _, i := range slices.Collect(store.DiscoveryInstances.Prefix(tx, store.DiscoveryInstanceKey(d.Scope, d.ID, ""))) {
		store.DeleteDiscovered(tx, i.Scope, i.ServiceID, i.ID)
	}
	store.Discoveries.Delete(tx, store.ScopeKey(d.Scope, d.ID))
}
