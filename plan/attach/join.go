package attach

import (
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
)

// join registers tasks that have come to run.
func (l *look) join() {
	for t := range store.Tasks.By(l.view, store.TasksByLinks, string(task.Joining)) {
		if !l.more() {
			return
		}
		l.add(t.ARN, "registered", l.joined(t))
	}
}

func (l *look) joined(t *task.Task) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		have, ok := store.Tasks.Get(tx, t.ARN)
		if !ok || have.Stage() != task.Joining {
			return plan.ErrStale
		}
		if p, ok := placeOf(tx, have); ok {
			l.register(tx, &p)
		}
		next := *have
		next.Registered.At = l.now
		next.Version++
		store.Tasks.Put(tx, &next)
		return nil
	}
}

// register makes the targets and instances of a task, and says so.
func (l *look) register(tx *store.Tx, p *place) {
	said := map[service.Membership]bool{} // a Classic balancer has several groups
	for _, t := range p.targets(tx) {
		t.Since = l.now
		store.TargetHealth.Delete(tx, t.Key())
		store.Targets.Put(tx, &t)
		if with := store.MembershipOf(tx, t.GroupARN); !said[with] {
			said[with] = true
			l.say(tx, p.task, func(s *service.Service) string { return s.SayRegistered(1, with) })
		}
	}
	for _, i := range p.instances(tx) {
		i.CreatedAt, i.Unhealthy = l.now, unwell(tx, p.task)
		store.PutDiscovered(tx, &i)
	}
}

// unwell tells whether the health checks of a task's containers fail, or have yet to
// pass.
func unwell(r store.Reader, t *task.Task) bool {
	def, ok := store.TaskDefinitions.Get(r, t.Spec.DefinitionARN)
	return ok && t.Checked(def.Essential) && t.Health(def.Essential) != task.Healthy
}

// nurse tells Cloud Map how the tasks are that it names.
func (l *look) nurse() {
	for t := range store.Tasks.By(l.view, store.TasksByLinks, string(task.Joined)) {
		for i := range store.DiscoveryInstances.By(l.view, store.DiscoveryInstancesByTask, t.ARN) {
			sick := unwell(l.view, t)
			if i.Unhealthy == sick || !l.more() {
				continue
			}
			key := store.DiscoveryInstanceKey(i.Scope, i.ServiceID, i.ID)
			l.add(t.ARN, "health told", func(tx *store.Tx) error {
				have, ok := store.DiscoveryInstances.Get(tx, key)
				if !ok {
					return plan.ErrStale
				}
				next := *have
				next.Unhealthy = sick
				store.PutDiscovered(tx, &next)
				return nil
			})
		}
	}
}
