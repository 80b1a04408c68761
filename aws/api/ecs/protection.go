package ecs

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// Protection of tasks.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html
const (
	reasonNotProtectable = "TASK_NOT_VALID"
	reasonBlocked        = "DEPLOYMENT_BLOCKED"
	defaultProtection    = 120  // minutes
	maxProtection        = 2880 // minutes
)

func (a *API) getTaskProtection(_ context.Context, call *gateway.Call, in *ecs.GetTaskProtectionRequest) (*ecs.GetTaskProtectionResponse, error) {
	v := a.store.View()
	c, err := protectable(v, call, in.Cluster, in.Tasks)
	if err != nil {
		return nil, err
	}
	refs := in.Tasks
	if len(refs) == 0 {
		return &ecs.GetTaskProtectionResponse{ProtectedTasks: []ecs.ProtectedTask{}, Failures: []ecs.Failure{}}, nil
	}
	out := &ecs.GetTaskProtectionResponse{ProtectedTasks: []ecs.ProtectedTask{}, Failures: []ecs.Failure{}}
	for _, ref := range refs {
		t, refusal, err := protectableTask(v, c, ref)
		if err != nil {
			return nil, err
		}
		if refusal != nil {
			out.Failures = append(out.Failures, *refusal)
			continue
		}
		out.ProtectedTasks = append(out.ProtectedTasks, showProtection(t, call.Now))
	}
	return out, nil
}

func (a *API) updateTaskProtection(ctx context.Context, call *gateway.Call, in *ecs.UpdateTaskProtectionRequest) (*ecs.UpdateTaskProtectionResponse, error) {
	until, err := readProtection(in, call.Now)
	if err != nil {
		return nil, err
	}
	if len(in.Tasks) == 0 {
		return nil, invalid("Tasks cannot be empty.")
	}
	var out *ecs.UpdateTaskProtectionResponse
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		out = &ecs.UpdateTaskProtectionResponse{ProtectedTasks: []ecs.ProtectedTask{}, Failures: []ecs.Failure{}}
		c, err := protectable(tx, call, in.Cluster, in.Tasks)
		if err != nil {
			return err
		}
		for _, ref := range in.Tasks {
			t, refusal, err := protectableTask(tx, c, ref)
			if err != nil {
				return err
			}
			if refusal == nil && !until.IsZero() && replaced(tx, t) {
				refusal = new(failure(t.ARN, reasonBlocked, "The task belongs to a deployment that is being replaced."))
			}
			if refusal != nil {
				out.Failures = append(out.Failures, *refusal)
				continue
			}
			next := *t
			next.ProtectedUntil = until
			next.Version++
			store.Tasks.Put(tx, &next)
			out.ProtectedTasks = append(out.ProtectedTasks, showProtection(&next, call.Now))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// readProtection is the end of the protection that is asked for; zero takes it
// away.
func readProtection(in *ecs.UpdateTaskProtectionRequest, now time.Time) (time.Time, error) {
	if in.ProtectionEnabled == nil {
		return time.Time{}, invalid("protectionEnabled can not be null.")
	}
	minutes := int32(defaultProtection)
	if in.ExpiresInMinutes != nil {
		minutes = *in.ExpiresInMinutes
	}
	if minutes < 1 || minutes > maxProtection {
		return time.Time{}, invalid("expiresInMinutes should be between 1 and %d", maxProtection)
	}
	if !*in.ProtectionEnabled {
		return time.Time{}, nil
	}
	return now.Add(time.Duration(minutes) * time.Minute), nil
}

func protectable(r store.Reader, call *gateway.Call, ref *string, tasks []string) (*cluster.Cluster, error) {
	if len(tasks) > maxRun {
		return nil, invalid("tasks can have at most %d items.", maxRun)
	}
	return activeCluster(r, call.Scope, ref)
}

// protectableTask finds a task that may be protected: one of a service that runs.
func protectableTask(r store.Reader, c *cluster.Cluster, ref string) (*task.Task, *ecs.Failure, error) {
	key, err := identify(c, "task", ref)
	if err != nil {
		return nil, nil, err
	}
	t, ok := store.Tasks.Get(r, key)
	switch {
	case !ok || t.LastStatus() == task.Stopped:
		return nil, new(failure(key, reasonMissing, "")), nil
	case serviceOfTask(r, t) == nil:
		return nil, new(failure(key, reasonNotProtectable, "Only tasks of a service can be protected.")), nil
	}
	return t, nil, nil
}

// serviceOfTask is the service whose task it is; nil for other tasks.
func serviceOfTask(r store.Reader, t *task.Task) *service.Service {
	name, ok := cutService(t.Spec.Group)
	if !ok {
		return nil
	}
	s, ok := store.Services.Get(r, t.Scope.Service(arn.NameOf(t.Spec.ClusterARN), name))
	if !ok {
		return nil
	}
	return s
}

// replaced tells whether a task is of an older deployment than its service's
// primary one.
func replaced(r store.Reader, t *task.Task) bool {
	s := serviceOfTask(r, t)
	d := s.Deployment(t.Spec.StartedBy)
	return s.Primary() != nil && (d == nil || d.Status != service.Primary)
}

func showProtection(t *task.Task, now time.Time) ecs.ProtectedTask {
	out := ecs.ProtectedTask{TaskArn: &t.ARN, ProtectionEnabled: new(t.ProtectedUntil.After(now))}
	if *out.ProtectionEnabled {
		out.ExpirationDate = &t.ProtectedUntil
	}
	return out
}
