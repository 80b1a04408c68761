package ecs

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

const (
	maxTaskSets  = 5
	maxExternal  = 255 // characters of an externalId
	wholeService = 100 // percent
)

func (a *API) createTaskSet(ctx context.Context, call *gateway.Call, in *ecs.CreateTaskSetRequest) (*ecs.CreateTaskSetResponse, error) {
	if err := checkServiceToken(in.ClientToken); err != nil {
		return nil, err
	}
	var made *service.TaskSet
	v, err := a.changeSets(ctx, call, in.Cluster, in.Service, func(tx *store.Tx, c *cluster.Cluster, s *service.Service) error {
		next, t, err := readTaskSet(tx, call, c, s, in)
		if err != nil {
			return err
		}
		sets := slices.Collect(store.TaskSets.By(tx, store.TaskSetsByService, s.ARN))
		for _, have := range sets {
			if next.Token != "" && have.Token == next.Token {
				made = have
				return nil
			}
		}
		if len(sets) >= maxTaskSets {
			return invalid("%d deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit.", len(sets)).
				WithHint("delete a task set that serves no traffic any more")
		}
		made = a.putTaskSet(tx, call, s, next, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateTaskSetResponse{TaskSet: showTaskSet(v, made, true)}, nil
}

// putTaskSet stores a new task set, and what its tasks have in common.
func (a *API) putTaskSet(tx *store.Tx, call *gateway.Call, s *service.Service, next *service.TaskSet, t *service.Template) *service.TaskSet {
	of := arn.NameOf(s.ClusterARN)
	r := &service.Revision{
		Scope: s.Scope, ARN: s.Scope.ServiceRevision(of, s.Name, a.number()), ServiceARN: s.ARN, ClusterARN: s.ClusterARN, Template: *t, CreatedAt: call.Now,
	}
	store.ServiceRevisions.Put(tx, r)
	d := &next.Deployment
	d.ID, d.RevisionARN, d.CreatedAt, d.UpdatedAt = "ecs-svc/"+a.number(), r.ARN, call.Now, call.Now
	if d.Status == "" {
		d.Status = service.Older
	}
	next.Scope, next.ARN, next.ServiceARN, next.ClusterARN, next.SteadyAt = s.Scope, s.Scope.TaskSet(of, s.Name, d.ID), s.ARN, s.ClusterARN, call.Now
	store.TaskSets.Put(tx, next)
	return next
}

// changeSets changes task sets of a service, and raises its version with them.
func (a *API) changeSets(ctx context.Context, call *gateway.Call, cluster, ref *string, change func(*store.Tx, *cluster.Cluster, *service.Service) error) (*store.View, error) {
	return a.store.Update(ctx, func(tx *store.Tx) error {
		c, s, err := findSetService(tx, call, cluster, ref)
		if err != nil {
			return err
		}
		next := *s
		if err := change(tx, c, &next); err != nil {
			return err
		}
		next.Version++
		store.Services.Put(tx, &next)
		return nil
	})
}

func (a *API) updateTaskSet(ctx context.Context, call *gateway.Call, in *ecs.UpdateTaskSetRequest) (*ecs.UpdateTaskSetResponse, error) {
	scale, err := readScale(in.Scale)
	if err != nil {
		return nil, err
	}
	var next service.TaskSet
	v, err := a.changeSets(ctx, call, in.Cluster, in.Service, func(tx *store.Tx, _ *cluster.Cluster, s *service.Service) error {
		have, err := standingSet(tx, s, member.Value(in.TaskSet))
		if err != nil {
			return err
		}
		next = *have
		next.Scale, next.Deployment.UpdatedAt = scale, call.Now
		unsettle(&next, s, call)
		store.TaskSets.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateTaskSetResponse{TaskSet: showTaskSet(v, &next, true)}, nil
}

// unsettle makes a set unstable that is to have another number of tasks, so that
// nobody who waits sees it steady before its tasks have changed.
func unsettle(t *service.TaskSet, s *service.Service, call *gateway.Call) {
	if t.Steady && t.Share(s.Spec.Desired) != t.Deployment.Want {
		t.Steady, t.SteadyAt, s.Steady = false, call.Now, false
	}
}

// unsettleSets does so for every set of a service whose desired count has changed.
func unsettleSets(tx *store.Tx, call *gateway.Call, s *service.Service) {
	for t := range store.TaskSets.By(tx, store.TaskSetsByService, s.ARN) {
		next := *t
		if unsettle(&next, s, call); next.Steady != t.Steady {
			store.TaskSets.Put(tx, &next)
		}
	}
}

func (a *API) deleteTaskSet(ctx context.Context, call *gateway.Call, in *ecs.DeleteTaskSetRequest) (*ecs.DeleteTaskSetResponse, error) {
	var next service.TaskSet
	v, err := a.changeSets(ctx, call, in.Cluster, in.Service, func(tx *store.Tx, _ *cluster.Cluster, s *service.Service) error {
		have, err := findTaskSet(tx, s, member.Value(in.TaskSet))
		if err != nil {
			return err
		}
		if next = *have; have.Deployment.Status == service.Leaving {
			return nil
		}
		if err := checkSetDeletable(have, member.Value(in.Force)); err != nil {
			return err
		}
		next.Deployment.Status, next.Deployment.UpdatedAt = service.Leaving, call.Now
		unsettle(&next, s, call)
		store.TaskSets.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteTaskSetResponse{TaskSet: showTaskSet(v, &next, true)}, nil
}

func checkSetDeletable(t *service.TaskSet, force bool) error {
	switch {
	case force:
	case t.Deployment.Status == service.Primary:
		return invalid("The primary task set cannot be deleted.").WithHint("make another task set the primary one first, or delete with force")
	case t.Scale > 0:
		return invalid("The task set cannot be deleted while it is scaled above 0.").WithHint("set its scale to 0 first, or delete with force")
	}
	return nil
}

func (a *API) describeTaskSets(_ context.Context, call *gateway.Call, in *ecs.DescribeTaskSetsRequest) (*ecs.DescribeTaskSetsResponse, error) {
	v := a.store.View()
	_, s, err := findSetService(v, call, in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	tags := contains(in.Include, ecs.TaskSetFieldTags)
	if len(in.TaskSets) == 0 {
		return &ecs.DescribeTaskSetsResponse{TaskSets: showTaskSets(v, s, tags), Failures: []ecs.Failure{}}, nil
	}
	out := &ecs.DescribeTaskSetsResponse{TaskSets: []ecs.TaskSet{}, Failures: []ecs.Failure{}}
	for _, ref := range in.TaskSets {
		key, err := taskSetARN(s, ref)
		if err != nil && fault.Of(err).Kind != fault.TaskSetNotFound {
			return nil, err
		}
		if t, ok := store.TaskSets.Get(v, key); ok {
			out.TaskSets = append(out.TaskSets, *showTaskSet(v, t, tags))
			continue
		}
		out.Failures = append(out.Failures, failure(ref, reasonMissing, ""))
	}
	return out, nil
}

func (a *API) updateServicePrimaryTaskSet(ctx context.Context, call *gateway.Call, in *ecs.UpdateServicePrimaryTaskSetRequest) (*ecs.UpdateServicePrimaryTaskSetResponse, error) {
	var next service.TaskSet
	v, err := a.changeSets(ctx, call, in.Cluster, in.Service, func(tx *store.Tx, _ *cluster.Cluster, s *service.Service) error {
		have, err := standingSet(tx, s, member.Value(in.PrimaryTaskSet))
		if err != nil {
			return err
		}
		for t := range store.TaskSets.By(tx, store.TaskSetsByService, s.ARN) {
			if t.Deployment.Status == service.Primary && t.ARN != have.ARN {
				old := *t
				old.Deployment.Status, old.Deployment.UpdatedAt = service.Older, call.Now
				store.TaskSets.Put(tx, &old)
			}
		}
		next = *have
		next.Deployment.Status, next.Deployment.UpdatedAt = service.Primary, call.Now
		store.TaskSets.Put(tx, &next)
		if r, ok := store.ServiceRevisions.Get(tx, next.Deployment.RevisionARN); ok {
			s.Spec.Template = r.Template // what the primary one has is the service's
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateServicePrimaryTaskSetResponse{TaskSet: showTaskSet(v, &next, true)}, nil
}
