package ecs

import (
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

func taskSetNotFound() *fault.Fault {
	return fault.New(fault.TaskSetNotFound, "The specified task set does not exist. Specify a valid task set ID or ARN and try again.")
}

// findSetService finds an active service that has task sets.
func findSetService(r store.Reader, call *gateway.Call, ref, name *string) (*cluster.Cluster, *service.Service, error) {
	c, err := findCluster(r, call.Scope, ref)
	if err != nil {
		return nil, nil, err
	}
	s, err := findService(r, c, member.Value(name))
	switch {
	case err != nil:
		return nil, nil, err
	case s.Status != service.Active:
		return nil, nil, serviceNotActive()
	case !s.Spec.BySets():
		return nil, nil, invalid("Amazon ECS only supports task set management on services configured to use external deployment controllers.").
			WithHint("service %s has the ECS deployment controller: use UpdateService", s.Name)
	}
	return c, s, nil
}

// findTaskSet finds a task set of a service by id or ARN.
func findTaskSet(r store.Reader, s *service.Service, ref string) (*service.TaskSet, error) {
	key, err := taskSetARN(s, ref)
	if err != nil {
		return nil, err
	}
	t, ok := store.TaskSets.Get(r, key)
	if !ok {
		return nil, taskSetNotFound()
	}
	return t, nil
}

func taskSetARN(s *service.Service, ref string) (string, error) {
	if !arn.IsARN(ref) {
		return s.Scope.TaskSet(arn.NameOf(s.ClusterARN), s.Name, ref), nil
	}
	a, err := arn.Parse(ref)
	if err != nil || a.Service != "ecs" || a.Kind() != "task-set" {
		return "", invalid("Invalid identifier: Unexpected resource '%s'.", ref)
	}
	if own := s.Scope.TaskSet(arn.NameOf(s.ClusterARN), s.Name, ""); !strings.HasPrefix(ref, own) {
		return "", taskSetNotFound()
	}
	return ref, nil
}

// standingSet is a task set that has not been deleted.
func standingSet(r store.Reader, s *service.Service, ref string) (*service.TaskSet, error) {
	t, err := findTaskSet(r, s, ref)
	if err == nil && t.Deployment.Status == service.Leaving {
		return nil, invalid("The task set %s is DRAINING.", t.Deployment.ID).WithHint("it has been deleted: create another one")
	}
	return t, err
}
