package rollout

import (
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// KeptRollouts is how many service deployments of a service are described, the
// newest. AWS keeps those of 90 days.
const KeptRollouts = 200

// Prune forgets the oldest service deployments beyond KeptRollouts, and the
// revisions that nothing names any more.
func Prune(tx *store.Tx, s *service.Service) {
	var all []*service.Rollout
	for r := range store.Rollouts.By(tx, store.RolloutsByService, s.ARN) {
		all = append(all, r)
	}
	if len(all) <= KeptRollouts {
		return
	}
	named := map[string]bool{s.Spec.Revision: true}
	if s.Good != nil {
		named[s.Good.RevisionARN] = true
	}
	for i := range s.Deployments {
		named[s.Deployments[i].RevisionARN] = true
	}
	gone := all[:len(all)-KeptRollouts]
	for _, r := range all[len(gone):] {
		named[r.Target] = true
		for _, source := range r.Sources {
			named[source.RevisionARN] = true
		}
	}
	for _, r := range gone {
		store.Rollouts.Delete(tx, r.ARN)
	}
	for r := range store.ServiceRevisions.By(tx, store.RevisionsByService, s.ARN) {
		if !named[r.ARN] {
			store.ServiceRevisions.Delete(tx, r.ARN)
		}
	}
}

// forget removes a service that has been inactive for long, with all that is its.
func (l *look) forget() plan.Decision {
	due := l.was.EndedAt.Add(l.KeepInactive)
	if due.After(l.now) {
		return plan.Decision{Again: due}
	}
	arn := l.was.ARN
	return plan.Decision{Changes: []plan.Change{{Subject: arn, Says: "forget", Apply: func(tx *store.Tx) error {
		have, ok := store.Services.Get(tx, arn)
		if !ok || have.Version != l.was.Version {
			return plan.ErrStale
		}
		Forget(tx, arn)
		return nil
	}}}}
}

// Forget removes a service and its history.
func Forget(tx *store.Tx, arn string) {
	store.Services.Delete(tx, arn)
	for r := range store.Rollouts.By(tx, store.RolloutsByService, arn) {
		store.Rollouts.Delete(tx, r.ARN)
	}
	for r := range store.ServiceRevisions.By(tx, store.RevisionsByService, arn) {
		store.ServiceRevisions.Delete(tx, r.ARN)
	}
	for t := range store.TaskSets.By(tx, store.TaskSetsByService, arn) {
		store.TaskSets.Delete(tx, t.ARN)
	}
	for e := range store.ServiceEvents.Prefix(tx, store.ServiceEventPrefix(arn)) {
		store.ServiceEvents.Delete(tx, store.ServiceEventKey(arn, e.Sequence))
	}
}
