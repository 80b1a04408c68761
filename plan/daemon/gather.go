package daemon

import (
	"slices"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/daemon"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan/assignment"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// survey finds the instances that are to have a task: the active ones of the
// providers that can run it.
func (l *look) survey() {
	l.instances = nil
	if l.revision == nil || l.definition == nil || l.next.Status == daemon.Deleting {
		return
	}
	want := assignment.Request(l.newTask(""), l.definition)
	for i := range store.Instances.By(l.view, store.InstancesByCluster, l.was.ClusterARN) {
		if i.Status != cluster.InstanceActive || !i.OffersEC2 || !slices.Contains(l.revision.Spec.Providers, i.CapacityProvider) {
			continue
		}
		if meets, err := placement.Meets(l.view, i, want); err == nil && meets {
			l.instances = append(l.instances, i)
		}
	}
	slices.SortFunc(l.instances, func(a, b *cluster.Instance) int { return a.RegisteredAt.Compare(b.RegisteredAt) })
}

func (l *look) wanted(instance string) bool {
	return slices.ContainsFunc(l.instances, func(i *cluster.Instance) bool { return i.ARN == instance })
}

// gather sorts the tasks by instance, stops those that are not to be, and takes
// note of those that ended.
func (l *look) gather() {
	clear(l.fresh)
	clear(l.old)
	clear(l.ending)
	l.live, l.stops, l.noted = 0, nil, nil
	for t := range store.Tasks.By(l.view, store.TasksOfDaemon, store.InCluster(l.was.ClusterARN, daemon.Group(l.was.Name))) {
		switch {
		case t.LastStatus() == task.Stopped:
			l.noted = append(l.noted, t.ARN)
			l.count(t)
			continue
		case t.Assignment == nil: // none is made without a place
		case t.DesiredStatus() == task.Stopped:
			l.ending[t.Assignment.InstanceARN] = true
		default:
			l.add(t)
		}
		l.live++
	}
}

// add takes in a live task, or stops it.
func (l *look) add(t *task.Task) {
	at := t.Assignment.InstanceARN
	side := l.old
	if t.Spec.StartedBy == daemon.StartedBy(l.next.Revision) {
		side = l.fresh
	}
	switch m := l.member(t); {
	case !l.wanted(at):
		l.stray(t)
	case t.Health(l.definition.Essential) == task.Unhealthy:
		l.stopTask(t, service.ReasonUnhealthy)
	case l.fresh[at] != nil || l.old[at] != nil:
		l.stopTask(t, l.reason())
	default:
		side[at] = m
	}
}

// stray is a task on an instance that is not to have one. On one that is being
// drained it stays until it is alone with other daemons.
func (l *look) stray(t *task.Task) {
	i, ok := store.Instances.Get(l.view, t.Assignment.InstanceARN)
	if ok && i.Status == cluster.Draining && l.next.Status == daemon.Active && l.needed(i) {
		return
	}
	l.stopTask(t, l.reason())
}

// needed tells whether tasks other than daemons' are still on an instance.
func (l *look) needed(i *cluster.Instance) bool {
	for t := range store.Tasks.By(l.view, store.TasksByInstance, i.ARN) {
		if t.LastStatus() != task.Stopped && !daemon.Owns(t.Spec.Group) {
			return true
		}
	}
	return false
}

func (l *look) member(t *task.Task) *member {
	m := &member{task: t}
	if t.LastStatus() != task.Running {
		return m
	}
	switch t.Health(l.definition.Essential) {
	case task.Healthy:
		m.healthy = true
	case task.UnknownHealth:
		proof := t.Observed.StartedAt.Add(l.Proof)
		if m.healthy = !l.definition.Checked() && !l.now.Before(proof); !m.healthy && !l.definition.Checked() {
			l.wait(proof)
		}
	}
	if m.healthy && t.Observed.StartedAt.After(l.proven) && t.Spec.StartedBy == daemon.StartedBy(l.next.Revision) {
		l.proven = t.Observed.StartedAt
	}
	return m
}

// count takes note of a task that failed: the deployment's breaker hears of those
// of the revision it brings up.
func (l *look) count(t *task.Task) {
	failed := t.StopCode() == task.StopTaskFailedToStart || t.StopCode() == task.StopEssentialContainerExited ||
		t.StoppedReason() == service.ReasonUnhealthy
	if !failed || t.Spec.StartedBy != daemon.StartedBy(l.next.Revision) {
		return
	}
	if l.underway() {
		l.deployment.Failures++
	}
	l.next.FailedAt = l.now
	if !l.next.RetryAt.After(l.now) { // once for all that fail together
		l.next.Pause = min(max(firstPause, 2*l.next.Pause), maxPause)
		l.next.RetryAt = l.now.Add(l.next.Pause)
	}
}

func (l *look) stopTask(t *task.Task, reason string) {
	l.stops = append(l.stops, stop{t.ARN, reason})
	l.ending[t.Assignment.InstanceARN] = true
}

// reason of tasks that the daemon does not need.
func (l *look) reason() string { return service.ReasonScaling(arn.NameOf(l.next.Deployment)) }
