package why

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan/road"
	"github.com/berthhq/berth/store"
)

// What a service's tree shows at most.
const (
	maxWaiting = 10 // of the tasks that do not run
	maxStopped = 3  // of those that failed, the last ones
	maxEvents  = 5  // the last ones
)

// Service explains a service: its deployments, those of its tasks that do not run
// as they should, and what was said of it lately.
func (q *Inquiry) Service(key string) (*Node, error) {
	s, ok := store.Services.Get(q.View, key)
	if !ok {
		return nil, fault.New(fault.ServiceNotFound, "Service not found.").
			WithHint("%s is neither a service of the cluster nor a task's id", name(key))
	}
	n := &Node{Subject: s.ARN, State: string(s.Status)}
	counts, waiting, failed := q.tasksOf(s)
	n.Detail = map[string]any{"desired": s.Spec.Desired, "running": counts.Running, "pending": counts.Pending}
	n.Says = fmt.Sprintf("Service %s runs %d of %d tasks, with %d on the way.", s.Name, counts.Running, s.Spec.Desired, counts.Pending)
	switch {
	case s.Status == service.Inactive:
		n.Since = s.EndedAt
		n.Says = fmt.Sprintf("Service %s was deleted.", s.Name)
	case s.Status == service.Draining:
		n.Says = fmt.Sprintf("Service %s was deleted, and %d of its tasks still stop.", s.Name, counts.Running+counts.Pending)
	case s.Steady:
		n.Says = fmt.Sprintf("Service %s is steady: it runs %d of %d tasks.", s.Name, counts.Running, s.Spec.Desired)
	}
	for _, t := range slices.Concat(waiting, failed) {
		child, err := q.Task(t.ARN)
		if err != nil {
			return nil, err
		}
		n.add(child)
	}
	for i := range s.Deployments {
		n.add(q.deployment(&s.Deployments[i]))
	}
	n.add(q.hooks(s)...)
	for t := range store.TaskSets.By(q.View, store.TaskSetsByService, s.ARN) {
		n.add(q.taskSet(t))
	}
	n.add(q.events(s)...)
	return n, nil
}

// tasksOf are a service's tasks: how many run and are on their way, those that do
// not run or are not healthy, and the last that failed.
func (q *Inquiry) tasksOf(s *service.Service) (counts service.Counts, waiting, failed []*task.Task) {
	for t := range store.Tasks.By(q.View, store.TasksByGroup, store.InCluster(s.ClusterARN, service.Group(s.Name))) {
		switch last := t.LastStatus(); {
		case last == task.Running:
			counts.Running++
			if q.well(t) {
				continue
			}
		case last < task.Running:
			counts.Pending++
		case t.StopCode() == task.StopTaskFailedToStart || t.StopCode() == task.StopEssentialContainerExited || Hint(t.StoppedReason()) != "":
			failed = append(failed, t)
			continue
		default:
			continue
		}
		if len(waiting) < maxWaiting {
			waiting = append(waiting, t)
		}
	}
	slices.SortStableFunc(failed, func(x, y *task.Task) int { return store.StoppedAt(y).Compare(store.StoppedAt(x)) })
	return counts, waiting, failed[:min(maxStopped, len(failed))]
}

// well tells whether neither a container nor a load balancer finds a running task
// unhealthy.
func (q *Inquiry) well(t *task.Task) bool {
	for target := range store.Targets.By(q.View, store.TargetsByTask, t.ARN) {
		if g, ok := store.TargetGroups.Get(q.View, target.GroupARN); ok && road.HealthOf(q.View, g, target).State != balancer.Healthy {
			return false
		}
	}
	return !slices.ContainsFunc(t.Observed.Containers, func(c task.Container) bool { return c.Health == task.Unhealthy })
}

func (q *Inquiry) deployment(d *service.Deployment) *Node {
	n := &Node{
		Subject: d.ID, State: string(d.State), Since: d.CreatedAt,
		Says:   fmt.Sprintf("Deployment %s of revision %s is to have %d tasks.", d.ID, name(d.RevisionARN), d.Want),
		Detail: map[string]any{"want": d.Want, "failedTasks": d.Failed},
	}
	if d.Reason != "" {
		n.Says = strings.TrimSuffix(n.Says, ".") + " (" + strings.TrimSuffix(d.Reason, ".") + ")."
	}
	if d.RetryAt.After(q.Now) {
		n.Detail["retryInSeconds"] = int(d.RetryAt.Sub(q.Now) / time.Second)
		n.Hint = fmt.Sprintf("%d of its tasks failed in a row, so it waits for %s before the next: mend what fails and update the service", d.Failed, lasting(d.RetryAt.Sub(q.Now)))
	}
	return n
}

// hooks are what the service's rollout waits for.
func (q *Inquiry) hooks(s *service.Service) (waiting []*Node) {
	r, ok := store.Rollouts.Get(q.View, s.Rollout)
	if !ok {
		return nil
	}
	for i := range r.Hooks {
		h := &r.Hooks[i]
		if !h.Status.Open() {
			continue
		}
		kind := &r.Configuration.Hooks[h.Hook]
		n := &Node{
			Subject: h.ID, State: string(h.Status), Since: h.StartedAt,
			Says: fmt.Sprintf("Its rollout waits at %s for the function %s.", r.Stage, kind.Target),
			Hint: "look at the log of what answers for that function",
			Detail: map[string]any{
				"stage": string(r.Stage), "onTimeout": kind.OnTimeout(), "expiresInSeconds": int(h.ExpiresAt.Sub(q.Now) / time.Second),
			},
		}
		if kind.Type == service.HookPause {
			n.Says = fmt.Sprintf("Its rollout is paused at %s until somebody says how to go on.", r.Stage)
			n.Hint = fmt.Sprintf("aws ecs continue-service-deployment --service-deployment-arn %s --hook-id %s --action CONTINUE, or ROLLBACK", r.ARN, h.ID)
		}
		waiting = append(waiting, n)
	}
	return waiting
}

func (q *Inquiry) taskSet(t *service.TaskSet) *Node {
	n := q.deployment(&t.Deployment)
	n.State = string(t.Deployment.Status)
	n.Says = fmt.Sprintf("Task set %s has %v%% of the service: it is to have %d tasks.", t.Deployment.ID, t.Scale, t.Deployment.Want)
	return n
}

func (q *Inquiry) events(s *service.Service) []*Node {
	var said []*Node
	for e := range store.ServiceEvents.Prefix(q.View, store.ServiceEventPrefix(s.ARN)) {
		if e.Message != "" {
			said = append(said, &Node{Subject: "event " + e.ID, State: "EVENT", Says: e.Message, Since: e.At})
		}
	}
	slices.Reverse(said)
	return said[:min(maxEvents, len(said))]
}
