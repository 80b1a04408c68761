package ecs

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/daemon"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

func (a *API) describeTasks(_ context.Context, call *gateway.Call, in *ecs.DescribeTasksRequest) (*ecs.DescribeTasksResponse, error) {
	switch n := len(in.Tasks); {
	case n == 0:
		return nil, invalid("Tasks cannot be empty.")
	case n > maxBatch:
		return nil, invalid("taskIds can have at most %d items.", maxBatch)
	}
	v := a.store.View()
	c, err := findCluster(v, call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	out := &ecs.DescribeTasksResponse{Tasks: []ecs.Task{}, Failures: []ecs.Failure{}}
	for _, ref := range in.Tasks {
		key, err := identify(c, "task", ref)
		if err != nil {
			return nil, err
		}
		if t, ok := store.Tasks.Get(v, key); ok {
			out.Tasks = append(out.Tasks, *showTask(v, t, in.Include))
			continue
		}
		p, err := a.past(key)
		switch {
		case err != nil:
			return nil, err
		case p != nil:
			out.Tasks = append(out.Tasks, *showPast(v, p, in.Include))
		default:
			out.Failures = append(out.Failures, failure(key, reasonMissing, ""))
		}
	}
	return out, nil
}

// The reason and code of a task that a user stops.
const defaultStopReason = "Task stopped by user"

// maxReason is how long a reason for stopping may be.
const maxReason = 1024

func (a *API) stopTask(ctx context.Context, call *gateway.Call, in *ecs.StopTaskRequest) (*ecs.StopTaskResponse, error) {
	if len(member.Value(in.Reason)) > maxReason {
		return nil, invalid("reason can have at most %d characters.", maxReason)
	}
	var next task.Task
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		c, err := findCluster(tx, call.Scope, in.Cluster)
		if err != nil {
			return err
		}
		have, err := findTask(tx, c, member.Value(in.Task))
		if err != nil {
			return err
		}
		next = *have
		if next.DesiredStatus() == task.Stopped {
			return nil
		}
		next.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopUserInitiated, StoppedReason: defaultStopReason, StoppingAt: call.Now}
		if reason := member.Value(in.Reason); reason != "" {
			next.Desired.StoppedReason = reason
		}
		next.Version++
		store.Tasks.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.StopTaskResponse{Task: showTask(v, &next, nil)}, nil
}

func (a *API) listTasks(_ context.Context, call *gateway.Call, in *ecs.ListTasksRequest) (*ecs.ListTasksResponse, error) {
	page, err := readPage(in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	q, err := readTaskQuery(in)
	if err != nil {
		return nil, err
	}
	v := a.store.View()
	c, err := findCluster(v, call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	tasks, index, err := q.tasks(v, c, in, page.after)
	if err != nil {
		return nil, err
	}
	var failed error
	found, next := fill(page, func(yield func(cursor) bool) {
		if !page.after.Past && !listStored(filter(tasks, q.matches), index, yield) {
			return
		}
		failed = a.listPast(v, c, q, page.after, yield)
	}, func(at cursor) cursor { return at })
	if failed != nil {
		return nil, failed
	}
	return &ecs.ListTasksResponse{TaskArns: member.Each(found, func(at *cursor) string { return at.Key }), NextToken: next}, nil
}

// taskQuery is what every listed task must be. Empty words say nothing.
type taskQuery struct {
	desired                     task.Status
	launchType, family, started string
	group, instance             string // instance is set by tasks, for the history
}

func readTaskQuery(in *ecs.ListTasksRequest) (*taskQuery, error) {
	q := &taskQuery{desired: task.Running, launchType: string(in.LaunchType), family: member.Value(in.Family), started: member.Value(in.StartedBy)}
	if in.DesiredStatus != "" {
		var ok bool
		if q.desired, ok = task.ParseStatus(string(in.DesiredStatus)); !ok || !slices.Contains(in.DesiredStatus.Values(), string(in.DesiredStatus)) {
			return nil, invalid("desiredStatus should be one of [%s]", strings.Join(in.DesiredStatus.Values(), ","))
		}
	}
	if in.LaunchType != "" && !slices.Contains(in.LaunchType.Values(), string(in.LaunchType)) {
		return nil, invalid("launch type should be one of [EC2,FARGATE,EXTERNAL,MANAGED_INSTANCES]")
	}
	switch owner := member.Value(in.DaemonName); {
	case owner != "" && member.Value(in.ServiceName) != "":
		return nil, invalid("Only one of serviceName and daemonName can be specified.")
	case owner != "":
		q.group = daemon.Group(owner)
	case member.Value(in.ServiceName) != "":
		q.group = servicePrefix + *in.ServiceName
	}
	return q, nil
}

func (q *taskQuery) matches(t *task.Task) bool {
	return t.DesiredStatus() == q.desired &&
		(q.launchType == "" || string(t.Spec.LaunchType) == q.launchType) &&
		(q.family == "" || store.Family(t) == q.family) &&
		(q.started == "" || t.Spec.StartedBy == q.started) &&
		(q.group == "" || t.Spec.Group == q.group)
}

// tasks yields candidates from the index that narrows the most, beginning after
// where the last page ended.
func (q *taskQuery) tasks(v *store.View, c *cluster.Cluster, in *ecs.ListTasksRequest, after cursor) (iter.Seq[*task.Task], *store.Index[task.Task], error) {
	index, key := store.TasksByCluster, store.ClusterTasks(c.ARN, q.desired)
	switch {
	case member.Value(in.ContainerInstance) != "":
		i, err := findInstance(v, c, *in.ContainerInstance)
		if err != nil {
			return nil, nil, err
		}
		q.instance = i.ARN
		index, key = store.TasksByInstance, i.ARN
	case q.group != "":
		index, key = store.TasksByGroup, store.InCluster(c.ARN, q.group)
		if err := q.checkOwner(v, c); err != nil && !store.Tasks.Has(v, index, key) {
			return nil, nil, err
		}
	case q.started != "":
		index, key = store.TasksByStartedBy, store.InCluster(c.ARN, q.started)
	case q.family != "":
		index, key = store.TasksByFamily, store.InCluster(c.ARN, q.family)
	}
	if after.Key == "" {
		return store.Tasks.By(v, index, key), index, nil
	}
	return store.Tasks.ByAfter(v, index, key, after.position()), index, nil
}

// checkOwner makes sure that there is the service or daemon whose tasks are meant.
func (q *taskQuery) checkOwner(r store.Reader, c *cluster.Cluster) error {
	if name, ok := cutService(q.group); ok {
		if _, known := store.Services.Get(r, c.Scope.Service(c.Name, name)); !known {
			return serviceNotFound()
		}
		return nil
	}
	if _, ok := store.Daemons.Get(r, c.Scope.Daemon(c.Name, strings.TrimPrefix(q.group, daemon.GroupPrefix))); !ok {
		return fault.New(fault.DaemonNotFound, "The specified daemon was not found.")
	}
	return nil
}
