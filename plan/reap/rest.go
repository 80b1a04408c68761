package reap

import (
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// deregisteredInstances forgets instances that nobody can ask about any more.
func (l *look) deregisteredInstances() {
	for i := range store.Instances.By(l.view, store.InstancesDeregistered, store.Deregistered) {
		if !l.due(i.DeregisteredAt.Add(keepDeregistered)) || !l.more() {
			return
		}
		l.add(i.ARN, "forget the deregistered instance", func(tx *store.Tx) error {
			have, ok := store.Instances.Get(tx, i.ARN)
			if !ok || have.DeregisteredAt.IsZero() {
				return plan.ErrStale
			}
			store.Instances.Delete(tx, i.ARN)
			return nil
		})
	}
}

// definitions deletes the revisions whose deletion was asked for, once no task
// and no daemon uses them.
func (l *look) definitions() {
	for d := range store.TaskDefinitions.By(l.view, store.TaskDefinitionsByStatus, string(workload.DeleteInProgress)) {
		if definitionUsed(l.view, d.ARN) {
			continue // the clock asks again
		}
		if !l.more() {
			return
		}
		l.add(d.ARN, "delete the task definition", func(tx *store.Tx) error {
			have, ok := store.TaskDefinitions.Get(tx, d.ARN)
			if !ok || have.Status != workload.DeleteInProgress || definitionUsed(tx, d.ARN) {
				return plan.ErrStale
			}
			store.TaskDefinitions.Delete(tx, d.ARN)
			return nil
		})
	}
}

func definitionUsed(r store.Reader, arn string) bool {
	return store.Tasks.Has(r, store.TasksByDefinition, arn) || store.DaemonRevisions.Has(r, store.DaemonRevisionsByDefinition, arn)
}

// expired forgets keys and tokens that have ended.
func (l *look) expired() {
	for k := range store.AccessKeys.By(l.view, store.AccessKeysExpiring, store.Expiring) {
		if !l.due(k.ExpiresAt.Add(keepExpired)) || !l.more() {
			break
		}
		l.add(k.ID, "forget the expired key", drop(store.AccessKeys, k.ID))
	}
	for t := range store.JoinTokens.By(l.view, store.JoinTokensExpiring, store.Expiring) {
		if !l.due(t.ExpiresAt.Add(keepExpired)) || !l.more() {
			break
		}
		l.add(t.Hash[:min(8, len(t.Hash))], "forget the expired join token", drop(store.JoinTokens, t.Hash))
	}
	for t := range store.ClientTokens.By(l.view, store.ClientTokensExpiring, store.Expiring) {
		if !l.due(t.ExpiresAt.Add(keepExpired)) || !l.more() {
			break
		}
		key := store.ClientTokenKey(t.Scope, t.Operation, t.Token)
		l.add(key, "forget the expired client token", drop(store.ClientTokens, key))
	}
}

// drop deletes a record that never becomes valid again.
func drop[T any](table *store.Table[T], key string) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		if !table.Delete(tx, key) {
			return plan.ErrStale
		}
		return nil
	}
}
