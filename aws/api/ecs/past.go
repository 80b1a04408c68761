package ecs

import (
	"iter"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// History has the stopped tasks that the store has let go of. A task is in it
// before it leaves the store, so ask it with a view taken before.
type History interface {
	// Task finds one by ARN; nil when there is none, or none any more.
	Task(arn string) (*task.Past, error)
	// List yields those that a query asks for, the last that stopped first. After
	// an error it yields no more.
	List(task.PastQuery) iter.Seq2[task.PastPlace, error]
}

// past finds a task that the store has let go of; nil when there is none.
func (a *API) past(arn string) (*task.Past, error) {
	if a.history == nil {
		return nil, nil
	}
	return a.history.Task(arn)
}

// showPast shows a task as it was while its definition and its instance were there.
func showPast(v *store.View, p *task.Past, include []ecs.TaskField) *ecs.Task {
	out := showTask(v, &p.Task, include)
	out.Containers = showContainers(&p.Task, &p.Definition)
	out.HealthStatus = ecs.HealthStatus(p.Task.Health(p.Definition.Essential))
	out.AvailabilityZone = member.Present(p.Zone)
	if p.Architecture != "" {
		out.Attributes = []ecs.Attribute{{Name: new(attributeArchitecture), Value: &p.Architecture}}
	}
	return out
}

// listStored yields the places of the store's tasks in an index; false when there
// were enough.
func listStored(tasks iter.Seq[*task.Task], index *store.Index[task.Task], yield func(cursor) bool) bool {
	for t := range tasks {
		at := cursor{Key: t.ARN}
		if index.Rank != nil {
			at.Rank = index.Rank(t)
		}
		if !yield(at) {
			return false
		}
	}
	return true
}

// listPast yields the places of the tasks that only the history has. One that left
// the store between two pages may be on both.
func (a *API) listPast(v *store.View, c *cluster.Cluster, q *taskQuery, after cursor, yield func(cursor) bool) error {
	if a.history == nil || q.desired != task.Stopped {
		return nil
	}
	asked := task.PastQuery{
		ClusterARN: c.ARN, Family: q.family, Group: q.group, StartedBy: q.started, InstanceARN: q.instance,
		LaunchType: workload.LaunchType(q.launchType),
	}
	if after.Past {
		asked.After = task.PastPlace{StoppedAt: after.Rank, ARN: after.Key}
	}
	for at, err := range a.history.List(asked) {
		if err != nil {
			return err
		}
		if _, stored := store.Tasks.Get(v, at.ARN); stored {
			continue // listed already: it is being moved
		}
		if !yield(cursor{Rank: at.StoppedAt, Key: at.ARN, Past: true}) {
			return nil
		}
	}
	return nil
}
