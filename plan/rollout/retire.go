package rollout

import (
	"slices"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// retire deletes the names that others called a service by and that none of its
// deployments has any more.
func retire(tx *store.Tx, s *service.Service) {
	used := map[string]bool{}
	for i := range s.Deployments {
		rev, ok := store.ServiceRevisions.Get(tx, s.Deployments[i].RevisionARN)
		if !ok || rev.Template.Connects() == "" {
			continue
		}
		for _, c := range rev.Template.Connect.Services {
			used[c.RegistryARN] = true
		}
	}
	owned := slices.Collect(store.Discoveries.By(tx, store.DiscoveriesByOwner, s.ARN))
	for _, d := range slices.DeleteFunc(owned, func(d *discovery.Service) bool { return used[d.ARN] }) {
		for _, i := range slices.Collect(store.DiscoveryInstances.Prefix(tx, store.DiscoveryInstanceKey(d.Scope, d.ID, ""))) {
			store.DeleteDiscovered(tx, i.Scope, i.ServiceID, i.ID)
		}
		store.Discoveries.Delete(tx, store.ScopeKey(d.Scope, d.ID))
	}
}
