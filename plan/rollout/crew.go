package rollout

import (
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// crew is the tasks of one deployment.
type crew struct {
	id         string // of the deployment
	deployment *service.Deployment
	definition *workload.Definition // nil when it is gone
	tally      service.Tally        // of those that may stay
	leaving    service.Tally        // of those on instances that are being drained
	members    []member
	providers  map[string]int // live tasks by capacity provider
	waiting    time.Time      // since when the longest waiting task has no place; zero without
	proven     time.Time      // start of the newest healthy task; zero without
}

// member is a live task.
type member struct {
	task      *task.Task
	condition condition
	ail       *ailment // of an unhealthy one that a target group finds so
	leaving   bool
	zone      string
	instance  string // ARN; empty while it has none
}

// condition is what a live task is worth, in the order in which tasks are stopped.
type condition int

const (
	unhealthy condition = iota
	pending
	unproven
	healthy
)

// gather sorts the tasks of the service by deployment and takes note of those that
// ended. Tasks of deployments that are gone are stopped.
func (l *look) gather() {
	byID := map[string]*crew{}
	for i := range l.next.Deployments {
		d := &l.next.Deployments[i]
		c := l.newCrew(d)
		l.crews, byID[d.ID] = append(l.crews, c), c
	}
	for i := range l.sets {
		c := l.newCrew(&l.sets[i].next.Deployment)
		l.crews, byID[c.id] = append(l.crews, c), c
	}
	var ended []*task.Task
	for t := range store.Tasks.By(l.view, store.TasksOfService, store.InCluster(l.was.ClusterARN, service.Group(l.was.Name))) {
		c := byID[t.Spec.StartedBy]
		switch {
		case t.Noted: // ended, and its place is being given back
		case t.LastStatus() >= task.Deprovisioning:
			l.noted = append(l.noted, t.ARN)
			if c != nil {
				ended = append(ended, t)
			}
		case t.DesiredStatus() == task.Stopped:
		case c == nil:
			l.stops = append(l.stops, stop{arn: t.ARN, reason: service.ReasonScaling(t.Spec.StartedBy)})
		default:
			l.add(c, t)
		}
	}
	for _, t := range ended {
		l.count(byID[t.Spec.StartedBy], t)
	}
}

func (l *look) newCrew(d *service.Deployment) *crew {
	c := &crew{id: d.ID, deployment: d, providers: map[string]int{}}
	if r, ok := store.ServiceRevisions.Get(l.view, d.RevisionARN); ok {
		c.definition, _ = store.TaskDefinitions.Get(l.view, r.Template.DefinitionARN)
	}
	return c
}

func (l *look) add(c *crew, t *task.Task) {
	m := member{task: t}
	m.condition, m.ail = l.condition(c, t)
	if t.Assignment != nil {
		m.instance = t.Assignment.InstanceARN
		if i, ok := store.Instances.Get(l.view, m.instance); ok {
			m.zone, m.leaving = i.Zone, i.Status == cluster.Draining
		}
	} else if c.waiting.IsZero() || t.CreatedAt.Before(c.waiting) {
		c.waiting = t.CreatedAt
	}
	to := &c.tally
	if m.leaving {
		to = &c.leaving
	}
	switch m.condition {
	case unhealthy:
		to.Unhealthy++
	case pending:
		to.Pending++
	case unproven:
		to.Unproven++
	case healthy:
		to.Healthy++
		if t.Observed.StartedAt.After(c.proven) {
			c.proven = t.Observed.StartedAt
		}
	}
	if p := t.Spec.CapacityProvider; p != "" {
		c.providers[p]++
	}
	c.members = append(c.members, m)
}

// condition of a live task. One with health checks counts once they pass, those of
// its target groups included; one without, once it has run for a while.
func (l *look) condition(c *crew, t *task.Task) (condition, *ailment) {
	if t.LastStatus() != task.Running {
		return pending, nil
	}
	own := l.fitness(c, t)
	at, ail := l.reached(t)
	if at == unhealthy {
		at = l.graced(t)
	}
	if at != unhealthy || own == unhealthy {
		ail = nil
	}
	return min(own, at), ail
}

// fitness is what the containers of a running task say of it.
func (l *look) fitness(c *crew, t *task.Task) condition {
	switch t.Health(c.definition.Essential) {
	case task.Healthy:
		return healthy
	case task.Unhealthy:
		return l.graced(t)
	}
	if c.definition.Checked() {
		return unproven
	}
	if linked(t) {
		return healthy
	}
	if proof := t.Observed.StartedAt.Add(l.proof()); l.now.Before(proof) {
		l.wait(proof)
		return unproven
	}
	return healthy
}

func value(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}
