package history

import (
	"context"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// moveAtOnce is how many tasks leave the store in one transaction.
const moveAtOnce = 100

// move writes some tasks down and then deletes them from the store. more tells
// that others wait.
func (h *History) move(ctx context.Context) (more bool, err error) {
	v := h.Store.View()
	due := h.due(v)
	if len(due) == 0 {
		return false, nil
	}
	if err := h.write(v, due); err != nil {
		return false, err
	}
	gone := 0
	_, err = h.Store.Update(ctx, func(tx *store.Tx) error {
		gone = 0
		for _, t := range due {
			if forget(tx, t) {
				gone++
			}
		}
		return nil
	})
	// Of those that changed meanwhile the next look writes the newer state.
	return len(due) == moveAtOnce && gone > 0, err
}

// due are the tasks that leave the store next: those that stopped long ago, and
// the oldest where there are too many.
func (h *History) due(v *store.View) []*task.Task {
	var out []*task.Task
	excess, before := countStopped(v)-h.MaxInStore, h.Now().Add(-InStore)
	for t := range store.Tasks.By(v, store.TasksByPhase, store.Ended) {
		if excess <= 0 && store.StoppedAt(t).After(before) || len(out) == moveAtOnce {
			break
		}
		excess--
		if settled(t) {
			out = append(out, t)
		}
	}
	return out
}

// countStopped counts the stopped tasks of the store.
func countStopped(v *store.View) int {
	n := 0
	for range store.Tasks.By(v, store.TasksByPhase, store.Ended) {
		n++
	}
	return n
}

// settled tells whether nothing of the task is still held.
func settled(t *task.Task) bool {
	for i := range t.Attachments {
		if t.Attachments[i].Status != task.AttachmentDeleted {
			return false
		}
	}
	return true
}

// forget deletes a task that is still as it was written down, with its keys.
func forget(tx *store.Tx, written *task.Task) bool {
	if have, ok := store.Tasks.Get(tx, written.ARN); !ok || have != written {
		return false
	}
	for k := range store.AccessKeys.By(tx, store.AccessKeysByTask, written.ARN) {
		store.AccessKeys.Delete(tx, k.ID)
	}
	return store.Tasks.Delete(tx, written.ARN)
}

// past gathers what a task shows, from where DescribeTasks looks while the store
// has it.
func past(v *store.View, t *task.Task) *task.Past {
	p := &task.Past{Task: *t, StoppedAt: store.StoppedAt(t)}
	p.Definition.ARN = t.Spec.DefinitionARN
	if def, ok := store.TaskDefinitions.Get(v, t.Spec.DefinitionARN); ok {
		p.Definition = task.Remembered(def)
	}
	if t.Assignment == nil {
		return p
	}
	if i, ok := store.Instances.Get(v, t.Assignment.InstanceARN); ok {
		p.Zone = i.Zone
		p.Architecture, _ = i.Attribute("ecs.cpu-architecture")
	}
	for i := range t.Attachments {
		if zone := zoneOf(v, t, &t.Attachments[i]); zone != "" {
			p.Zone = zone
		}
	}
	return p
}

// zoneOf is the zone of an interface's subnet; empty when it has none.
func zoneOf(v *store.View, t *task.Task, a *task.Attachment) string {
	for _, d := range a.Details {
		if d.Name != "subnetId" {
			continue
		}
		if s, ok := store.Subnets.Get(v, network.Key(t.Scope, d.Value)); ok {
			return s.Zone
		}
	}
	return ""
}
