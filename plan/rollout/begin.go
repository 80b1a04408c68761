package rollout

import (
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// Begin makes a revision of what the service asks for now, and moves it there: the
// caller puts the service, which is its copy. newID gives 32 random hex digits. A
// rollout under way is ended.
func Begin(tx *store.Tx, s *service.Service, newID func() string, now time.Time) {
	cluster := arn.NameOf(s.ClusterARN)
	r := &service.Revision{
		Scope: s.Scope, ARN: s.Scope.ServiceRevision(cluster, s.Name, arn.Number(newID())), ServiceARN: s.ARN, ClusterARN: s.ClusterARN,
		Template: s.Spec.Template, CreatedAt: now,
	}
	store.ServiceRevisions.Put(tx, r)
	if have, ok := store.Rollouts.Get(tx, s.Rollout); ok && !have.Status.Over() {
		ended := *have
		ended.Supersede(now)
		store.Rollouts.Put(tx, &ended)
	}
	key := s.Scope.ServiceDeployment(cluster, s.Name, newID()[:21])
	store.Rollouts.Put(tx, s.Begin(r, service.IDPrefix+arn.Number(newID()), key, now))
	Prune(tx, s)
}
